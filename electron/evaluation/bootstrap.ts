/** How much a score, or a difference of scores, would vary on other rows: the bootstrap over rows, the same rows for every run. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { confidence, mean, variance, type Interval } from './intervals.js';
import type { RowScore } from './tasks/task.js';

/** Two runs on the same rows. */
export interface ScoredPair {
  readonly method: RowScore;
  readonly baseline: RowScore;
}

const resamples = { most: 1000, least: 200 };
/** Row visits that take about a second. */
export const work = 2e8;
export const millisecondsAtOnce = 20;

/** 1,000 resamples, fewer (not below 200) where more visits than `limit` would come together. */
export const resamplesWithin = (visits: number, limit: number) =>
  Math.max(resamples.least, Math.min(resamples.most, Math.floor(limit / visits)));

export type Generator = ReturnType<typeof xoroshiro128plus>;

/** Draws as many rows as there are, with replacement: how often each came. */
export function drawRows(generator: Generator, drawn: Uint16Array): void {
  drawn.fill(0);
  for (let draw = 0; draw < drawn.length; draw += 1) {
    const row = uniformInt(generator, 0, drawn.length - 1);
    drawn[row] = (drawn[row] ?? 0) + 1;
  }
}

/**
 * 95 % intervals of one run's scores over the rows: percentiles of the bootstrap, always the same for the same rows.
 * They say how far other rows of the same kind could move a score, and nothing of other seeds. Null below two rows.
 * Takes some milliseconds for thousands of rows, a fifth of a second for a hundred thousand.
 * @param scoresOf the scores of rows that were drawn so many times each
 */
export function rowIntervals<K extends string>(
  rows: number,
  scoresOf: (times: ArrayLike<number>) => Readonly<Record<K, number>>,
): Record<K, Interval> | null {
  if (rows < 2) return null;
  const generator = xoroshiro128plus(1);
  const drawn = new Uint16Array(rows);
  const sampled = Array.from({ length: resamplesWithin(rows, work / 10) }, () => {
    drawRows(generator, drawn);
    return scoresOf(drawn);
  });
  const names = Object.keys(sampled[0] ?? {}) as K[];
  return Object.fromEntries(
    names.map((name) => [name, percentiles(Float64Array.from(sampled, (scores) => scores[name]))]),
  ) as Record<K, Interval>;
}

/** Mean of a value a row over rows that were drawn `times` each; 0 without rows. */
export function weightedMean(values: ArrayLike<number>, times?: ArrayLike<number>): number {
  let [sum, count] = [0, 0];
  for (let row = 0; row < values.length; row += 1) {
    const drawn = times === undefined ? 1 : (times[row] ?? 0);
    sum += drawn * (values[row] ?? 0);
    count += drawn;
  }
  return count === 0 ? 0 : sum / count;
}

/** What a resample does not give (a correlation without spread) is left out. */
function percentiles(values: Float64Array): Interval {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const tail = (1 - confidence) / 2;
  return { low: percentile(sorted, tail), high: percentile(sorted, 1 - tail) };
}

/** Value at a share of the way through sorted values, between two of them in proportion. */
function percentile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? 0;
  return below + (at % 1) * ((sorted[Math.ceil(at)] ?? below) - below);
}

/**
 * Variance over resampled rows of the mean (over pairs of runs) difference method - baseline, in points², for several comparisons at once.
 * Gives way to other work every 20 ms.
 */
export async function rowVariances(
  rows: number,
  comparisons: readonly (readonly ScoredPair[])[],
  seed: number,
): Promise<number[]> {
  const runs = new Set(comparisons.flatMap((pairs) => pairs.flatMap(({ method, baseline }) => [method, baseline])));
  if (rows < 2 || runs.size === 0) return comparisons.map(() => 0);
  const times = resamplesWithin(rows * runs.size, work);
  const generator = xoroshiro128plus(seed);
  const drawn = new Uint16Array(rows);
  const samples: number[][] = comparisons.map(() => []);
  let since = performance.now();
  for (let resample = 0; resample < times; resample += 1) {
    drawRows(generator, drawn);
    const scores = new Map([...runs].map((score) => [score, score(drawn)]));
    comparisons.forEach((pairs, index) => {
      samples[index]?.push(
        pairs.length === 0
          ? 0
          : 100 * mean(pairs.map(({ method, baseline }) => (scores.get(method) ?? 0) - (scores.get(baseline) ?? 0))),
      );
    });
    if (performance.now() - since > millisecondsAtOnce) {
      await new Promise((resolve) => setImmediate(resolve));
      since = performance.now();
    }
  }
  return samples.map(variance);
}
