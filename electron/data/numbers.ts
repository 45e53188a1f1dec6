/** The numbers of a regression: as they stand in cells, and how they are spread. */
import type { Profile } from './types.js';

const numeral = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** A cell as a number, with a point or without; null where it is none. */
export function parseNumber(cell: string): number | null {
  const text = cell.trim();
  const value = numeral.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : null;
}

const mostBins = 12;

/** Of some numbers: their mean, and the standard deviation of just these. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

export function spreadOf(values: Iterable<number> & { readonly length: number }): Spread {
  const count = Math.max(1, values.length);
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  const mean = sum / count;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / count) };
}

/** The next of 1, 2, 5, 10, 20 …, or tenths of these; 1 for 0. */
function roundStep(least: number): number {
  if (least <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((digit) => digit * power >= least * (1 - 1e-9)) ?? 10);
}

/** Collects numbers as rows stream by; eight bytes a row. */
export class NumberSpread {
  private readonly values: number[] = [];

  add(value: number): void {
    this.values.push(value);
  }

  /** Null without numbers. Whole numbers of few kinds have a bin each. */
  summary(): Profile['numbers'] {
    const { values } = this;
    if (values.length === 0) return null;
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    const whole = values.every(Number.isInteger) && high - low < mostBins;
    const width = whole ? 1 : roundStep((high - low) / (mostBins - 1));
    const from = whole ? low - 0.5 : width * Math.floor(low / width);
    // The last bin holds the highest number, also where that is its end.
    const bins = Math.max(1, Math.ceil((high - from) / width - 1e-9));
    const counts = Array.from({ length: bins }, () => 0);
    for (const value of values) {
      const bin = Math.min(bins - 1, Math.floor((value - from) / width + 1e-9));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return {
      edges: Array.from({ length: bins + 1 }, (_, i) => Number((from + i * width).toPrecision(12))),
      bins: counts,
      ...spreadOf(values),
    };
  }
}
