import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openWeights, writeSafetensors } from '../../../electron/engine/safetensors/index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weights-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const one = (name: string, ...values: number[]) =>
  new Map([[name, { shape: [values.length], data: Float32Array.from(values) }]]);
const index = (weightMap: unknown) =>
  writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: weightMap }));

it('opens a single file', async () => {
  await writeSafetensors(join(folder, 'model.safetensors'), one('a', 1, 2), { format: 'pt' });
  const weights = await openWeights(folder);
  expect(weights.bytes).toBe(8);
  expect(weights.metadata).toEqual({ format: 'pt' });
  expect(weights.entries.get('a')?.path).toBe(join(folder, 'model.safetensors'));
  expect([...(await weights.read('a')).data]).toEqual([1, 2]);
  await expect(weights.read('b')).rejects.toThrow(/no tensor "b"/);
});

it('opens shards by their index', async () => {
  await writeSafetensors(join(folder, 'model-00001-of-00002.safetensors'), one('a', 1));
  await writeSafetensors(join(folder, 'model-00002-of-00002.safetensors'), one('b', 2));
  await index({ b: 'model-00002-of-00002.safetensors', a: 'model-00001-of-00002.safetensors' });
  const weights = await openWeights(folder);
  expect([...weights.entries.keys()].sort()).toEqual(['a', 'b']);
  expect([...(await weights.read('b')).data]).toEqual([2]);
});

it.each([
  '../outside.safetensors',
  '/etc/outside.safetensors',
  'sub/outside.safetensors',
  '..\\outside.safetensors',
  'passwords.txt',
  '..',
])('refuses an index that points to %s', async (shard) => {
  await index({ a: shard });
  await expect(openWeights(folder)).rejects.toMatchObject({
    code: 'bad-file',
    message: expect.stringContaining('not a .safetensors file in its own folder'),
    context: { file: join(folder, 'model.safetensors.index.json') },
  });
});

it('names a missing shard, a tensor that is not in its shard, and an index that is none', async () => {
  await index({ a: 'model-1.safetensors' });
  await expect(openWeights(folder)).rejects.toMatchObject({
    message: expect.stringContaining('shard is missing'),
    context: { file: join(folder, 'model-1.safetensors') },
  });
  await writeSafetensors(join(folder, 'model-1.safetensors'), one('other', 1));
  await expect(openWeights(folder)).rejects.toThrow(/"a" is missing/);
  await index(['model-1.safetensors', 7]);
  await expect(openWeights(folder)).rejects.toThrow(/not an index of shards/);
  await writeFile(join(folder, 'model.safetensors.index.json'), '{');
  await expect(openWeights(folder)).rejects.toThrow(/not an index of shards/);
});

it('refuses pickled weights with the way out, and says what an empty folder lacks', async () => {
  await expect(openWeights(folder)).rejects.toMatchObject({
    code: 'bad-file',
    hint: expect.stringContaining('model.safetensors.index.json'),
  });
  await writeFile(join(folder, 'pytorch_model.bin'), 'PK\x03\x04');
  await expect(openWeights(folder)).rejects.toMatchObject({
    message: expect.stringContaining('pickled weights only'),
    hint: expect.stringContaining('safe_serialization=True'),
  });
  await expect(openWeights(join(folder, 'absent'))).rejects.toMatchObject({
    code: 'bad-file',
    message: expect.stringContaining('no such file'),
  });
});
