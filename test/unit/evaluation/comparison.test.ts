import { describe, expect, test } from 'vitest';
import { comparisonSchema, planSchema, type Run } from '../../../electron/contract/index.js';
import { buildComparison, macroF1, type RunWithRows } from '../../../electron/evaluation/index.js';
import { combinedInterval, tFactor } from '../../../electron/evaluation/intervals.js';
import { uniforms } from '../../helpers/tiny-model.js';
import { classScores } from '../../helpers/scores.js';

const rows = 2000;
const classes = 4;
const truth = Array.from({ length: rows }, (_, row) => row % classes);
const options = { dataset: 'data', model: 'base', objective: 'classification', measure: 'accuracy', zone: 1 } as const;
let nextId = 1;

interface Made {
  type: string;
  seed: number;
  skill: number;
  training?: Record<string, unknown>;
  state?: Run['state'];
  validation?: number;
  rowIds?: number[];
}

/** A run that is right with probability `skill`; predictions are noise of its seed and type. */
function made({ type, seed, skill, training = {}, state = 'finished', validation = 0.5, rowIds }: Made): RunWithRows {
  const next = uniforms(seed * 1000 + type.length);
  const ids = rowIds ?? truth.map((_, row) => row);
  const labels = ids.map((id) => id % classes);
  const predicted = labels.map((label) =>
    next() < skill ? label : (label + 1 + Math.floor(next() * (classes - 1))) % classes,
  );
  const accuracy = predicted.filter((one, row) => one === labels[row]).length / ids.length;
  const scores = { accuracy, macroF1: macroF1(labels, predicted), loss: 0.4 };
  const result = {
    test: scores,
    validation: { ...scores, accuracy: validation, macroF1: validation },
    bestStep: 1,
    trainableParameters: type === 'full' ? 1000 : 13,
    totalParameters: 1000,
    secondsPerStep: 0.1 * seed,
    tokensPerSecond: 100,
    peakMemoryBytes: 10 * seed,
    optimizerBytes: 5,
    checkpointBytes: 7,
    trainingSeconds: 9,
    steps: 10,
    stoppedEarly: false,
  };
  const id = nextId++;
  return {
    run: {
      id,
      projectId: 1,
      modelId: 1,
      datasetId: 1,
      modelName: 'base',
      datasetName: 'data',
      methodName: type,
      setting: type === 'lora' ? 'r 8' : '',
      seed,
      plan: planSchema.parse({ model: 'base', data: 'data', method: { type }, training: { ...training, seed } }),
      state,
      step: 10,
      totalSteps: 10,
      secondsLeft: null,
      device: 'cpu',
      createdAt: '',
      startedAt: null,
      endedAt: null,
      validation: null,
      result: state === 'finished' ? result : null,
      problem: null,
    },
    rows: {
      objective: 'classification',
      rowIds: ids,
      outcomes: labels.map((label, row) => ({ label, predicted: predicted[row] ?? 0 })),
    },
  };
}
const group = (type: string, skill: number, seeds: readonly number[], more: Partial<Made> = {}) =>
  seeds.map((seed) => made({ type, seed, skill, ...more }));

