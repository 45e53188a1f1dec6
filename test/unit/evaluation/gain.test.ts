import { expect, it } from 'vitest';
import { planSchema, runResultSchema, type Run } from '../../../electron/contract/index.js';
import { testGain, validationGain, type RunWithRows } from '../../../electron/evaluation/index.js';

const rows = 400;
const scores = { objective: 'classification', loss: 0.5, accuracy: 0.5, macroF1: 0.5 } as const;

/** A run on rows of two classes that is right where `right` says so. */
function made(id: number, right: (row: number) => boolean, first = 0): RunWithRows {
  const result = runResultSchema.parse({
    test: scores,
    validation: scores,
    bestStep: 1,
    trainableParameters: 1,
    totalParameters: 1,
    secondsPerStep: 1,
    tokensPerSecond: 1,
    peakMemoryBytes: 1,
    optimizerBytes: 1,
    checkpointBytes: 1,
    trainingSeconds: 1,
    steps: 1,
    stoppedEarly: false,
  });
  const plan = planSchema.parse({ model: 'm', data: 'd', method: { type: 'full' } });
  const run = { id, state: 'finished', plan, result, seed: 1, modelId: 1, datasetId: 1 } as Run;
  const rowIds = Array.from({ length: rows }, (_, row) => first + row);
  const outcomes = rowIds.map((_, row) => ({ label: row % 2, predicted: right(row) ? row % 2 : 1 - (row % 2) }));
  return { run, rows: { objective: 'classification', rowIds, outcomes } };
}

it('is the difference on the same rows, with the interval of paired resampling', () => {
  // The later one is right on the same rows and on 40 more: of 400 rows 10 points.
  const former = made(1, (row) => row % 10 >= 5);
  const later = made(2, (row) => row % 10 >= 4);
  const gain = testGain(former, later, 'accuracy');
  expect(gain).toMatchObject({ measure: 'accuracy', unit: 'points' });
  expect(gain?.mean).toBeCloseTo(10, 10);
  // A paired difference of 0 or 1 a row: √(0.1 · 0.9 / 400) = 1.5 points; unpaired it would be 3.5.
  const { low = 0, high = 0 } = gain?.interval ?? {};
  expect(low).toBeGreaterThan(10 - 2.3 * 1.5);
  expect(low).toBeLessThan(10 - 1.6 * 1.5);
  expect(high).toBeGreaterThan(10 + 1.6 * 1.5);
  expect(high).toBeLessThan(10 + 2.3 * 1.5);
  expect(testGain(later, former, 'accuracy')?.mean).toBeCloseTo(-10, 10);
  expect(testGain(former, former, 'macroF1')).toMatchObject({ mean: 0, interval: { low: 0, high: 0 } });
});

it('is null on other rows', () => {
  expect(
    testGain(
      made(1, () => true),
      made(2, () => true, 7),
      'accuracy',
    ),
  ).toBeNull();
  expect(
    testGain(
      made(1, () => true),
      { ...made(2, () => true), rows: null },
      'accuracy',
    ),
  ).toBeNull();
});

it('of validation has no interval; of perplexities it is in percent, above zero where they fell', () => {
  expect(validationGain(scores, { ...scores, macroF1: 0.52 }, 'macroF1')?.mean).toBeCloseTo(2, 10);
  const [before, after] = [2, 1.9].map((loss) => ({
    objective: 'masked-lm' as const,
    loss,
    perplexity: Math.exp(loss),
  }));
  const gain = validationGain(before, after, 'perplexity');
  expect(gain).toMatchObject({ unit: '%', interval: null });
  expect(gain?.mean).toBeCloseTo(100 * (1 - Math.exp(-0.1)), 10);
  expect(validationGain(null, scores, 'macroF1')).toBeNull();
});
