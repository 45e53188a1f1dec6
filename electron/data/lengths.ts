/** How long texts are: an exact count per length, told as a histogram. */
import type { Profile } from './types.js';

const maxLengths = [32, 64, 128, 256, 512];
const wantedBins = 24;

export class LengthHistogram {
  /** Texts by their length. */
  private readonly counts = new Map<number, number>();
  private rows = 0;

  add(length: number): void {
    this.counts.set(length, (this.counts.get(length) ?? 0) + 1);
    this.rows += 1;
  }

  /** Bins of one width up to beyond the 99th percentile; the last one reaches to the longest text. */
  summary(): Omit<Profile['lengths'], 'tokenizer'> {
    const sorted = [...this.counts].sort(([a], [b]) => a - b);
    const max = sorted.at(-1)?.[0] ?? 0;
    const above = (length: number) => sorted.reduce((sum, [size, count]) => sum + (size > length ? count : 0), 0);
    const usual = this.quantile(sorted, 0.99);
    const end = max <= usual * 2 ? max : usual;
    const width = niceWidth((end + 1) / wantedBins);
    const edges = Array.from({ length: Math.floor(end / width) + 2 }, (_, index) => index * width);
    const bins = new Array<number>(edges.length - 1).fill(0);
    for (const [size, count] of sorted) {
      const bin = Math.min(Math.floor(size / width), bins.length - 1);
      bins[bin] = (bins[bin] ?? 0) + count;
    }
    if ((edges.at(-1) ?? 0) <= max) edges[edges.length - 1] = max + 1;
    return {
      edges,
      bins,
      median: this.quantile(sorted, 0.5),
      p95: this.quantile(sorted, 0.95),
      max,
      cut: maxLengths.map((maxLength) => ({
        maxLength,
        rows: above(maxLength),
        share: this.rows === 0 ? 0 : above(maxLength) / this.rows,
      })),
    };
  }

  /** The smallest length that at least this share of the texts does not exceed. */
  private quantile(sorted: readonly (readonly [number, number])[], share: number): number {
    let passed = 0;
    for (const [size, count] of sorted) {
      passed += count;
      if (passed >= this.rows * share) return size;
    }
    return 0;
  }
}

/** 1, 2, 5, 10, 20 … not below `least`. */
function niceWidth(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((width) => width >= least) ?? power * 10;
}