describe('buildComparison', () => {
  test('groups seeds, pairs with full fine-tuning, and its numbers are the formulas', async () => {
    const runs = [...group('lora', 0.8, [1, 2, 3]), ...group('full', 0.9, [3, 1, 2])];
    const comparison = await buildComparison(runs, options);
    expect(comparisonSchema.parse(comparison)).toEqual(comparison);
    const [full, lora] = comparison.rows;
    expect(full).toMatchObject({
      baseline: true,
      type: 'full',
      seeds: [1, 2, 3],
      difference: null,
      verdict: { kind: 'baseline' },
      share: 1,
    });
    expect(lora).toMatchObject({
      baseline: false,
      seeds: [1, 2, 3],
      difference: { pairedSeeds: 3 },
      share: 0.013,
      peakMemoryBytes: 30,
    });
    expect(lora?.secondsPerStep?.mean).toBeCloseTo(0.2, 12);
    const accuracy = (type: string, seed: number) =>
      100 *
      classScores(runs.find(({ run }) => run.plan.method.type === type && run.seed === seed)?.run.result?.test)
        .accuracy;
    const differences = [1, 2, 3].map((seed) => accuracy('lora', seed) - accuracy('full', seed));
    const mean = differences.reduce((sum, value) => sum + value, 0) / 3;
    const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2;
    expect(lora?.difference?.mean).toBeCloseTo(mean, 9);
    const { low = NaN, high = NaN } = lora?.difference?.interval ?? {};
    expect((low + high) / 2).toBeCloseTo(mean, 9);
    // Both sources count: wider than by rows alone, and than three seeds without rows would allow.
    expect(high - low).toBeGreaterThan(2 * tFactor(1999) * Math.sqrt(variance / 3));
    const seedsOnly = combinedInterval(mean, variance, 3, 0, rows);
    expect(Math.abs(high - low - (seedsOnly.high - seedsOnly.low))).toBeGreaterThan(1e-6);
    expect(lora?.verdict.text).toMatch(/^worse by \d+\.\d to \d+\.\d points$/);
    expect(comparison.sentences).toEqual([
      {
        kind: 'worse',
        text: `lora (r 8) against full fine-tuning: ${lora?.verdict.text}, training 1.3 % of the parameters.`,
      },
    ]);
    expect(comparison.method).toContain('paired by seed and test row (3 seeds)');
    expect(comparison.method).not.toContain('not adjusted');
  });

  test('order of runs and of test rows does not matter', async () => {
    const runs = [...group('lora', 0.85, [1, 2]), ...group('full', 0.86, [1, 2])];
    const turned = [...runs].reverse().map(({ run, rows: own }) => ({
      run,
      rows: own && { ...own, rowIds: Array.from(own.rowIds).reverse(), outcomes: [...own.outcomes].reverse() },
    }));
    expect(await buildComparison(turned, options)).toEqual(await buildComparison(runs, options));
  });

  test('equal runs lie within the zone with two seeds, but not with one', async () => {
    const same = (seeds: readonly number[]) =>
      [...group('full', 0.9, seeds), ...group('lora', 0.9, seeds)].map((entry, _, all) => ({
        ...entry,
        rows: all.find(({ run }) => run.seed === entry.run.seed)?.rows ?? null,
      }));
    expect((await buildComparison(same([1, 2]), options)).rows[1]?.verdict).toEqual({
      kind: 'within',
      text: 'within 1 point of full fine-tuning',
      moreSeeds: null,
    });
    const single = await buildComparison(same([1]), options);
    expect(single.rows[1]?.verdict).toMatchObject({ kind: 'undecided', moreSeeds: 2 });
    expect(single.rows[1]?.accuracy?.interval).toBeNull();
    expect(single.notes).toEqual([
      '1 difference rests on one seed: its interval covers other test rows, not other seeds.',
    ]);
  });

  test('without a baseline, or without one of the same seed, there is no difference', async () => {
    const alone = await buildComparison(group('lora', 0.8, [1, 2]), options);
    expect(alone.rows).toMatchObject([
      { difference: null, verdict: { kind: 'no-baseline', text: 'no baseline: full fine-tuning has not been run' } },
    ]);
    const apart = await buildComparison([...group('lora', 0.8, [1]), ...group('full', 0.8, [2])], options);
    expect(apart.rows[1]?.verdict.text).toBe('no baseline: full fine-tuning has no run of the same seed');
  });

  test('other settings are other rows; of several full fine-tunings validation chooses the baseline', async () => {
    const runs = [
      ...group('full', 0.95, [1, 2], { training: { learningRate: 0.01 }, validation: 0.6 }),
      ...group('full', 0.8, [1, 2], { training: { learningRate: 0.001 }, validation: 0.9 }),
      ...group('lora', 0.8, [1, 2], { training: { epochs: 1 } }),
      ...group('lora', 0.8, [3], { training: { epochs: 2 } }),
    ];
    const { rows: compared, notes, method } = await buildComparison(runs, options);
    expect(compared).toHaveLength(4);
    expect(compared[0]).toMatchObject({ baseline: true, runs: runs.slice(2, 4).map(({ run }) => run.id) });
    expect(notes).toContain('Of 2 settings of full fine-tuning the baseline is the one best on validation.');
    expect(method).toContain('not adjusted for 2 comparisons');
  });

  test('leaves out and says so: unfinished runs, repeated seeds, runs on other test rows', async () => {
    const runs = [
      ...group('full', 0.9, [1, 2]),
      ...group('lora', 0.9, [1, 2, 2]),
      made({ type: 'bitfit', seed: 1, skill: 0.9, state: 'failed' }),
      { ...made({ type: 'head', seed: 1, skill: 0.5 }), rows: null },
      made({ type: 'bottleneck', seed: 1, skill: 0.9, rowIds: [1, 2, 3] }),
    ];
    const { rows: compared, notes } = await buildComparison(runs, options);
    expect(notes).toEqual([
      '1 run is not finished and left out.',
      '1 run is left out for want of test predictions.',
      '1 run is left out because a later run has the same setting and seed.',
      '1 run was scored on other test rows and cannot be paired.',
    ]);
    expect(compared.find((row) => row.type === 'lora')?.runs).toHaveLength(2);
    expect(compared.find((row) => row.type === 'bottleneck')?.difference).toBeNull();
  });

  test('never holds runs on a few examples against full fine-tuning on all', async () => {
    const runs = [
      ...group('full', 0.9, [1, 2]),
      ...group('full', 0.6, [1, 2], { training: { examplesPerClass: 8 } }),
      ...group('lora', 0.6, [1, 2], { training: { examplesPerClass: 8 } }),
    ];
    const all = await buildComparison(runs, options);
    expect(all.rows.map(({ type, seeds }) => [type, seeds.length])).toEqual([['full', 2]]);
    expect(all.notes.join(' ')).toContain(
      '4 runs were trained on another number of examples a class (8) and left out.',
    );
    const few = await buildComparison(runs.slice(2), options);
    expect(few.rows.map(({ type, baseline }) => [type, baseline])).toEqual([
      ['full', true],
      ['lora', false],
    ]);
  });

  test('tells the peak memory of runs that had a process of their own', async () => {
    const shared = (run: RunWithRows): RunWithRows => ({
      ...run,
      run: { ...run.run, result: run.run.result && { ...run.run.result, sharedProcess: true, peakMemoryBytes: 500 } },
    });
    const [first, ...others] = group('full', 0.9, [1, 2, 3]);
    const mixed = await buildComparison([first as RunWithRows, ...others.map(shared)], options);
    expect(mixed.rows[0]?.peakMemoryBytes).toBe(10);
    const none = await buildComparison(others.map(shared), options);
    expect(none.rows[0]?.peakMemoryBytes).toBe(500);
    expect(none.notes.join(' ')).toContain('shared a process');
  });

  test('says how parameters that differ from stage to stage were counted', async () => {
    const staged = group('progressive', 0.9, [1, 2]).map((entry) => ({
      ...entry,
      run: { ...entry.run, result: entry.run.result && { ...entry.run.result, stages: 3 } },
    }));
    const { notes } = await buildComparison([...group('full', 0.9, [1, 2]), ...staged], options);
    expect(notes).toEqual([
      'progressive trains in stages: its trained parameters and optimizer are those of the largest stage that ran, its seconds a step the mean of all.',
    ]);
  });

  test('nothing to compare is an empty comparison', async () => {
    expect(await buildComparison([], options)).toMatchObject({ rows: [], sentences: [], testRows: 0 });
  });

  test('the interval covers the true difference about as often as it says', async () => {
    let covered = 0;
    const trials = 80;
    const next = uniforms(7);
    for (let trial = 0; trial < trials; trial += 1) {
      // Seeds differ in skill by a standard deviation of about 1 point; the true mean difference is 2 points.
      const seeds = [1, 2, 3].map((seed) => seed + trial * 10);
      const wobble = () => (next() + next() + next() - 1.5) * 0.02;
      const ids = Array.from({ length: 300 }, (_, row) => row);
      const runs = seeds.flatMap((seed) => [
        made({ type: 'full', seed, skill: 0.8 + wobble(), rowIds: ids }),
        made({ type: 'lora', seed, skill: 0.78 + wobble(), rowIds: ids }),
      ]);
      const interval = (await buildComparison(runs, options)).rows.find((row) => row.type === 'lora')?.difference
        ?.interval;
      if (interval && interval.low <= -2 && interval.high >= -2) covered += 1;
    }
    expect(covered / trials).toBeGreaterThan(0.88); // two standard errors below 0.95 with 80 trials are 0.90
  });
});
