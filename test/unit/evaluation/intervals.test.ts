import { describe, expect, test } from 'vitest';
import {
  combinedError,
  combinedInterval,
  mean,
  meanWithInterval,
  variance,
} from '../../../electron/evaluation/intervals.js';
import { statistics } from './oracle.js';

describe('meanWithInterval', () => {
  test.each(statistics.tIntervals.map((one) => [one.values.length, one] as const))(
    "equals SciPy's t interval of %i values",
    (_, { values, ...expected }) => {
      const { mean: middle, interval } = meanWithInterval(values);
      expect(middle).toBeCloseTo(expected.mean, 12);
      expect(interval?.low).toBeCloseTo(expected.low, 10);
      expect(interval?.high).toBeCloseTo(expected.high, 10);
    },
  );

  test('one value has no interval; bounds are kept', () => {
    expect(meanWithInterval([0.9])).toEqual({ mean: 0.9, interval: null });
    expect(meanWithInterval([0.9, 0.99], { low: 0, high: 1 }).interval?.high).toBe(1);
  });
});

describe('combinedInterval', () => {
  test("without variance over rows it is SciPy's paired t interval over seeds", () => {
    const { method, baseline, low, high } = statistics.paired;
    const differences = method.map((score, seed) => score - (baseline[seed] ?? NaN));
    const interval = combinedInterval(mean(differences), variance(differences), differences.length, 0, 1000);
    expect(interval.low).toBeCloseTo(low, 10);
    expect(interval.high).toBeCloseTo(high, 10);
  });

  test("adds two sources as Welch's t test does", () => {
    const { a, b, degrees, low, high } = statistics.welch;
    const rowVariance = variance(b) / b.length;
    expect(combinedError(variance(a), a.length, rowVariance, b.length).degrees).toBeCloseTo(degrees, 9);
    const interval = combinedInterval(mean(a) - mean(b), variance(a), a.length, rowVariance, b.length);
    expect(interval.low).toBeCloseTo(low, 9);
    expect(interval.high).toBeCloseTo(high, 9);
  });

  test('no variance at all gives a point', () => {
    expect(combinedInterval(1.5, 0, 3, 0, 100)).toEqual({ low: 1.5, high: 1.5 });
  });
});
