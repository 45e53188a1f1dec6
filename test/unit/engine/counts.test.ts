import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { countParameters, listMethods, mapParameters, openModel } from '../../../electron/engine/index.js';
import { specOf } from '../../helpers/methods.js';
import { makeTinyModel } from '../../helpers/tiny-model.js';

let modelFolder: string;
beforeAll(async () => {
  modelFolder = await makeTinyModel(join(await mkdtemp(join(tmpdir(), 'count-')), 'model'));
});

const count = async (method: { type: string; [option: string]: unknown }) =>
  countParameters({
    model: await openModel(modelFolder),
    method,
    objective: { type: 'classification', labels: ['a', 'b', 'c'] },
  });
// BERT of the helper: width 32, 2 layers, feed-forward 64, 130 words, 64 positions.
const layer = 4 * (32 * 32 + 32) + (64 * 32 + 64) + (32 * 64 + 32) + 2 * (32 + 32);
const head = 32 * 3 + 3;

describe('countParameters', () => {
  it('LoRA: A and B of each chosen linear layer, and the head', async () => {
    const result = await count({ type: 'lora', rank: 4, alpha: 8, targetModules: ['query', 'value'] });
    const perLayer = 2 * (4 * 32 + 32 * 4);
    expect(result).toMatchObject({ trainable: 2 * perLayer + head, head });
    expect(result.groups.find((group) => group.name === 'layer 1')).toEqual({
      name: 'layer 1',
      frozen: layer,
      trainable: perLayer,
    });
    expect(result.groups.map((group) => group.name)).toEqual(['embeddings', 'layer 0', 'layer 1', 'other', 'head']);
  });

  it('of stages: what each trains, and what any does', async () => {
    const { trainable, total, stages } = await count({ type: 'progressive' });
    expect(trainable).toBe(total);
    expect(stages).toEqual([
      { trains: 'embeddings, block 2 of 2, head', trainable: total - layer },
      { trains: 'embeddings, all 2 blocks, head', trainable: total },
    ]);
    expect((await count({ type: 'full' })).stages).toEqual([]);
  });

  it('full trains all, the head only itself, and both agree on the total', async () => {
    const [full, probe] = [await count({ type: 'full' }), await count({ type: 'head' })];
    expect(full.trainable).toBe(full.total);
    expect(full.groups.every((group) => group.frozen === 0)).toBe(true);
    expect(probe).toMatchObject({ trainable: head, total: full.total });
    expect(full.total).toBe(full.groups.reduce((sum, group) => sum + group.trainable, 0));
  });

  it('names an option that is not allowed', async () => {
    await expect(count({ type: 'lora', rank: 0 })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('method.rank'),
    });
    await expect(count({ type: 'telepathy' })).rejects.toMatchObject({ message: expect.stringContaining('telepathy') });
  });
});

describe('mapParameters', () => {
  const map = async (method: { type: string; [option: string]: unknown }) =>
    mapParameters({
      model: await openModel(modelFolder),
      method,
      objective: { type: 'classification', labels: ['a', 'b', 'c'] },
    });

  it('stands what is added beside the module it belongs to, and names modules by what chooses them', async () => {
    const groups = await map({ type: 'lora', rank: 4, targetModules: ['query', 'intermediate.dense'] });
    expect(groups.map(({ name, kind }) => [name, kind])).toEqual([
      ['embeddings', 'embeddings'],
      ['layer 0', 'layer'],
      ['layer 1', 'layer'],
      ['other', 'other'],
      ['head', 'head'],
    ]);
    const modules = groups[1]?.modules ?? [];
    expect(modules.filter(({ linear }) => linear).map(({ label }) => label)).toEqual([
      'query',
      'key',
      'value',
      'attention.output.dense',
      'intermediate.dense',
      'output.dense',
    ]);
    expect(modules[0]?.tensors.map(({ name, state }) => [name.split('.').slice(-2).join('.'), state])).toEqual([
      ['query.weight', 'frozen'],
      ['query.bias', 'frozen'],
      ['lora_A.weight', 'added'],
      ['lora_B.weight', 'added'],
    ]);
    expect(modules.filter(({ tensors }) => tensors.some(({ state }) => state === 'added')).length).toBe(2);
  });

  it.each(listMethods().map(({ type }) => type))('agrees with the counts for %s', async (type) => {
    const [groups, counts] = [await map(specOf(type)), await count(specOf(type))];
    const sum = (states: readonly string[]) =>
      groups
        .flatMap(({ modules }) => modules.flatMap(({ tensors }) => tensors))
        .filter(({ state }) => states.includes(state))
        .reduce((total, { shape }) => total + shape.reduce((a, d) => a * d, 1), 0);
    expect(sum(['trained', 'added'])).toBe(counts.trainable);
    expect(sum(['frozen', 'trained', 'added', 'fixed'])).toBe(counts.total);
  });
});
