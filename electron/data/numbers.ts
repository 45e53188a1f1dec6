/** How the numbers of a regression are spread. */
import type { Profile } from './types.js';

const mostBins = 24;

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
    let [low, high, sum] = [Infinity, -Infinity, 0];
    for (const value of values) [low, high, sum] = [Math.min(low, value), Math.max(high, value), sum + value];
    const mean = sum / values.length;
    const deviation = Math.sqrt(values.reduce((all, value) => all + (value - mean) ** 2, 0) / values.length);
    const whole = values.every(Number.isInteger) && high - low < mostBins;
    const bins = whole ? high - low + 1 : Math.min(mostBins, Math.max(1, Math.ceil(Math.sqrt(values.length))));
    const [from, width] = whole ? [low - 0.5, 1] : [low, (high - low) / bins || 1];
    const counts = Array.from({ length: bins }, () => 0);
    for (const value of values) {
      const bin = Math.min(bins - 1, Math.floor((value - from) / width));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return { edges: Array.from({ length: bins + 1 }, (_, i) => from + i * width), bins: counts, mean, deviation };
  }
}
