/** Safetensors out: streamed to a temporary file beside the target, forced to the disk, renamed into place. */
import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '../errors.js';
import type { NamedTensors } from '../types.js';
import { float32ToFloat16 } from './float16.js';

export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'F32' | 'F16';
  /** Row-major values, or a function that brings them when their turn comes, so that a large model never lies in memory whole. */
  readonly data: Float32Array | (() => Float32Array | Promise<Float32Array>);
}

const bytesOf = { F32: 4, F16: 2 } as const;
/** The header is padded with spaces to a multiple of this, as the reference implementation does. */
const alignment = 8;

/**
 * Writes a file that is there whole or not at all. Tensors keep their order; `NamedTensors` are written as F32.
 * @throws EngineError `bad-input` if values do not fill their shape, a name occurs twice, or a finite value is too large for F16.
 */
export async function writeSafetensors(
  path: string,
  tensors: NamedTensors | Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const list =
    tensors instanceof Map
      ? Array.from(tensors, ([name, tensor]): TensorToWrite => ({ name, dtype: 'F32', ...tensor }))
      : [...tensors];
  const header = headerOf(path, list, metadata);
  const temporary = join(dirname(path), `${basename(path)}.${process.pid}.tmp`);
  try {
    const handle = await open(temporary, 'w');
    try {
      await writeAll(handle, header);
      for (const tensor of list) await writeAll(handle, await valueBytes(path, tensor));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  // Windows has no handle of a folder to sync; its rename is journalled.
  if (process.platform !== 'win32') {
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  }
}

/** Removes what writers that were killed left behind in a folder, if it is there. Files of their kind that others write are named alike. */
export async function sweepTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => /\.\d+\.tmp$/.test(name));
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
}

const countOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

function headerOf(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const names = new Set<string>();
  const entries: [string, object][] = Object.keys(metadata).length === 0 ? [] : [['__metadata__', metadata]];
  let offset = 0;
  for (const { name, shape, dtype } of tensors) {
    if (names.has(name) || name === '__metadata__') throw badTensor(path, name, 'the name is taken.');
    names.add(name);
    const end = offset + countOf(shape) * bytesOf[dtype];
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(json.length / alignment) * alignment;
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(header, 8);
  return header;
}

async function valueBytes(path: string, { name, shape, dtype, data }: TensorToWrite): Promise<Uint8Array> {
  const values = typeof data === 'function' ? await data() : data;
  if (values.length !== countOf(shape))
    throw badTensor(path, name, `${values.length} values do not fill the shape [${shape.join(', ')}].`);
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const large = values.findIndex((value) => Number.isFinite(value) && Math.abs(value) >= 65_520);
  if (large !== -1)
    throw badTensor(path, name, `the value ${values[large]} at ${large} is too large for float16 (65504 at most).`);
  return new Uint8Array(float32ToFloat16(values).buffer);
}

function badTensor(path: string, name: string, what: string): EngineError {
  return new EngineError('bad-input', `${path}: tensor "${name}" cannot be written: ${what}`, null, {
    file: path,
    tensor: name,
  });
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;)
    done += (await handle.write(bytes, done, Math.min(bytes.byteLength - done, 1 << 30))).bytesWritten;
}
