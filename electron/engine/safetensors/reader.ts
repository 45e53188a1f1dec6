/** Safetensors in: header with every claim checked against the file, tensors one at a time as float32. */
import { open, type FileHandle } from 'node:fs/promises';
import type { NamedTensors, Tensor } from '../types.js';
import { bfloat16ToFloat32, float16ToFloat32 } from './float16.js';
import { badFile, headerLength, parseHeader, type SafetensorsEntry, type SafetensorsHeader } from './header.js';

const floatDtypes = new Set(['F32', 'F16', 'BF16', 'F64']);
/** Linux reads at most 2 GB a call. */
const readPiece = 1 << 30;

/** Can {@link readTensor} turn this entry into float32? Integer buffers such as `position_ids` cannot be parameters. */
export function isFloat(entry: SafetensorsEntry): boolean {
  return floatDtypes.has(entry.dtype);
}

/**
 * Reads the header only. Allocates no more than the file holds.
 * @throws EngineError `bad-file` naming the file, what is wrong with it and the remedy.
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, async (handle) => {
    const { size } = await handle.stat();
    const start = await readBytes(path, handle, 0, Math.min(size, 64));
    const length = headerLength(path, start, size);
    return parseHeader(path, await readBytes(path, handle, 8, length), size);
  });
}

/**
 * Reads one tensor as float32 (F32, F16, BF16 exactly; F64 rounded).
 * @throws EngineError `bad-file` for integer dtypes and for a file that is shorter than its header was.
 */
export async function readTensor(path: string, entry: SafetensorsEntry): Promise<Tensor> {
  return withFile(path, (handle) => tensorFrom(path, handle, entry));
}

/** Reads all tensors of a file as float32. @throws EngineError `bad-file` */
export async function readSafetensors(
  path: string,
): Promise<{ tensors: NamedTensors; metadata: Readonly<Record<string, string>> }> {
  const { entries, metadata } = await readSafetensorsHeader(path);
  return withFile(path, async (handle) => {
    const tensors: NamedTensors = new Map();
    for (const entry of entries.values()) tensors.set(entry.name, await tensorFrom(path, handle, entry));
    return { tensors, metadata };
  });
}

async function tensorFrom(path: string, handle: FileHandle, entry: SafetensorsEntry): Promise<Tensor> {
  if (!isFloat(entry))
    throw badFile(
      path,
      `"${entry.name}" holds ${entry.dtype} values; F32, F16, BF16 or F64 are needed.`,
      'Save the tensor in a floating-point type, without quantization.',
    );
  const bytes = await readBytes(path, handle, entry.offset, entry.length);
  return { shape: entry.shape, data: toFloat32(entry, bytes.buffer) };
}

function toFloat32(entry: SafetensorsEntry, buffer: ArrayBuffer): Float32Array {
  switch (entry.dtype) {
    case 'F16':
      return float16ToFloat32(new Uint16Array(buffer));
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(buffer));
    case 'F64':
      return new Float32Array(new Float64Array(buffer));
    default:
      return new Float32Array(buffer);
  }
}

async function readBytes(
  path: string,
  handle: FileHandle,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, readPiece), offset + done);
    if (bytesRead === 0)
      throw badFile(path, `the file ends at byte ${offset + done}, before what its header announced.`);
    done += bytesRead;
  }
  return bytes;
}

async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
    if (!(await handle.stat()).isFile()) {
      await handle.close();
      throw badFile(path, 'this is a folder, not a file.', 'Choose a .safetensors file.');
    }
  } catch (error) {
    throw openFailure(path, error);
  }
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/** A failed `open` in words. */
export function openFailure(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT')
    return badFile(path, 'there is no such file.', 'Check the folder, or add the missing file.', { cause: error });
  if (code === 'EACCES' || code === 'EPERM')
    return badFile(path, 'the file may not be read.', 'Change its permissions, or choose another.', { cause: error });
  if (code === 'EISDIR')
    return badFile(path, 'this is a folder, not a file.', 'Choose a .safetensors file.', { cause: error });
  return error;
}
