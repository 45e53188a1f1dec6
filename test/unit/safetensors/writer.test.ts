import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { float16ToFloat32, float32ToFloat16 } from '../../../electron/engine/safetensors/float16.js';
import {
  readSafetensors,
  readSafetensorsHeader,
  sweepTemporaries,
  writeSafetensors,
} from '../../../electron/engine/safetensors/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

it('gives back what it wrote, in order, with an aligned header', async () => {
  const path = join(folder, 'round.safetensors');
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(
        fc.record({
          name: fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && !/^\d+$/.test(name)),
          values: fc.float32Array({ maxLength: 20 }),
        }),
        { selector: ({ name }) => name, maxLength: 5 },
      ),
      fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        fc.string(),
        { maxKeys: 3, noNullPrototype: true },
      ),
      async (list, metadata) => {
        const tensors = new Map(list.map(({ name, values }) => [name, { shape: [values.length], data: values }]));
        await writeSafetensors(path, tensors, metadata);
        const read = await readSafetensors(path);
        expect([...read.tensors.keys()]).toEqual([...tensors.keys()]);
        for (const [name, tensor] of tensors) expect(read.tensors.get(name)).toEqual(tensor);
        expect(read.metadata).toEqual(metadata);
        expect(Number((await readFile(path)).readBigUInt64LE(0)) % 8).toBe(0);
      },
    ),
    { numRuns: 40, seed: 1 },
  );
});

it('brings values when their turn comes and stores float16 in half the bytes', async () => {
  const path = join(folder, 'half.safetensors');
  const asked: string[] = [];
  const values = (name: string) => async () => {
    asked.push(name);
    return Float32Array.of(1, 0.1, -65504);
  };
  await writeSafetensors(
    path,
    ['b', 'a'].map((name) => ({ name, shape: [3], dtype: 'F16', data: values(name) })),
  );
  expect(asked).toEqual(['b', 'a']);
  expect((await readSafetensorsHeader(path)).entries.get('a')).toMatchObject({ dtype: 'F16', length: 6 });
  expect([...(await readSafetensors(path)).tensors.get('a')!.data]).toEqual([1, 0.0999755859375, -65504]);
});

it('rounds every float16 to itself, and what lies between to the nearest, ties to even', () => {
  const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
  const back = float32ToFloat16(float16ToFloat32(all));
  for (const bits of all) {
    const isNaN = (bits & 0x7fff) > 0x7c00;
    expect(isNaN ? (back[bits]! & 0x7fff) > 0x7c00 : back[bits] === bits).toBe(true);
  }
  for (let bits = 0; bits < 0x7bff; bits += 1) {
    const [low, high] = float16ToFloat32(Uint16Array.of(bits, bits + 1));
    const middle = (low! + high!) / 2; // exact in float32
    const even = bits % 2 === 0 ? bits : bits + 1;
    const above = Math.fround(middle * (1 + 2 ** -20)),
      below = Math.fround(middle * (1 - 2 ** -20));
    const got = float32ToFloat16(Float32Array.of(middle, -middle, above, below));
    if (got[0] !== even || got[1] !== (even | 0x8000) || got[2] !== bits + 1 || got[3] !== bits)
      throw new Error(`wrong near ${middle}: ${[...got].join(' ')}`);
  }
  expect([...float32ToFloat16(Float32Array.of(65519.99, 65520, 1e9, 0, -0, 2 ** -25, 2 ** -26))]).toEqual([
    0x7bff, 0x7c00, 0x7c00, 0, 0x8000, 0, 0,
  ]);
});

it('refuses what cannot be written and leaves the old file and nothing else', async () => {
  const own = await mkdtemp(join(folder, 'own-'));
  const path = join(own, 'model.safetensors');
  await writeFile(path, 'old');
  const tensor = { name: 'a', shape: [2], dtype: 'F32' as const, data: Float32Array.of(1, 2) };
  await expect(writeSafetensors(path, [{ ...tensor, shape: [3] }])).rejects.toMatchObject({
    code: 'bad-input',
    context: { tensor: 'a' },
  });
  await expect(writeSafetensors(path, [tensor, tensor])).rejects.toThrow(/name is taken/);
  await expect(writeSafetensors(path, [{ ...tensor, dtype: 'F16', data: Float32Array.of(1, 1e6) }])).rejects.toThrow(
    /too large for float16/,
  );
  await expect(
    writeSafetensors(path, [
      tensor,
      {
        ...tensor,
        name: 'b',
        data: () => {
          throw new Error('lost');
        },
      },
    ]),
  ).rejects.toThrow('lost');
  expect(await readdir(own)).toEqual(['model.safetensors']);
  expect(await readFile(path, 'utf8')).toBe('old');
});

it('sweeps only what killed writers left, and nothing where no folder is', async () => {
  const left = join(folder, 'left');
  await mkdir(left);
  for (const name of ['a.txt', 'a.txt.123.tmp', 'notes.tmp']) await writeFile(join(left, name), '');
  await sweepTemporaries(left);
  expect((await readdir(left)).sort()).toEqual(['a.txt', 'notes.tmp']);
  await sweepTemporaries(join(left, 'nowhere'));
});
