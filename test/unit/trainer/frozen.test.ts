import { describe, expect, it } from 'vitest';
import { bytesToKeep } from '../../../electron/trainer/frozen.js';

const split = (lengths: readonly number[]) => ({
  batches: { size: lengths.length, length: (row: number) => lengths[row] ?? 0 },
});
type Prepared = Parameters<typeof bytesToKeep>[1];
// Of a split only its rows' lengths are asked for.
const prepared = {
  train: split([3, 5, 4]),
  validation: split([6]),
  batches: { stepsPerEpoch: 2 },
} as unknown as Prepared;
const part = { layers: 2, rowFloats: 10, perText: false };
const epochs = (count: number) => ({ from: 0, to: 2 * count });

describe('bytesToKeep', () => {
  it('takes a row a token, or a text', () => {
    expect(bytesToKeep(part, prepared, epochs(3), 1e6)).toBe(4 * 18 * 10);
    expect(bytesToKeep({ ...part, perText: true }, prepared, epochs(3), 1e6)).toBe(4 * 4 * 10);
  });

  it('keeps nothing where it does not pay, does not fit, or there is nothing', () => {
    expect(bytesToKeep(part, prepared, epochs(1), 1e6)).toBe(0);
    expect(bytesToKeep(part, prepared, { from: 10, to: 13 }, 1e6)).toBe(0);
    expect(bytesToKeep(part, prepared, epochs(2), 4 * 720)).toBe(720);
    expect(bytesToKeep(part, prepared, epochs(2), 4 * 720 - 4)).toBe(0);
    expect(bytesToKeep(null, prepared, epochs(9), 1e6)).toBe(0);
  });
});
