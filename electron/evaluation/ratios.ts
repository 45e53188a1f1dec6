/** What is measured of a machine (times, memory) as a multiple of the baseline's: runs in turns, medians and ratios with their intervals. */
import tCdf from '@stdlib/stats-base-dists-t-cdf';
import { holm } from './holm.js';
import { confidence, mean, tQuantileOf, variance, type Interval } from './intervals.js';

export interface JudgedRatio {
  /** Geometric mean of the pairs' ratios. */
  readonly ratio: number;
  /** At the confidence that Holm's correction leaves; null for a single pair. */
  readonly interval: Interval | null;
  readonly confidence: number;
  readonly pairs: number;
  readonly decision: 'less' | 'more' | 'undecided';
}

/** The value in the middle; the mean of the two in the middle of an even number. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/**
 * Judges several lists of ratios to a baseline as one family: paired t tests of their logarithms against 0, two-sided, corrected by
 * Holm's procedure at 5 %. A pair is a method's run and the baseline's run next to it in time.
 * A ratio that is the same in every pair (a machine that counts in large steps) is claimed as it stands.
 */
export function judgeRatios(lists: readonly (readonly number[])[]): JudgedRatio[] {
  const logs = lists.map((ratios) => {
    const values = ratios.map(Math.log);
    return { middle: mean(values), error: Math.sqrt(variance(values) / values.length), pairs: values.length };
  });
  const steps = holm(
    logs.map(({ middle, error, pairs }) => {
      if (pairs < 2 || middle === 0) return 1;
      return error === 0 ? 0 : Math.min(1, 2 * tCdf(-Math.abs(middle) / error, pairs - 1));
    }),
    1 - confidence,
  );
  return logs.map(({ middle, error, pairs }, index) => {
    const { claimed = false, level = 1 - confidence } = steps[index] ?? {};
    const half = pairs < 2 ? Number.NaN : error === 0 ? 0 : tQuantileOf(1 - level / 2, pairs - 1) * error;
    return {
      ratio: Math.exp(middle),
      interval: pairs < 2 ? null : { low: Math.exp(middle - half), high: Math.exp(middle + half) },
      confidence: 1 - level,
      pairs,
      decision: claimed ? (middle < 0 ? 'less' : 'more') : 'undecided',
    };
  });
}

/** "0.41 to 0.46 times", rounded outwards to two digits, so that the words never claim more than the interval. */
export function timesInWords({ low, high }: Interval): string {
  const digits = (value: number, round: (value: number) => number) => {
    const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
    const rounded = round(value / unit + (round === Math.floor ? 1e-9 : -1e-9)) * unit;
    return String(Number(rounded.toPrecision(2)));
  };
  return `${digits(low, Math.floor)} to ${digits(high, Math.ceil)} times`;
}
