/**
 * The safetensors header: 8 bytes of length (little-endian), then JSON, then tensor bytes without hole or overlap.
 * Format: https://github.com/huggingface/safetensors#format
 */
import { z } from 'zod';
import { EngineError } from '../errors.js';

/** The reference implementation's own limit. */
export const headerLimit = 100_000_000;

/** Bits of one value by dtype, as the format names them. */
const dtypeBits = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
  C64: 64,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
} as const;
export type Dtype = keyof typeof dtypeBits;
const isDtype = (name: string): name is Dtype => Object.hasOwn(dtypeBits, name);

export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte in the file, counted from its start. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes in the file. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

const wholeNumber = z.int().min(0);
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(wholeNumber),
  data_offsets: z.tuple([wholeNumber, wholeNumber]),
});
const metadataSchema = z.record(z.string(), z.string());
const remedy = 'Download or save the file again; it is damaged or was cut off.';

/** A `bad-file` error about `file`. */
export function badFile(file: string, what: string, hint: string = remedy, options?: ErrorOptions): EngineError {
  return new EngineError('bad-file', `${file}: ${what}`, hint, { file }, options);
}

/**
 * Pickles begin with the protocol mark and a version from 2 to 5. So does the length of a header of 640, 896, 1152 or 1408 bytes,
 * whose other six bytes are zero: no pickle goes on like that.
 */
const isPickle = (text: string) =>
  text.charCodeAt(0) === 0x80 &&
  text.charCodeAt(1) >= 2 &&
  text.charCodeAt(1) <= 5 &&
  !text.startsWith('\0\0\0\0\0\0', 2);

/** What a file that is not safetensors seems to be, from its first bytes; null if nothing is recognized. */
export function foreignFormat(start: Uint8Array): { name: string; hint: string } | null {
  const text = Buffer.from(start).toString('latin1');
  const convert =
    'Pickled weights can run code when they are loaded, so they are never opened. Save the model as safetensors (in Python: model.save_pretrained(folder, safe_serialization=True)).';
  if (text.startsWith('PK\x03\x04')) return { name: 'a zip archive, as PyTorch saves its .bin files', hint: convert };
  if (isPickle(text)) return { name: 'a Python pickle', hint: convert };
  if (text.startsWith('version https://git-lfs'))
    return {
      name: 'a Git LFS pointer, not the weights themselves',
      hint: 'Run "git lfs pull" in its folder, or download the file itself.',
    };
  if (text.startsWith('GGUF'))
    return { name: 'a GGUF file', hint: 'Choose a Hugging Face folder with model.safetensors.' };
  if (/^\s*<(!doctype|html|\?xml)/i.test(text))
    return { name: 'a web page, probably saved instead of a download', hint: 'Download the file itself.' };
  return null;
}

/** Reads the length field. @throws EngineError `bad-file` if it lies or the file is something else. */
export function headerLength(file: string, start: Uint8Array, fileSize: number): number {
  if (fileSize === 0) throw badFile(file, 'the file is empty.');
  const foreign = foreignFormat(start);
  if (foreign !== null) throw badFile(file, `this is ${foreign.name}.`, foreign.hint);
  if (start.length < 8) throw badFile(file, `the file is cut off: ${fileSize} bytes cannot hold a safetensors header.`);
  const length = Buffer.from(start).readBigUInt64LE(0);
  if (length > BigInt(headerLimit))
    throw badFile(
      file,
      `its header claims ${length} bytes; at most ${headerLimit} are allowed.`,
      'This is no safetensors file, or it is damaged. Choose another, or save it again.',
    );
  if (length > BigInt(fileSize - 8))
    throw badFile(file, `its header claims ${length} bytes, but the file has ${fileSize}.`);
  return Number(length);
}

/**
 * Reads and checks the header's JSON. @param header its bytes, without the length field.
 * @throws EngineError `bad-file` for JSON that is none, unknown dtypes, sizes that do not fit, holes, overlaps, duplicates.
 */
export function parseHeader(file: string, header: Uint8Array, fileSize: number): SafetensorsHeader {
  const dataStart = 8 + header.byteLength;
  const parsed = parseJson(file, header);
  const { __metadata__: rawMetadata, ...tensors } = parsed;
  const metadata = metadataSchema.safeParse(rawMetadata ?? {});
  if (!metadata.success) throw badFile(file, 'its __metadata__ is not a table of texts.');
  const entries = Object.entries(tensors).map(([name, raw]) => toEntry(file, name, raw, dataStart, fileSize));
  entries.sort((left, right) => left.offset - right.offset || left.length - right.length);
  let expected = dataStart;
  for (const [i, { name, offset, length }] of entries.entries()) {
    if (offset < expected) throw badFile(file, `the bytes of "${name}" overlap those of "${entries[i - 1]?.name}".`);
    if (offset > expected) throw badFile(file, `there is a hole of ${offset - expected} bytes before "${name}".`);
    expected = offset + length;
  }
  if (expected !== fileSize) throw badFile(file, `the tensors end at byte ${expected}, but the file at ${fileSize}.`);
  return { entries: new Map(entries.map((entry) => [entry.name, entry])), metadata: metadata.data };
}

function parseJson(file: string, header: Uint8Array): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(header);
    value = JSON.parse(text);
  } catch (cause) {
    throw badFile(file, `its header is not JSON (${cause instanceof Error ? cause.message : String(cause)}).`, remedy, {
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badFile(file, 'its header is not a JSON object.');
  const twice = duplicateKey(text);
  if (twice !== null) throw badFile(file, `its header names "${twice}" twice.`);
  return Object.fromEntries(Object.entries(value));
}

function toEntry(file: string, name: string, raw: unknown, dataStart: number, fileSize: number): SafetensorsEntry {
  const result = entrySchema.safeParse(raw);
  if (!result.success)
    throw badFile(
      file,
      `the header's entry "${name}" is malformed (${result.error.issues[0]?.path.join('.') || 'entry'}: ${result.error.issues[0]?.message}).`,
    );
  const {
    dtype,
    shape,
    data_offsets: [start, end],
  } = result.data;
  if (!isDtype(dtype))
    throw badFile(
      file,
      `"${name}" has the unknown dtype "${dtype}".`,
      `Save it with one of ${Object.keys(dtypeBits).join(', ')}.`,
    );
  const dataBytes = fileSize - dataStart;
  if (end < start) throw badFile(file, `the bytes of "${name}" end (${end}) before they start (${start}).`);
  if (end > dataBytes)
    throw badFile(file, `"${name}" claims bytes up to ${end}, but the file has ${dataBytes} after its header.`);
  const bits = shape.reduce((product, size) => product * size, dtypeBits[dtype]);
  if (bits !== (end - start) * 8)
    throw badFile(
      file,
      `"${name}" of shape [${shape.join(', ')}] and dtype ${dtype} takes ${bits / 8} bytes, but the header gives it ${end - start}.`,
    );
  return { name, dtype, shape, offset: dataStart + start, length: end - start };
}

/** A key that stands twice in one object of valid JSON text (`JSON.parse` keeps the last and says nothing); null if none does. */
function duplicateKey(text: string): string | null {
  const open: Set<string>[] = [];
  // Strings with the colon that makes them a key, and the braces between which keys are unique.
  for (const [token, quoted, colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (quoted !== undefined && colon !== undefined) {
      const key = String(JSON.parse(quoted));
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return null;
}
