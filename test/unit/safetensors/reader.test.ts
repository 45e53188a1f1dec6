import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../../electron/engine/errors.js';
import {
  readSafetensors,
  readSafetensorsHeader,
  readTensor,
  writeSafetensors,
} from '../../../electron/engine/safetensors/index.js';
import { oracleFolder, oracleTensors } from '../../helpers/oracle.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** A file with this header text and these many data bytes. */
async function file(header: string | object, dataBytes: number, claimed?: bigint): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(json.length));
  return raw(Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
}

let count = 0;
async function raw(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${(count += 1)}.safetensors`);
  await writeFile(path, bytes);
  return path;
}

it('names a tensor as long as the file in short', async () => {
  const name = 'x'.repeat(100_000);
  const path = await file({ [name]: { dtype: 'F32', shape: [1], data_offsets: [0, 8] } }, 8);
  const error: unknown = await readSafetensors(path).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EngineError);
  expect((error as EngineError).message.length).toBeLessThan(2100);
});

it.each([640, 896, 1152, 1408])(
  'a header of %i bytes is no pickle, though its length begins like one',
  async (length) => {
    const header = JSON.stringify({ __metadata__: {}, a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } });
    const { tensors } = await readSafetensors(await file(header.padEnd(length), 4));
    expect([...tensors.keys()]).toEqual(['a']);
  },
);

async function failure(path: string): Promise<EngineError> {
  const error: unknown = await readSafetensors(path).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof EngineError)) throw new Error(`expected an EngineError, got ${String(error)}`);
  expect(error.code).toBe('bad-file');
  expect(error.context).toEqual({ file: path });
  expect(error.message.startsWith(path)).toBe(true);
  expect(error.hint).toBeTruthy();
  return error;
}

const f32 = (shape: number[], from: number, to: number) => ({ dtype: 'F32', shape, data_offsets: [from, to] });

describe('what peft and transformers saved', () => {
  it('reads the values that the reference wrote', async () => {
    const { tensors } = await readSafetensors(
      join(oracleFolder, 'formats', 'peft-lora-bert', 'adapter_model.safetensors'),
    );
    const expected = oracleTensors('formats', 'peft-lora-bert', 'adapter_model.safetensors');
    expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, tensor] of expected) expect(tensors.get(name)).toEqual(tensor);
  });
});

describe('dtypes', () => {
  it('turns F16, BF16 and F64 into float32', async () => {
    const header = Buffer.from(
      JSON.stringify({
        half: { dtype: 'F16', shape: [4], data_offsets: [0, 8] },
        brain: { dtype: 'BF16', shape: [2], data_offsets: [8, 12] },
        double: { dtype: 'F64', shape: [1], data_offsets: [12, 20] },
      }),
    );
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const data = Buffer.alloc(20);
    [0x3c00, 0xc000, 0x0001, 0x7c00].forEach((bits, i) => data.writeUInt16LE(bits, 2 * i));
    [0x3f80, 0xc049].forEach((bits, i) => data.writeUInt16LE(bits, 8 + 2 * i));
    data.writeDoubleLE(0.1, 12);
    const { tensors } = await readSafetensors(await raw(Buffer.concat([length, header, data])));
    expect([...tensors.get('half')!.data]).toEqual([1, -2, 2 ** -24, Infinity]);
    expect([...tensors.get('brain')!.data]).toEqual([1, -3.140625]);
    expect([...tensors.get('double')!.data]).toEqual([Math.fround(0.1)]);
  });

  it('lists integer tensors but refuses to read them as float32', async () => {
    const path = await file({ position_ids: { dtype: 'I64', shape: [2], data_offsets: [0, 16] } }, 16);
    const { entries } = await readSafetensorsHeader(path);
    const entry = entries.get('position_ids')!;
    expect(entry).toMatchObject({ dtype: 'I64', shape: [2], length: 16 });
    await expect(readTensor(path, entry)).rejects.toThrow(/I64 values/);
  });

  it('reads a tensor without values and one without dimensions', async () => {
    const { tensors } = await readSafetensors(await file({ none: f32([0, 3], 0, 0), one: f32([], 0, 4) }, 4));
    expect(tensors.get('none')!.data).toHaveLength(0);
    expect(tensors.get('one')).toEqual({ shape: [], data: new Float32Array(1) });
  });
});

describe('files that lie', () => {
  it.each([
    ['an empty file', () => raw(Buffer.alloc(0)), /empty/],
    ['seven bytes', () => raw(Buffer.alloc(7)), /cut off/],
    ['a header longer than the file', () => file({}, 0, 1000n), /claims 1000 bytes/],
    ['a header over the limit', () => file({}, 0, 2n ** 60n), /at most 100000000/],
    ['no JSON', () => file('{"a": ', 0), /not JSON/],
    ['invalid UTF-8', () => raw(Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe])), /not JSON/],
    ['a JSON array', () => file('[]', 0), /not a JSON object/],
    ['an entry without shape', () => file({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4), /"a" is malformed/],
    ['a negative size', () => file({ a: f32([-1], 0, 4) }, 4), /"a" is malformed/],
    ['a fractional size', () => file({ a: f32([0.5], 0, 2) }, 2), /"a" is malformed/],
    ['an unknown dtype', () => file({ a: { dtype: 'Q4', shape: [1], data_offsets: [0, 4] } }, 4), /unknown dtype "Q4"/],
    [
      'a dtype named like a method of objects',
      () => file({ a: { dtype: 'constructor', shape: [1], data_offsets: [0, 4] } }, 4),
      /unknown dtype/,
    ],
    [
      'a shape larger than its bytes',
      () => file({ a: f32([3], 0, 8) }, 8),
      /takes 12 bytes, but the header gives it 8/,
    ],
    ['a shape whose product overflows', () => file({ a: f32([2 ** 40, 2 ** 40], 0, 8) }, 8), /takes/],
    ['bytes outside the file', () => file({ a: f32([4], 0, 16) }, 8), /claims bytes up to 16/],
    ['an end before its start', () => file({ a: f32([0], 4, 0) }, 4), /end \(0\) before/],
    ['an overlap', () => file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), /"b" overlap those of "a"/],
    ['a hole', () => file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /hole of 4 bytes before "b"/],
    ['bytes after the last tensor', () => file({ a: f32([1], 0, 4) }, 8), /tensors end at byte/],
    [
      'a name twice',
      () =>
        file(
          '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
          4,
        ),
      /names "a" twice/,
    ],
    [
      'a dtype twice',
      () => file('{"a":{"dtype":"F16","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      /names "dtype" twice/,
    ],
    ['metadata that is no table of texts', () => file({ __metadata__: { step: 1 } }, 0), /__metadata__/],
    ['a PyTorch archive', () => raw(Buffer.from('PK\x03\x04 and more')), /zip archive/],
    ['a pickle', () => raw(Buffer.from('\x80\x02}q\x00X\x05\x00\x00\x00', 'latin1')), /pickle/],
    [
      'a Git LFS pointer',
      () => raw(Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n')),
      /Git LFS pointer/,
    ],
    ['a web page', () => raw(Buffer.from('<!DOCTYPE html><html>')), /web page/],
    ['a file that is not there', async () => join(folder, 'absent.safetensors'), /no such file/],
    ['a folder', async () => folder, /folder, not a file/],
  ])('%s', async (_name, make, message) => {
    expect((await failure(await make())).message).toMatch(message);
  });

  it('does not mistake a tensor named like a quoted brace for structure', async () => {
    const { entries } = await readSafetensorsHeader(
      await file({ 'a{"b":"a{': f32([1], 0, 4), '"}': f32([1], 4, 8), __proto__x: f32([0], 8, 8) }, 8),
    );
    expect([...entries.keys()]).toEqual(['a{"b":"a{', '"}', '__proto__x']);
  });

  it('notices a file that was cut off after its header was read', async () => {
    const path = join(folder, 'shrinks.safetensors');
    await writeSafetensors(path, new Map([['a', { shape: [8], data: new Float32Array(8) }]]));
    const { entries } = await readSafetensorsHeader(path);
    await writeFile(path, (await readFile(path)).subarray(0, -4));
    await expect(readTensor(path, entries.get('a')!)).rejects.toThrow(/ends at byte/);
  });
});

describe('mutated real files', () => {
  it('are read or refused, never crash, hang or claim more than the file holds', async () => {
    const original = await readFile(join(oracleFolder, 'formats', 'adapterhub-pfeiffer-bert', 'adapter.safetensors'));
    const headerEnd = 8 + Number(original.readBigUInt64LE(0));
    const place = fc.oneof(
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 7 }) },
      { weight: 8, arbitrary: fc.integer({ min: 8, max: headerEnd - 1 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: original.length - 1 }) },
    );
    const edits = fc.array(
      fc.tuple(place, fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('0123456789{}[]",:')))),
      { minLength: 1, maxLength: 4 },
    );
    const path = join(folder, 'mutated.safetensors');
    await fc.assert(
      fc.asyncProperty(
        edits,
        fc.option(fc.integer({ min: 0, max: original.length }), { freq: 4 }),
        async (changes, cut) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of changes) bytes[at] = value;
          await writeFile(path, cut === null ? bytes : bytes.subarray(0, cut));
          try {
            const { tensors } = await readSafetensors(path);
            const read = [...tensors.values()].reduce((sum, tensor) => sum + tensor.data.byteLength, 0);
            // Half precision doubles when it becomes float32.
            expect(read).toBeLessThanOrEqual(2 * bytes.length);
          } catch (error) {
            expect(error).toBeInstanceOf(EngineError);
          }
        },
      ),
      { numRuns: 300, seed: 20261124 },
    );
  });
});
