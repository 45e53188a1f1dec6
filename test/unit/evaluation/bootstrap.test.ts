import { describe, expect, test } from 'vitest';
import { rowIntervals, rowVariances, weightedMean } from '../../../electron/evaluation/bootstrap.js';
import type { RowScore } from '../../../electron/evaluation/tasks/task.js';
import { ClassCounts } from '../../../electron/evaluation/scores.js';
import { meanWithInterval } from '../../../electron/evaluation/index.js';
import { statistics } from './oracle.js';

const { labels, method, baseline, macroF1, accuracy, macroF1Interval: expectedInterval } = statistics.bootstrap;
const counts = new ClassCounts(4);
const scoreOf =
  (predicted: readonly number[], measure: 'macroF1' | 'accuracy'): RowScore =>
  (times) => {
    counts.clear();
    labels.forEach((label, row) => counts.add(label, predicted[row] ?? 0, times?.[row] ?? 1));
    return counts[measure]();
  };
const pairsIn = (measure: 'macroF1' | 'accuracy') =>
  method.map((predicted, index) => ({
    method: scoreOf(predicted, measure),
    baseline: scoreOf(baseline[index] ?? [], measure),
  }));

describe('rowVariances', () => {
  test.each([
    ['macroF1', macroF1],
    ['accuracy', accuracy],
  ] as const)("%s: the standard error is SciPy's bootstrap's", async (measure, expected) => {
    const [variance = NaN] = await rowVariances(labels.length, [pairsIn(measure)], 1);
    // 1,000 against 4,000 resamples: the error of a standard error is about 2.5 %.
    expect(Math.sqrt(variance) / expected.standardError).toBeGreaterThan(0.92);
    expect(Math.sqrt(variance) / expected.standardError).toBeLessThan(1.08);
  });

  test('is a function of its seed, and each comparison has its own', async () => {
    const pairs = pairsIn('accuracy');
    const [first] = await rowVariances(labels.length, [pairs], 7);
    const both = await rowVariances(labels.length, [pairs, pairs.slice(0, 1), []], 7);
    expect(both[0]).toBe(first);
    expect(both[1]).toBeGreaterThan(both[0] ?? Infinity);
    expect(both[2]).toBe(0);
    expect(await rowVariances(labels.length, [pairs], 8)).not.toEqual([first]);
  });

  test('a run against itself does not vary', async () => {
    expect(
      await rowVariances(
        labels.length,
        [pairsIn('macroF1').map((pair) => ({ method: pair.method, baseline: pair.method }))],
        1,
      ),
    ).toEqual([0]);
  });
});

describe('rowIntervals', () => {
  const losses = labels.map((_, row) => (row % 7) / 3);
  const predicted = method[0] ?? [];
  const intervalsOf = (answers: readonly number[]) =>
    rowIntervals(labels.length, (times) => ({
      macroF1: scoreOf(answers, 'macroF1')(times),
      accuracy: scoreOf(answers, 'accuracy')(times),
      loss: weightedMean(losses, times),
    }));

  test("macro F1: SciPy's percentile interval", () => {
    const interval = intervalsOf(predicted)?.macroF1;
    // The ends of 1,000 resamples scatter by about a thirtieth of the interval's width.
    const tolerance = (expectedInterval.high - expectedInterval.low) / 8;
    expect(Math.abs((interval?.low ?? 0) - expectedInterval.low)).toBeLessThan(tolerance);
    expect(Math.abs((interval?.high ?? 0) - expectedInterval.high)).toBeLessThan(tolerance);
  });

  test('accuracy and loss, means over rows: about the middle, two standard errors wide', () => {
    const intervals = intervalsOf(predicted);
    const right = labels.map((label, row) => (label === predicted[row] ? 1 : 0));
    for (const [measure, values] of [
      ['accuracy', right],
      ['loss', losses],
    ] as const) {
      const { mean: middle, interval } = meanWithInterval(values);
      const width = (interval?.high ?? 0) - (interval?.low ?? 0);
      expect(Math.abs((intervals?.[measure].low ?? 0) + width / 2 - middle)).toBeLessThan(width / 8);
      expect(Math.abs((intervals?.[measure].high ?? 0) - width / 2 - middle)).toBeLessThan(width / 8);
    }
  });

  test('is the same each time, one point where every row is right, and none for a single row', () => {
    expect(intervalsOf(predicted)).toEqual(intervalsOf(predicted));
    expect(intervalsOf(labels)?.macroF1).toEqual({ low: 1, high: 1 });
    expect(rowIntervals(1, () => ({ loss: 0 }))).toBeNull();
  });
});
