/** Numbers on axes and marks; the rest is written as everywhere (format.ts). */
import type { ChartTable } from './csv.js';
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

/** A whole table in words: the measures of a column with as many decimals as its largest asks for. */
export function tableTexts({ columns, rows }: ChartTable): string[][] {
  const written = columns.map((_, i) => {
    const values = rows.map((row) => row[i]).filter((value) => typeof value === 'number');
    const most = Math.max(0, ...values.map(Math.abs));
    if (values.every(Number.isInteger) || most < 0.1) return cellText;
    const digits = most >= 1000 ? 0 : most >= 100 ? 1 : most >= 10 ? 2 : 3;
    return (value: string | number | null) => (typeof value === 'number' ? number(value, digits) : cellText(value));
  });
  return rows.map((row) => row.map((value, i) => (written[i] ?? cellText)(value)));
}
