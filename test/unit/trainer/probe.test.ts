import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { trainingSchema, type Training } from '../../../electron/contract/plan.js';
import { probe, rangeOf, surveyRows } from '../../../electron/trainer/probe.js';
import { asJsonLines, makeTinyModel, tinyLabels, tinyRows } from '../../helpers/tiny-model.js';
import type { Batch, TrainerOptions } from '../../../electron/engine/index.js';
import { contextOf, ToyEngine } from './toy-engine.js';
import type { ToyTrainer } from './toy-trainer.js';

let folder: string;
let modelFolder: string;
const file = (name: string) => join(folder, `${name}.jsonl`);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-'));
  modelFolder = await makeTinyModel(join(folder, 'model'));
  await writeFile(file('train'), asJsonLines(tinyRows(100, 1)));
  await writeFile(file('validation'), asJsonLines(tinyRows(20, 2)));
});

const job = (training: Partial<Training> = {}, memoryLimitBytes: number | null = null) => ({
  type: 'probe' as const,
  memoryLimitBytes,
  task: {
    training: trainingSchema.parse({ epochs: 2, batchSize: 8, maxLength: 32, learningRate: 0.1, ...training }),
    method: { type: 'head' },
    modelFolder,
    objective: { type: 'classification' as const, labels: [...tinyLabels] },
    device: 'cpu' as const,
    threads: null,
    initFolder: null,
    data: { train: file('train'), validation: file('validation'), test: null },
  },
});

const textBytes = 200_000;
/** The toy as if it had frozen layers, whose rows take a millisecond each to compute. */
class KeepingEngine extends ToyEngine {
  keepFrozenBytes: number | undefined;
  readonly kept = new Set<string>();
  /** Rows of steps that were met for the first time there. */
  freshInSteps = 0;

  frozenPartOf() {
    return { layers: 1, rowFloats: textBytes / 4, perText: true };
  }

  override async createTrainer(options: TrainerOptions): Promise<ToyTrainer> {
    this.keepFrozenBytes = options.keepFrozenBytes;
    const trainer = await super.createTrainer(options);
    const { kept } = this;
    const fresh = ({ size, sequence, inputIds }: Batch) =>
      Array.from({ length: size }, (_, row) =>
        inputIds
          .subarray(row * sequence, (row + 1) * sequence)
          .filter(Boolean)
          .join(),
      ).filter((row) => !kept.has(row));
    const step = trainer.step.bind(trainer);
    return Object.defineProperty(
      Object.assign(trainer, {
        keep: async (batch: Batch) => {
          const rows = new Set(fresh(batch));
          await new Promise((done) => setTimeout(done, rows.size));
          for (const row of rows) kept.add(row);
        },
        step: (batches: readonly Batch[], rate: number) => {
          this.freshInSteps += batches.flatMap(fresh).length;
          return step(batches, rate);
        },
      }),
      'keptBytes',
      { get: () => kept.size * textBytes },
    );
  }
}

