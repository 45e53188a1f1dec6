/** How much a score, or a difference of scores, would vary on other rows: the bootstrap over rows, the same rows for every run. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { confidence, mean, variance, type Interval } from './intervals.js';
import type { RowScore } from './measures.js';
import { ClassCounts } from './scores.js';

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

/** One run on one split: class indices and losses in nats, parallel by row. */
export interface RowAnswers {
  readonly labels: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  readonly losses: ArrayLike<number>;
}

/**
 * 95 % intervals of one run's scores over the rows: percentiles of the bootstrap, always the same for the same rows.
 * They say how far other rows of the same kind could move a score, and nothing of other seeds. Null below two rows.
 * Takes some milliseconds for thousands of rows, a fifth of a second for a hundred thousand.
 */
export function rowIntervals(
  { labels, predicted, losses }: RowAnswers,
  classes: number,
): Record<'macroF1' | 'accuracy' | 'loss', Interval> | null {
  const rows = labels.length;
  if (rows < 2) return null;
  const generator = xoroshiro128plus(1);
  const drawn = new Uint16Array(rows);
  const counts = new ClassCounts(classes);
  const times = resamplesWithin(rows, work / 10);
  const sampled = {
    accuracy: new Float64Array(times),
    macroF1: new Float64Array(times),
    loss: new Float64Array(times),
  };
  for (let resample = 0; resample < times; resample += 1) {
    drawRows(generator, drawn);
    countDrawn(labels, predicted, drawn, counts);
    sampled.accuracy[resample] = counts.accuracy();
    sampled.macroF1[resample] = counts.macroF1();
    sampled.loss[resample] = drawn.reduce((sum, count, row) => sum + count * (losses[row] ?? 0), 0) / rows;
  }
  return {
    accuracy: percentiles(sampled.accuracy),
    macroF1: percentiles(sampled.macroF1),
    loss: percentiles(sampled.loss),
  };
}

/** The 95 % interval of any score over the rows: percentiles of its values on rows drawn with replacement. Null below two rows. */
export function resampledRows(rows: number, scoreOf: (times: ArrayLike<number>) => number): Interval | null {
  if (rows < 2) return null;
  const generator = xoroshiro128plus(1);
  const drawn = new Uint16Array(rows);
  const sampled = Float64Array.from({ length: resamplesWithin(rows, work / 10) }, () => {
    drawRows(generator, drawn);
    return scoreOf(drawn);
  });
  return percentiles(sampled);
}

function percentiles(values: Float64Array): Interval {
  const sorted = values.sort();
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

function countDrawn(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  drawn: Uint16Array,
  counts: ClassCounts,
): void {
  counts.clear();
  for (let row = 0; row < labels.length; row += 1) {
    const times = drawn[row] ?? 0;
    if (times > 0) counts.add(labels[row] ?? 0, predicted[row] ?? 0, times);
  }
}
