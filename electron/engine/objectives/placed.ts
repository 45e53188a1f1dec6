/** Where a batch's tokens lie in the graph, which leaves padding out: rows run position first, virtual tokens before all others. */
import { EngineError } from '../errors.js';
import type { Batch } from '../types.js';

/** A batch beside where its rows lie. */
export interface Placed {
  readonly batch: Batch;
  /** Cells of the real tokens in the grid [sequence, batch], ascending; token i is row before + i. */
  readonly tokens: Int32Array;
  /** Rows of virtual tokens, which come before all others. */
  readonly before: number;
}

/** The cells of the grid [sequence, batch] that hold a real token, ascending. Throws EngineError where a sequence does not begin with one. */
export function cellsOf({
  size,
  sequence,
  attentionMask,
}: Pick<Batch, 'size' | 'sequence' | 'attentionMask'>): Int32Array {
  const cells = new Int32Array(size * sequence);
  let count = 0;
  for (let i = 0; i < sequence; i++) {
    for (let row = 0; row < size; row++) if (attentionMask[row * sequence + i] !== 0) cells[count++] = i * size + row;
    if (i === 0 && count < size) {
      const empty = Array.from({ length: size }, (_, row) => row).find((row) => attentionMask[row * sequence] === 0);
      throw new EngineError('bad-input', `Batch: row ${empty} does not begin with a real token; pad on the right.`);
    }
  }
  return cells.subarray(0, count);
}

/** Row of each token of the text, by its cell in the batch's arrays, row · sequence + position; -1 for padding. */
export function rowsOfCells({ batch: { size, sequence }, tokens, before }: Placed): Int32Array {
  const rows = new Int32Array(size * sequence).fill(-1);
  tokens.forEach((cell, i) => (rows[(cell % size) * sequence + Math.floor(cell / size)] = before + i));
  return rows;
}

/** Rows of cells, row · sequence + position, of a batch without virtual tokens. */
export function rowsAt(batch: Batch, cells: readonly number[]): Int32Array {
  const rows = rowsOfCells({ batch, tokens: cellsOf(batch), before: 0 });
  return Int32Array.from(cells, (cell) => rows[cell] as number);
}
