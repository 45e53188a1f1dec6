/** How much a score difference would vary on other test rows: the bootstrap over rows, the same rows for every run. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { mean, variance } from './intervals.js';
import { ClassCounts } from './scores.js';

export type Measure = 'macroF1' | 'accuracy';

/** Runs on the same rows: class indices by row, parallel to `labels`. */
export interface PairedPredictions {
  readonly method: ArrayLike<number>;
  readonly baseline: ArrayLike<number>;
}

const resamples = { most: 1000, least: 200 };
/** Row visits that take about a second. */
const work = 2e8;
const millisecondsAtOnce = 20;

/**
 * Variance over resampled rows of the mean (over pairs of runs) difference method - baseline, in points², for several comparisons at once.
 * 1,000 resamples, fewer (not below 200) where rows and runs are very many. Gives way to other work every 20 ms.
 */
export async function rowVariances(
  labels: ArrayLike<number>,
  comparisons: readonly (readonly PairedPredictions[])[],
  classes: number,
  measure: Measure,
  seed: number,
): Promise<number[]> {
  const rows = labels.length;
  const runs = new Set(comparisons.flatMap((pairs) => pairs.flatMap(({ method, baseline }) => [method, baseline])));
  if (rows < 2 || runs.size === 0) return comparisons.map(() => 0);
  const times = Math.max(resamples.least, Math.min(resamples.most, Math.floor(work / (rows * runs.size))));
  const generator = xoroshiro128plus(seed);
  const drawn = new Uint16Array(rows);
  const counts = new ClassCounts(classes);
  const samples: number[][] = comparisons.map(() => []);
  let since = performance.now();
  for (let resample = 0; resample < times; resample += 1) {
    drawn.fill(0);
    for (let draw = 0; draw < rows; draw += 1) {
      const row = uniformInt(generator, 0, rows - 1);
      drawn[row] = (drawn[row] ?? 0) + 1;
    }
    const scores = new Map([...runs].map((predicted) => [predicted, score(labels, predicted, drawn, counts, measure)]));
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

function score(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  drawn: Uint16Array,
  counts: ClassCounts,
  measure: Measure,
): number {
  counts.clear();
  for (let row = 0; row < labels.length; row += 1) {
    const times = drawn[row] ?? 0;
    if (times > 0) counts.add(labels[row] ?? 0, predicted[row] ?? 0, times);
  }
  return measure === 'accuracy' ? counts.accuracy() : counts.macroF1();
}
