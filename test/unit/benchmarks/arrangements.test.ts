import { describe, expect, it } from 'vitest';
import { arrangements } from '../../benchmarks/arrangements.js';

const lengths = Array.from({ length: 3000 }, (_, row) => 3 + ((row * 37) % 61));
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const cells = (batches: readonly number[][]) => batches.reduce((sum, rows) => sum + rows.length * Math.max(...rows), 0);

describe('how rows are put together to batches', () => {
  const [drawn, buckets, budget] = (['drawn', 'buckets', 'budget'] as const).map((how) =>
    arrangements[how](lengths, 2000, 16),
  ) as [number[][], number[][], number[][]];

  it('has the same rows in each of them, each once', () => {
    expect(drawn.flat()).toHaveLength(2000);
    for (const batches of [buckets, budget]) expect(sorted(batches.flat())).toEqual(sorted(drawn.flat()));
  });

  it('pads less where rows are of like length', () => {
    expect(cells(buckets)).toBeLessThan(cells(drawn) * 0.7);
    expect(cells(budget)).toBeLessThan(cells(drawn) * 0.7);
  });

  it('keeps to a budget of tokens, padding counted', () => {
    const most = (16 * drawn.flat().reduce((sum, row) => sum + row, 0)) / 2000;
    for (const rows of budget) expect(rows.length * Math.max(...rows)).toBeLessThanOrEqual(most);
    expect(new Set(budget.map((rows) => rows.length)).size).toBeGreaterThan(3);
  });
});
