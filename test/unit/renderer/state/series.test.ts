import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepMetric } from '../../../../electron/contract/index.js';
import { append, halve, recent, smooth } from '../../../../renderer/state/series.js';

const metric = (step: number, loss: number | null = 1, memoryBytes = 10): StepMetric => ({
  step,
  loss,
  learningRate: step / 10,
  gradientNorm: null,
  tokensPerSecond: 100 + step,
  memoryBytes,
  seconds: step,
});

describe('append', () => {
  it('leaves out what a resumed run tells again', () => {
    const first = append([], [metric(1), metric(2), metric(3)]);
    expect(append(first, [metric(2, 9), metric(3, 9), metric(4)]).map((point) => [point.step, point.loss])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
    ]);
  });
  it('never keeps more than its limit, and always the last step in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 2, max: 60 }), (count, limit) => {
        let points: StepMetric[] = [];
        for (let step = 1; step <= count; step += 1) points = append(points, [metric(step)], limit);
        expect(points.length).toBeLessThanOrEqual(limit);
        expect(points.at(-1)?.step).toBe(count);
        expect(points.every((point, i) => i === 0 || point.step > (points[i - 1]?.step ?? 0))).toBe(true);
      }),
    );
  });
});

describe('halve', () => {
  it('means what fluctuates, keeps the peak of memory and the later step', () => {
    expect(halve([metric(1, 2, 30), metric(2, 4, 10), metric(3, 5, 7)])).toEqual([
      { ...metric(2, 3, 30), tokensPerSecond: 101.5, seconds: 1.5 },
      metric(3, 5, 7),
    ]);
  });
  it('lets a missing loss not spoil its neighbour', () =>
    expect(halve([metric(1, null), metric(2, 4)])[0]?.loss).toBe(4));
});

describe('smooth', () => {
  it('starts at the first value and stays at a constant', () => {
    expect(smooth([5, 5, 5], 20)).toEqual([5, 5, 5].map((value) => expect.closeTo(value, 12)));
  });
  it('agrees with the corrected exponential mean by hand', () => {
    const [a = 0, b = 0] = smooth([1, 4], 3).map((value) => value ?? Number.NaN); // decay 1/2
    expect(a).toBeCloseTo(1, 12);
    expect(b).toBeCloseTo((0.25 * 1 + 0.5 * 4) / 0.75, 12);
  });
  it('carries the mean over missing values and has none before the first', () => {
    expect(smooth([null, 2, null], 5)).toEqual([null, expect.closeTo(2, 12), expect.closeTo(2, 12)]);
  });
});

describe('recent', () => {
  it('takes the last values only', () => {
    expect(recent([100, 1, 3], 2)).toEqual({ mean: 2, deviation: Math.SQRT2 });
    expect(recent([])).toBeNull();
    expect(recent([7])).toEqual({ mean: 7, deviation: 0 });
  });
});
