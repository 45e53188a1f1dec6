import { describe, expect, test } from 'vitest';
import { rowVariances } from '../../../electron/evaluation/bootstrap.js';
import { statistics } from './oracle.js';

const { labels, method, baseline, macroF1, accuracy } = statistics.bootstrap;
const pairs = method.map((predicted, index) => ({ method: predicted, baseline: baseline[index] ?? [] }));

describe('rowVariances', () => {
  test.each([
    ['macroF1', macroF1],
    ['accuracy', accuracy],
  ] as const)("%s: the standard error is SciPy's bootstrap's", async (measure, expected) => {
    const [variance = NaN] = await rowVariances(labels, [pairs], 4, measure, 1);
    // 1,000 against 4,000 resamples: the error of a standard error is about 2.5 %.
    expect(Math.sqrt(variance) / expected.standardError).toBeGreaterThan(0.92);
    expect(Math.sqrt(variance) / expected.standardError).toBeLessThan(1.08);
  });

  test('is a function of its seed, and each comparison has its own', async () => {
    const [first] = await rowVariances(labels, [pairs], 4, 'accuracy', 7);
    const both = await rowVariances(labels, [pairs, pairs.slice(0, 1), []], 4, 'accuracy', 7);
    expect(both[0]).toBe(first);
    expect(both[1]).toBeGreaterThan(both[0] ?? Infinity);
    expect(both[2]).toBe(0);
    expect(await rowVariances(labels, [pairs], 4, 'accuracy', 8)).not.toEqual([first]);
  });

  test('a run against itself does not vary', async () => {
    expect(
      await rowVariances(
        labels,
        [pairs.map((pair) => ({ method: pair.method, baseline: pair.method }))],
        4,
        'macroF1',
        1,
      ),
    ).toEqual([0]);
  });
});
