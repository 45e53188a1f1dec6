/** Which encoding a text file is in, and whether it is text at all. */
import { isAscii, isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { analyse } from 'chardet';
import { StudioError } from '../contract/errors.js';
import { fileError } from './decode.js';

const sampleBytes = 256 * 1024;
/** A file that is ASCII in front may hold one accented letter far behind; this much is looked through. */
const scanBytes = 512 * 1024 * 1024;

export interface FileStart {
  readonly bytes: number;
  /** The first 256 KiB. */
  readonly sample: Buffer;
}

/**
 * The file's size and first bytes.
 * @throws StudioError `not-found`, `no-access`, or `bad-file` for an empty file or a folder
 */
export async function readStart(path: string): Promise<FileStart> {
  try {
    const handle = await open(path, 'r');
    try {
      const stats = await handle.stat();
      if (stats.isDirectory())
        throw new StudioError('bad-file', `${path} is a folder.`, 'Choose a file of rows.', { path });
      if (stats.size === 0)
        throw new StudioError('bad-file', `${path} is empty.`, 'Choose a file that holds rows.', { path });
      return { bytes: stats.size, sample: await readAt(handle, 0, Math.min(sampleBytes, stats.size)) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(path, error);
  }
}

const signatures: readonly { readonly bytes: readonly number[]; readonly what: string; readonly remedy: string }[] = [
  {
    bytes: [0x50, 0x4b, 0x03, 0x04],
    what: 'a zip archive or an Office workbook',
    remedy: 'Save the sheet as CSV (UTF-8), or unpack the archive.',
  },
  { bytes: [0xd0, 0xcf, 0x11, 0xe0], what: 'an old Office document', remedy: 'Save the sheet as CSV (UTF-8).' },
  { bytes: [0x1f, 0x8b], what: 'a gzip archive', remedy: 'Unpack it first.' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'a zstd archive', remedy: 'Unpack it first.' },
  { bytes: [0x42, 0x5a, 0x68], what: 'a bzip2 archive', remedy: 'Unpack it first.' },
  { bytes: [0x25, 0x50, 0x44, 0x46], what: 'a PDF document', remedy: 'Export its table as CSV.' },
  { bytes: [0x89, 0x50, 0x4e, 0x47], what: 'a PNG image', remedy: 'Choose a file of rows.' },
  { bytes: [0xff, 0xd8, 0xff], what: 'a JPEG image', remedy: 'Choose a file of rows.' },
  { bytes: [0x7f, 0x45, 0x4c, 0x46], what: 'a program', remedy: 'Choose a file of rows.' },
  { bytes: [...Buffer.from('SQLite format 3')], what: 'an SQLite database', remedy: 'Export its table as CSV.' },
];

/**
 * The label of the encoding for TextDecoder: byte-order marks first, then UTF-16 by its zero bytes, then valid UTF-8, then chardet's best guess.
 * @throws StudioError `bad-file` when the bytes are no text
 */
export async function detectEncoding(path: string, { bytes, sample }: FileStart): Promise<string> {
  const known = signatures.find((signature) => signature.bytes.every((byte, index) => sample[index] === byte));
  if (known !== undefined)
    throw new StudioError('bad-file', `${path} is ${known.what}, not a text file.`, known.remedy, { path });
  if (sample.length >= 4 && (sample.readUInt32LE(0) === 0x0000feff || sample.readUInt32BE(0) === 0x0000feff))
    throw new StudioError('bad-file', `${path} is in UTF-32, which is not read.`, 'Save it as UTF-8.', { path });
  if (sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf) return 'utf-8';
  if (sample[0] === 0xff && sample[1] === 0xfe) return 'utf-16le';
  if (sample[0] === 0xfe && sample[1] === 0xff) return 'utf-16be';
  const wide = wideEncoding(sample);
  if (wide !== null) return wide;
  const control = controlShare(sample);
  if (control > 0.002)
    throw new StudioError(
      'bad-file',
      `${path} is a binary file, not text: ${sample.includes(0) ? 'it holds zero bytes' : `${Math.round(control * 100)} % of its first bytes are control characters`}.`,
      'Choose a CSV, TSV, JSON, JSONL, Parquet or text file.',
      { path },
    );
  const doubtful = await firstDoubtfulPart(path, bytes);
  return doubtful === null ? 'utf-8' : singleByteEncoding(doubtful);
}

/** UTF-16 without a mark: mostly Latin text has its zero bytes on one side. */
function wideEncoding(sample: Buffer): 'utf-16le' | 'utf-16be' | null {
  const pairs = Math.floor(sample.length / 2);
  let even = 0;
  let odd = 0;
  for (let at = 0; at + 1 < sample.length; at += 2) {
    if (sample[at] === 0) even += 1;
    if (sample[at + 1] === 0) odd += 1;
  }
  if (pairs < 4) return null;
  if (odd > pairs * 0.4 && even < pairs * 0.02) return 'utf-16le';
  if (even > pairs * 0.4 && odd < pairs * 0.02) return 'utf-16be';
  return null;
}

/** Share of bytes that text does not hold; one zero byte is worth a hundred of the others. */
function controlShare(sample: Buffer): number {
  let count = 0;
  for (const byte of sample) {
    if (byte === 0) count += 100;
    else if (byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b) || byte === 0x7f) count += 1;
  }
  return Math.min(1, count / sample.length);
}

/** The first part of the file that is not valid UTF-8, or null. */
async function firstDoubtfulPart(path: string, bytes: number): Promise<Buffer | null> {
  const handle = await open(path, 'r');
  try {
    const end = Math.min(bytes, scanBytes);
    let held = Buffer.alloc(0);
    for (let start = 0; start < end; start += sampleBytes) {
      const part = Buffer.concat([held, await readAt(handle, start, Math.min(sampleBytes, end - start))]);
      const whole = part.subarray(0, start + sampleBytes >= bytes ? part.length : part.length - unfinished(part));
      if (!isUtf8(whole)) return isAscii(whole) ? null : part;
      held = Buffer.from(part.subarray(whole.length));
    }
    return null;
  } finally {
    await handle.close();
  }
}

/** Bytes at the end that begin a character which the part does not finish. */
function unfinished(part: Buffer): number {
  for (let back = 1; back <= Math.min(3, part.length); back += 1) {
    const byte = part[part.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/** Below this chardet (0 to 100) guesses. */
const leastConfidence = 15;
const latin = /^(iso-8859-(1|2|9|15)|windows-125[0-4])$/;

/**
 * What chardet thinks of bytes that are no UTF-8. Between Latin code pages its scores lie close and short samples mislead it,
 * so Windows-1252, what spreadsheets export, wins unless another leads it clearly.
 */
function singleByteEncoding(part: Buffer): string {
  const guesses = analyse(part)
    .map(({ name, confidence }) => ({ name: name === 'ISO-8859-1' ? 'windows-1252' : name.toLowerCase(), confidence }))
    .filter(({ name }) => !name.startsWith('utf') && isDecodable(name));
  const [best] = guesses;
  if (best === undefined || best.confidence < leastConfidence) return 'windows-1252';
  const western = guesses.find(({ name }) => name === 'windows-1252');
  return latin.test(best.name) && western !== undefined && best.confidence - western.confidence < 15
    ? 'windows-1252'
    : best.name;
}

export function isDecodable(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== '';
  } catch {
    return false;
  }
}

async function readAt(handle: FileHandle, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
