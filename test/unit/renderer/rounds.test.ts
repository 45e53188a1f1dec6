import { expect, it } from 'vitest';
import type { Round } from '../../../electron/contract/index.js';
import { direction, gainWords, layOut } from '../../../renderer/screens/runs/rounds.js';

const round = (id: number, refines: number | null): Round => ({
  id,
  refines,
  how: refines === null ? null : 'merge',
  validation: null,
  test: null,
  reason: null,
});

it('lays rounds out from left to right, each further branch in a row of its own', () => {
  const { placed, columns, rows } = layOut([
    round(1, null),
    round(2, 1),
    round(3, 1),
    round(4, 2),
    round(5, 2),
    round(6, 3),
  ]);
  expect(placed.map(({ round: { id }, column, row }) => [id, column, row])).toEqual([
    [1, 0, 0],
    [2, 1, 0],
    [4, 2, 0],
    [5, 2, 1],
    [3, 1, 2],
    [6, 2, 2],
  ]);
  expect([columns, rows]).toEqual([3, 3]);
  expect(placed.at(-1)?.from).toEqual({ column: 1, row: 2 });
  expect(layOut([])).toEqual({ placed: [], columns: 0, rows: 0 });
});

it('tells a gain with its sign and interval', () => {
  const gain = { measure: 'macro F1', unit: 'points', mean: 1.24, interval: { low: 0.3, high: 2.1 } };
  expect(gainWords(gain)).toBe('+1.2 points (0.3 to 2.1)');
  expect(direction(gain)).toBe('up');
  expect(direction({ ...gain, interval: { low: -0.1, high: 2 } })).toBeNull();
  expect(direction({ ...gain, mean: -1, interval: { low: -2, high: -0.5 } })).toBe('down');
  expect(gainWords({ ...gain, mean: -3, interval: null })).toBe('−3.0 points');
});
