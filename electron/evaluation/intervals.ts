/** Means and intervals over seeds. */
import tQuantile from '@stdlib/stats-base-dists-t-quantile';

/** Every interval of the app is of this confidence. */
export const confidence = 0.95;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index] ?? 0;
  return sum / values.length;
}

/** Unbiased variance (n - 1); 0 for fewer than two values. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

/** The factor of a two-sided 95 % interval by Student's t. */
export const tFactor = (degrees: number): number => tQuantileOf((1 + confidence) / 2, degrees);

/** The value below which Student's t lies with a probability. */
export const tQuantileOf = (probability: number, degrees: number): number => tQuantile(probability, degrees);

/** The mean with its 95 % interval by Student's t over the values (one a seed); no interval for a single value. `bounds` are what the quantity cannot leave. */
export function meanWithInterval(
  values: readonly number[],
  bounds: Interval = { low: -Infinity, high: Infinity },
): { mean: number; interval: Interval | null } {
  const middle = mean(values);
  if (values.length < 2) return { mean: middle, interval: null };
  const half = tFactor(values.length - 1) * Math.sqrt(variance(values) / values.length);
  return {
    mean: middle,
    interval: { low: Math.max(bounds.low, middle - half), high: Math.min(bounds.high, middle + half) },
  };
}

/**
 * Error of a mean over seeds that are scored on one sample of rows: seeds and rows are two independent sources.
 * Squared error = s²/seeds + v, with degrees of freedom after Welch and Satterthwaite (s² has seeds - 1, v has rows - 1).
 */
export function combinedError(
  seedVariance: number,
  seeds: number,
  rowVariance: number,
  rows: number,
): { error: number; degrees: number } {
  const fromSeeds = seeds < 2 ? 0 : seedVariance / seeds;
  const squared = fromSeeds + rowVariance;
  const weight = (seeds < 2 ? 0 : fromSeeds ** 2 / (seeds - 1)) + rowVariance ** 2 / Math.max(1, rows - 1);
  return { error: Math.sqrt(squared), degrees: weight === 0 ? Math.max(1, seeds - 1) : squared ** 2 / weight };
}

/** The 95 % interval of `combinedError` around a mean. */
export function combinedInterval(
  middle: number,
  seedVariance: number,
  seeds: number,
  rowVariance: number,
  rows: number,
): Interval {
  const { error, degrees } = combinedError(seedVariance, seeds, rowVariance, rows);
  const half = tFactor(degrees) * error;
  return { low: middle - half, high: middle + half };
}
