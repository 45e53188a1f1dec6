import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { miniLm, writeModel } from '../../benchmarks/model.js';
import { openings, useRuntime, waySchema } from '../../benchmarks/runtime.js';
import { measure, type Work } from '../../benchmarks/worker.js';

describe('other ways to use the runtime', () => {
  let folder: string;
  let work: Work;
  let losses: number[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peft-studio-unit-'));
    await writeModel(folder, { ...miniLm, layers: 1, hiddenSize: 24, intermediateSize: 48, vocabularySize: 1100 });
    const method = { type: 'lora' };
    work = {
      folder,
      method,
      objective: 'classification',
      steps: 4,
      warmup: 0,
      batchSize: 3,
      lengths: [4, 9, 6, 5],
      threads: 1,
    };
    ({ losses } = await measure(work));
  });
  afterAll(() => {
    useRuntime(undefined);
    return rm(folder, { recursive: true, force: true });
  });

  it.each(waySchema.options)('trains the same with %s', async (way) => {
    expect(new Set(losses).size).toBe(4);
    const before = openings.count;
    const own = await measure({ ...work, way });
    own.losses.forEach((loss, step) => expect(loss).toBeCloseTo(losses[step] ?? NaN, 5));
    // One to be named by, and one each for sizes that differ.
    expect(openings.count - before).toBe(way === 'a graph for each size' ? 1 + 4 : 1);
  });

  it('computes what pads where rows are filled up', async () => {
    const filled = await measure({ ...work, filled: true });
    expect(filled.losses[0]).not.toBeCloseTo(losses[0] ?? NaN, 5);
  });
});
