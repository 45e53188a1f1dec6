/**
 * How far a mean over seeds, or a mean difference, would move with other seeds and other test rows: the hierarchical bootstrap.
 *
 * Seeds and rows are crossed: every run of a study is scored on the same test rows. So a replicate draws the rows once, with
 * replacement, for all runs, and then seeds with replacement, each with its pair of runs (Davison & Hinkley 1997, section 3.8;
 * of crossed levels Owen 2007, "The pigeonhole bootstrap"). Drawing other rows for each seed would treat the one test set as
 * many, and give intervals that are too narrow.
 *
 * From the replicates comes the standard error; the interval is Student's t around the mean. Percentiles of the replicates would
 * not do: of three seeds they cover about three quarters of the time instead of 95 % (the simulation is among the tests).
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { drawRows, millisecondsAtOnce, resamplesWithin, work } from './bootstrap.js';
import { combinedError, mean, tQuantileOf, variance, type Interval } from './intervals.js';
import type { RowScore } from './tasks/task.js';

/** One seed: a run's score, less that of the baseline's run of this seed where there is one. */
export interface SeedScore {
  readonly score: RowScore;
  readonly baseline: RowScore | null;
}

/** A mean over seeds with what is uncertain about it. */
export interface SeedMean {
  readonly mean: number;
  /** Standard error over seeds and rows. */
  readonly error: number;
  /** Degrees of freedom of the t interval, after Welch and Satterthwaite. */
  readonly degrees: number;
  readonly seeds: number;
  readonly rows: number;
}

/**
 * Means over seeds, each in hundredths of a score, with their errors: for several lists of seeds at once on the same test rows.
 *
 * With V the variance of a list's replicates and s² the variance of its values between seeds, SE² = V + s²/n²: the bootstrap draws
 * seeds from the n at hand, so its share of V is s²(n - 1)/n² where s²/n is meant. The degrees of freedom are those of
 * `combinedError`, with the rest of SE² as the variance over rows. A single seed has none between seeds: its error is of rows only.
 * Gives way to other work every 20 ms.
 * @param seed of the draws: the same for the same report
 */
export async function hierarchicalMeans(
  rows: number,
  lists: readonly (readonly SeedScore[])[],
  seed: number,
): Promise<SeedMean[]> {
  const scorers = [...new Set(lists.flat().flatMap(({ score, baseline }) => (baseline ? [score, baseline] : [score])))];
  const times = rows > 1 ? resamplesWithin(Math.max(1, rows * scorers.length), work) : 0;
  const generator = xoroshiro128plus(seed);
  const drawn = new Uint16Array(rows);
  const replicates = lists.map(() => new Float64Array(times));
  let since = performance.now();
  for (let replicate = 0; replicate < times; replicate += 1) {
    drawRows(generator, drawn);
    const scores = new Map(scorers.map((scorer) => [scorer, scorer(drawn)]));
    lists.forEach((list, index) => {
      const values = list.map((one) => valueOf(one, (scorer) => scores.get(scorer) ?? 0));
      let sum = 0;
      for (let draw = 0; draw < values.length; draw += 1)
        sum += values[uniformInt(generator, 0, values.length - 1)] ?? 0;
      const into = replicates[index];
      if (into) into[replicate] = sum / values.length;
    });
    if (performance.now() - since > millisecondsAtOnce) {
      await new Promise((resolve) => setImmediate(resolve));
      since = performance.now();
    }
  }
  return lists.map((list, index) => {
    const values = list.map((one) => valueOf(one, (scorer) => scorer()));
    const n = values.length;
    const between = variance(values);
    const overRows = Math.max(0, variance([...(replicates[index] ?? [])]) - (between * (n - 1)) / n ** 2);
    const { error, degrees } = combinedError(between, n, overRows, rows);
    const others = { seeds: n, rows };
    // No row was told apart: that none could be is more than these rows show. One row's worth is taken.
    return error === 0
      ? { mean: mean(values), error: 100 / Math.max(1, rows), degrees: Math.max(1, rows - 1), ...others }
      : { mean: mean(values), error, degrees, ...others };
  });
}

const valueOf = ({ score, baseline }: SeedScore, of: (scorer: RowScore) => number) =>
  100 * (of(score) - (baseline ? of(baseline) : 0));

/** The interval of a mean at a confidence, by Student's t. */
export function intervalAt({ mean: middle, error, degrees }: SeedMean, confidence: number): Interval {
  const half = error === 0 ? 0 : tQuantileOf((1 + confidence) / 2, degrees) * error;
  return { low: middle - half, high: middle + half };
}