describe('probe', () => {
  it('measures real steps and counts the whole run', async () => {
    const engine = new ToyEngine();
    const result = await probe(job(), contextOf(), engine, 5e7);
    const { estimate } = result;
    expect(result.measured).toBe(true);
    expect(estimate).toMatchObject({
      totalSteps: 26,
      trainableParameters: engine.built[0]!.trainableParameters,
      fits: true,
      remedies: [],
    });
    expect(estimate.seconds.low).toBeGreaterThan(0);
    expect(estimate.seconds.high).toBeGreaterThan(estimate.seconds.low);
    expect(estimate.seconds.high).toBeGreaterThan(26 * estimate.secondsPerStep);
    expect(estimate.peakMemoryBytes).toBeGreaterThan(10e6);
    expect(estimate.diskBytes).toBeGreaterThan(0);
    expect(estimate.tokensPerSecond).toBeGreaterThan(0);
  });

  it('counts on what the run computes once a text: its memory, the pass that fills it, steps above it', async () => {
    const before = await probe(job(), contextOf(), new ToyEngine(), 5e7);
    const engine = new KeepingEngine();
    const { estimate } = await probe(job(), contextOf(), engine, 5e7);
    expect(engine.keepFrozenBytes).toBe(120 * textBytes);
    expect(engine.freshInSteps).toBe(0);
    const still = 120 - engine.kept.size;
    expect(still).toBeGreaterThanOrEqual(20);
    expect(estimate.peakMemoryBytes).toBeGreaterThanOrEqual(before.estimate.peakMemoryBytes + still * textBytes);
    // A millisecond a text at least.
    expect(estimate.seconds.low).toBeGreaterThan(0.1);
  });

  it('counts on none of it where no text comes again', async () => {
    const engine = new KeepingEngine();
    await probe(job({ epochs: 1 }), contextOf(), engine, 5e7);
    expect(engine.keepFrozenBytes).toBe(0);
  });

  it('counts the steps of all stages, the cheaper ones for less', async () => {
    const engine = new ToyEngine();
    const stage = { trains: '', epochs: 1, rate: 1 };
    engine.stages = {
      whenWorse: 'continue',
      stages: [
        { ...stage, cost: 1 },
        { ...stage, cost: 2 },
        { ...stage, cost: 3 },
      ],
    };
    const { estimate } = await probe(job({ epochs: 9 }), contextOf(), engine, 5e7);
    // Three stages of an epoch, whatever the plan's epochs.
    expect(estimate.totalSteps).toBe(39);
    expect(estimate.seconds.high).toBeGreaterThan(39 * estimate.secondsPerStep);
  });

  it('refuses what does not fit before it runs the whole batch, with remedies', async () => {
    const engine = new ToyEngine();
    const result = await probe(job({ batchSize: 64 }, 1e6), contextOf(), engine, 5e7);
    expect(result).toMatchObject({ measured: false, estimate: { fits: false } });
    expect(result.estimate.remedies.join(' ')).toContain('memory limit');
    // One row and half the batch were run; the whole was not.
    expect(engine.built[0]!.stepsDone).toBe(2);
  });

  it('can be cancelled, and names an empty split', async () => {
    await expect(
      probe(
        job(),
        contextOf({ cancelWhen: (event) => event.type === 'progress' && event.done === 3 }),
        new ToyEngine(),
        0,
      ),
    ).rejects.toMatchObject({ code: 'cancelled' });
    await writeFile(file('empty'), '');
    const empty = job();
    await expect(
      probe(
        { ...empty, task: { ...empty.task, data: { ...empty.task.data, train: file('empty') } } },
        contextOf(),
        new ToyEngine(),
        0,
      ),
    ).rejects.toMatchObject({ code: 'bad-data' });
  });
});

it('surveyRows counts all, samples evenly, finds the longest', async () => {
  const rows = tinyRows(5000, 3).map((row) => (row.id === 4321 ? { ...row, text: 'cat '.repeat(100) } : row));
  await writeFile(file('many'), asJsonLines(rows));
  const survey = await surveyRows(file('many'), 4, async () => undefined);
  expect(survey.rows).toBe(5000);
  expect(survey.longest).toHaveLength(4);
  expect(survey.longest[0]!.id).toBe(4321);
  expect(survey.sample.length).toBeGreaterThan(1000);
  expect(survey.sample.length).toBeLessThanOrEqual(2000);
  const gaps = new Set(survey.sample.slice(1).map((row, index) => row.id - survey.sample[index]!.id));
  expect([...gaps]).toEqual([4]);
});

it('rangeOf holds the mean, wider for scattered steps, a tenth at least', () => {
  expect(rangeOf([1, 1, 1])).toEqual([0.9, 1.1]);
  const [low, high] = rangeOf([0.5, 1, 1.5]);
  expect(low).toBeCloseTo(1 - 1 / Math.sqrt(3), 9);
  expect(high).toBeCloseTo(1 + 1 / Math.sqrt(3), 9);
});
