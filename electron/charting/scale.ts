/** How far an axis of values reaches. */
import { niceStep } from './series.js';

export interface Spread {
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * The y axis: of a share in percent, of a mirrored plot below zero. It holds every mean, and the intervals as far as one more span of the means on each side:
 * the interval of two seeds can be wider than all that is to be seen. What reaches beyond ends in an arrow.
 */
export function valueRange(
  points: readonly Spread[],
  { mirrored = false, share }: { readonly mirrored?: boolean; readonly share: boolean },
): { min: number; max: number; interval: number } {
  const means = points.map((p) => p.mean);
  const [least, most] = [Math.min(...means), Math.max(...means)];
  // Never less than two points, or a hundredth would look like a gulf.
  const fewest = share ? 2 : (Math.abs(most) || 1) * 0.02;
  const reach = Math.max(fewest, most - least);
  const ends = points.flatMap((p) => [
    Math.max(least - reach, p.low ?? p.mean),
    Math.min(most + reach, p.high ?? p.mean),
  ]);
  const [lowest, highest] = ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 100];
  const pad = Math.max(0, fewest - (highest - lowest)) / 2;
  const [low, high] = [lowest - pad, highest + pad];
  const interval = niceStep(high - low, 4);
  return {
    min: Math.max(least < 0 ? -Infinity : 0, Math.floor((low - interval * 0.15) / interval) * interval),
    max: Math.min(mirrored ? 0 : share ? 100 : Infinity, Math.ceil((high + interval * 0.15) / interval) * interval),
    interval,
  };
}
