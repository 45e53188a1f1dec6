import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combinedInterval } from '../../../electron/evaluation/intervals.js';
import { measureKinds } from '../../../electron/evaluation/measures.js';
import { seedsToDecide, verdictOn, type Difference } from '../../../electron/evaluation/verdict.js';

const difference = (low: number, high: number, more: Partial<Difference> = {}): Difference => ({
  mean: (low + high) / 2,
  interval: { low, high },
  kind: measureKinds.macroF1,
  seeds: 3,
  seedVariance: 0.1,
  rowVariance: 0.01,
  rows: 1000,
  ...more,
});

describe('verdictOn', () => {
  test.each([
    [-0.9, 0.4, 1, 'within 1 point of full fine-tuning'],
    [-1.4, 1.9, 2, 'within 2 points of full fine-tuning'],
    [-0.9, -0.2, 1, 'within 1 point of full fine-tuning'],
    [-4, -2.1, 1, 'worse by 2.1 to 4.0 points'],
    [-3.96, -2.14, 1, 'worse by 2.1 to 4.0 points'],
    [0.55, 3.01, 1, 'better by 0.5 to 3.1 points'],
    [0.04, 3, 1, 'better by 0.04 to 3.0 points'],
    [-3, -0.004, 1, 'worse by up to 3.0 points'],
  ])('[%f, %f] with a zone of %i: %s', (low, high, zone, text) => {
    expect(verdictOn(difference(low, high), zone).text).toBe(text);
  });

  test('undecided names the number of seeds that would decide', () => {
    const [seedVariance, rowVariance, rows] = [1, 0.01, 3000];
    const interval = combinedInterval(-0.2, seedVariance, 3, rowVariance, rows);
    const verdict = verdictOn(
      { mean: -0.2, interval, kind: measureKinds.macroF1, seeds: 3, seedVariance, rowVariance, rows },
      1,
    );
    expect(verdict.kind).toBe('undecided');
    expect(verdict.text).toBe(`cannot tell yet, about ${verdict.moreSeeds} more seeds would decide`);
    const total = 3 + (verdict.moreSeeds ?? 0);
    const decided = (seeds: number) => combinedInterval(-0.2, seedVariance, seeds, rowVariance, rows).low >= -1;
    expect([decided(total - 1), decided(total)]).toEqual([false, true]);
  });

  test('says when seeds cannot help: the test rows are too few', () => {
    const verdict = verdictOn(difference(-3, 1.5, { mean: -0.75, seedVariance: 0.01, rowVariance: 1.2, rows: 120 }), 1);
    expect(verdict).toEqual({
      kind: 'undecided',
      text: 'cannot tell, and more seeds would not decide it: 120 test rows are too few',
      moreSeeds: null,
    });
  });

  test('one seed is never within, and its difference is named as its own', () => {
    expect(verdictOn(difference(-0.3, 0.2, { seeds: 1, seedVariance: 0 }), 1)).toMatchObject({
      kind: 'undecided',
      moreSeeds: 2,
    });
    expect(verdictOn(difference(-9.7, -6.2, { seeds: 1, seedVariance: 0 }), 1).text).toBe(
      'worse by 6.2 to 9.7 points on this one seed',
    );
  });

  test('never says more than the interval does', () => {
    const point = fc.double({ min: -20, max: 20, noNaN: true });
    fc.assert(
      fc.property(
        point,
        point,
        fc.double({ min: 0.1, max: 5, noNaN: true }),
        fc.integer({ min: 1, max: 8 }),
        (a, b, zone, seeds) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          const { kind, text } = verdictOn(difference(low, high, { seeds }), zone);
          if (kind === 'within') expect(seeds > 1 && low >= -zone && high <= zone).toBe(true);
          if (kind === 'worse' || kind === 'better') {
            expect(kind === 'worse' ? high < 0 : low > 0).toBe(true);
            const numbers = [...text.matchAll(/\d+\.\d+/g)].map(([number]) => Number(number));
            const [near, far] = numbers.length === 2 ? numbers : [0, numbers[0]];
            expect(near).toBeLessThanOrEqual(Math.min(Math.abs(low), Math.abs(high)) + 1e-8);
            expect(far).toBeGreaterThanOrEqual(Math.max(Math.abs(low), Math.abs(high)) - 1e-8);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('seedsToDecide never promises seeds that leave the answer open', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -4, max: 4, noNaN: true }),
      fc.double({ min: 0.001, max: 4, noNaN: true }),
      fc.integer({ min: 2, max: 6 }),
      fc.double({ min: 0.0001, max: 1, noNaN: true }),
      (mean, seedVariance, seeds, rowVariance) => {
        const more = seedsToDecide(
          {
            mean,
            interval: { low: 0, high: 0 },
            kind: measureKinds.macroF1,
            seeds,
            seedVariance,
            rowVariance,
            rows: 500,
          },
          1,
        );
        if (more === null) return;
        const { low, high } = combinedInterval(mean, seedVariance, seeds + more, rowVariance, 500);
        expect((low >= -1 && high <= 1) || high < 0 || low > 0).toBe(true);
      },
    ),
  );
});
