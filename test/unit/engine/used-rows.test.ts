/** Word embeddings that train by the rows that were used: what an update of the whole table gives, bit for bit. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createTrainer,
  openModel,
  type Batch,
  type EngineTrainer,
  type NamedTensors,
  type OptimizerSpec,
} from '../../../electron/engine/index.js';
import { benchBatch, labels, lengthsOf, writeModel } from '../../benchmarks/model.js';

const table = 'bert.embeddings.word_embeddings.weight';
const [vocabularySize, hiddenSize] = [3000, 32];
const adamw: OptimizerSpec = { type: 'adamw', weightDecay: 0.1, gradientClip: null };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'used-rows-'));
  await writeModel(folder, { layers: 1, hiddenSize, heads: 2, intermediateSize: 64, vocabularySize });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const trainerOf = async (optimizer = adamw): Promise<EngineTrainer> =>
  createTrainer({
    model: await openModel(folder),
    method: { type: 'full' },
    objective: { type: 'classification', labels },
    optimizer,
    modelDropout: 0,
    seed: 1,
    device: 'cpu',
    threads: 1,
  });
const batchOf = (step: number): Batch => benchBatch(step, lengthsOf(step, 4, [3 + step, 9, 6]), vocabularySize);
/** Steps of one batch and of two in turn. */
async function train(trainer: EngineTrainer, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = from; step < to; step++) {
    const batches = step % 2 === 0 ? [batchOf(step)] : [batchOf(step), batchOf(step + 40)];
    losses.push((await trainer.step(batches, 0.01 * (step + 1))).loss);
  }
  return losses;
}
const rowOf = (parameters: NamedTensors, row: number) =>
  parameters.get(table)?.data.slice(row * hiddenSize, (row + 1) * hiddenSize) as Float32Array;

/** The same state with every row of the table in use. */
function dense(state: NamedTensors): NamedTensors {
  const shape = [vocabularySize, hiddenSize];
  const zeros = { shape, data: new Float32Array(vocabularySize * hiddenSize) };
  return new Map([
    ...state,
    [`rows/${table}`, { shape: [vocabularySize], data: Float32Array.from({ length: vocabularySize }, (_, i) => i) }],
    [`first/${table}`, zeros],
    [`second/${table}`, zeros],
  ]);
}

it.each([
  ['without clipping', null],
  ['with clipping', 0.05],
])('gives what an update of every row gives, %s', async (_, gradientClip) => {
  const [own, whole] = await Promise.all([
    trainerOf({ ...adamw, gradientClip }),
    trainerOf({ ...adamw, gradientClip }),
  ]);
  whole.loadState(dense(whole.saveState()));
  const start = own.parameters();
  const [losses, expected] = [await train(own, 0, 6), await train(whole, 0, 6)];
  const [ours, theirs] = [own.parameters(), whole.parameters()];
  const difference = (a: Float32Array, b: Float32Array) =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
  // The norm's sum is taken in another order.
  const most = gradientClip === null ? 0 : 1e-6;
  losses.forEach((loss, step) => expect(Math.abs(loss - (expected[step] as number))).toBeLessThanOrEqual(most));
  for (const [name, { data }] of ours)
    expect(difference(data, theirs.get(name)?.data as Float32Array)).toBeLessThanOrEqual(most);

  const used = new Set(own.saveState().get(`rows/${table}`)?.data);
  expect(used.size).toBeGreaterThan(50);
  expect(used.size).toBeLessThan(vocabularySize / 4);
  const idle = Array.from({ length: vocabularySize }, (__, row) => row).find((row) => !used.has(row)) as number;
  let kept = rowOf(start, idle);
  for (let step = 0; step < 6; step++) kept = kept.map((value) => value * Math.fround(1 - 0.001 * (step + 1)));
  expect(rowOf(ours, idle)).toEqual(kept);
  const [first] = batchOf(0).inputIds as unknown as [number];
  expect(difference(rowOf(ours, first), rowOf(start, first))).toBeGreaterThan(0.01);
  await own.dispose();
  await whole.dispose();
});

it('holds and saves moments of used rows alone, and resumes to the same numbers', async () => {
  const trainer = await trainerOf();
  const others = trainer.mostOptimizerBytes - 2 * 4 * vocabularySize * hiddenSize;
  expect(trainer.optimizerBytes).toBe(others);
  await train(trainer, 0, 3);
  const state = trainer.saveState();
  const count = state.get(`rows/${table}`)?.data.length as number;
  expect(state.get(`first/${table}`)?.shape).toEqual([count, hiddenSize]);
  expect(trainer.optimizerBytes).toBe(others + 2 * 4 * count * hiddenSize);
  const expected = await train(trainer, 3, 7);
  const resumed = await trainerOf();
  // What it did before is forgotten.
  await train(resumed, 10, 12);
  resumed.loadState(state);
  expect(await train(resumed, 3, 7)).toEqual(expected);
  expect(resumed.parameters()).toEqual(trainer.parameters());
  expect(() =>
    resumed.loadState(new Map([...state, [`rows/${table}`, { shape: [1], data: Float32Array.of(1) }]])),
  ).toThrow(/used rows/);
  await trainer.dispose();
  await resumed.dispose();
});

it('goes on from parameters that are put back', async () => {
  const [once, again] = await Promise.all([trainerOf(), trainerOf()]);
  for (const trainer of [once, again]) await train(trainer, 0, 2);
  const best = once.parameters();
  await train(once, 2, 3);
  once.loadParameters(best);
  expect(once.parameters()).toEqual(best);
  const [first] = batchOf(0).inputIds as unknown as [number];
  await train(once, 3, 4);
  const moved = rowOf(once.parameters(), first);
  await train(again, 2, 3);
  again.loadParameters(best);
  await train(again, 3, 4);
  expect(rowOf(again.parameters(), first)).toEqual(moved);
  expect(moved).not.toEqual(rowOf(best, first));
  await once.dispose();
  await again.dispose();
});

it('updates every row where idle ones get moments too: momentum over a coupled decay', async () => {
  const shapeOf = async (optimizer: OptimizerSpec) => {
    const trainer = await trainerOf(optimizer);
    await train(trainer, 0, 1);
    const shape = trainer.saveState().get(`momentum/${table}`)?.shape;
    await trainer.dispose();
    return shape;
  };
  const sgd = { type: 'sgd', gradientClip: null, momentum: 0.9 } as const;
  expect(await shapeOf({ ...sgd, weightDecay: 0.1 })).toEqual([vocabularySize, hiddenSize]);
  expect((await shapeOf({ ...sgd, weightDecay: 0 }))?.[0]).toBeLessThan(100);
  expect((await shapeOf({ ...sgd, momentum: 0, weightDecay: 0.1 }))?.[0]).toBeLessThan(100);
});
