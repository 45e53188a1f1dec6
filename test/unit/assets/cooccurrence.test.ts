import { describe, expect, it } from 'vitest';
import {
  factorize,
  positiveMutualInformation,
  symmetricEigen,
} from '../../../electron/trainer/pretrain/cooccurrence.js';

describe('eigenvalues of a symmetric matrix', () => {
  it('come out of a known one', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 0, 1, 2, 0, 0, 0, -5), 3);
    expect([...values].sort((a, b) => a - b).map((value) => Math.round(value * 1e9) / 1e9)).toEqual([-5, 1, 3]);
    for (let j = 0; j < 3; j += 1) {
      const v = [0, 1, 2].map((i) => vectors[i * 3 + j]!);
      expect(
        [2 * v[0]! + v[1]!, v[0]! + 2 * v[1]!, -5 * v[2]!].every(
          (value, i) => Math.abs(value - values[j]! * v[i]!) < 1e-9,
        ),
      ).toBe(true);
    }
  });
});

// Tokens 5 to 9 stand among each other, 10 to 14 likewise; 15 stands in both.
const groups = [
  [5, 6, 7, 8, 9],
  [10, 11, 12, 13, 14],
];
const documents = Array.from({ length: 400 }, (_, i) => {
  const group = groups[i % 2]!;
  return [group[i % 5]!, group[(i * 3 + 1) % 5]!, 15, group[(i * 7 + 2) % 5]!, group[(i >> 2) % 5]!];
});
const tokens = Uint16Array.from(documents.flat());
const starts = Int32Array.from({ length: documents.length + 1 }, (_, i) => i * 5);

describe('tokens by what stands near them', () => {
  const information = positiveMutualInformation({ tokens, starts }, 16, 5);
  it('have information with their own group and none with the other or with special tokens', () => {
    for (let row = 0; row < 15; row += 1) {
      const columns = [...information.columns.subarray(information.starts[row], information.starts[row + 1])];
      if (row < 5) expect(columns).toEqual([]);
      else
        expect(
          columns.filter((column) => column !== 15).every((column) => Math.floor(column / 5) === Math.floor(row / 5)),
        ).toBe(true);
    }
    expect(information.values.every((value) => value > 0)).toBe(true);
  });
  it('lie near their own group, with the length asked for', () => {
    const width = 4;
    const rows = factorize(information, width, 0.5, 1);
    const row = (token: number) => [...rows.subarray(token * width, (token + 1) * width)];
    const cosine = (a: number, b: number) => row(a).reduce((sum, value, i) => sum + value * row(b)[i]!, 0) / 0.25;
    expect(row(0)).toEqual([0, 0, 0, 0]);
    expect(cosine(5, 5)).toBeCloseTo(1, 4);
    const mean = (a: readonly number[], b: readonly number[]) =>
      a
        .flatMap((x) => b.filter((y) => y !== x).map((y) => cosine(x, y)))
        .reduce((sum, value, _, all) => sum + value / all.length, 0);
    expect(mean(groups[0]!, groups[0]!)).toBeGreaterThan(mean(groups[0]!, groups[1]!) + 0.3);
    expect(mean(groups[1]!, groups[1]!)).toBeGreaterThan(mean(groups[0]!, groups[1]!) + 0.3);
    expect(factorize(information, width, 0.5, 1)).toEqual(rows);
  });
});
