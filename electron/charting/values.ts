/** Numbers on axes and marks; the rest is written as everywhere (format.ts). */
import { NO_VALUE, number, scientific } from './format.js';

/** A count on an axis: 0, 950, 10 k, 1.5 M, 2 G. */
export function compact(value: number): string {
  for (const [unit, letter] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (Math.abs(value) >= unit) return `${number(value / unit, Number.isInteger(value / unit) ? 0 : 1)} ${letter}`;
  return number(value, Number.isInteger(value) ? 0 : 1);
}

/** A loss or another small measure with three places that count: 12.3, 1.23, 0.123. */
export function measured(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return scientific(value);
  return number(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** A value of a chart's table: counts whole, measures with four decimals, very small ones by their power. */
export function cellText(value: string | number | null): string {
  if (value === null) return NO_VALUE;
  if (typeof value === 'string') return value;
  if (Number.isInteger(value)) return number(value);
  return Math.abs(value) < 0.001 ? scientific(value, 2) : number(value, Math.abs(value) >= 100 ? 1 : 4);
}
