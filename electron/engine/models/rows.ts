/**
 * Where tokens lie. Hidden states hold one row a token, sequence first. Packed, padding has no rows: dense layers, norms and
 * dropout see real tokens only, and attention alone sees the grid [sequence·batch]. Unpacked (a model for inference, whose
 * inputs are input_ids and attention_mask alone), every cell of the grid has its row.
 */
import { multiplyDims } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';

/** Cells of the grid. */
export const cells = multiplyDims('batch', 'sequence');

/** The cell of each row, int64 [tokens], ascending. */
function cellsOfRows(b: Builder): Value {
  return b.g.input('token_cells', 'int64', ['tokens']);
}

/** [batch, sequence] of ids or numbers to one a row: [rows]. */
export function tokenRows(b: Builder, x: Value): Value {
  const column = b.g.reshape(b.g.transpose(x, [1, 0]), [cells]);
  return b.options.packed ? b.g.gather(column, cellsOfRows(b)) : column;
}

/** [rows, width] to [sequence·batch, width], zeros where padding is. */
export function spread(b: Builder, x: Value): Value {
  return b.options.packed ? b.g.scatterAdd(cellsOfRows(b), x, cells, true) : x;
}

/** [sequence·batch, width] to [rows, width]. */
export function collect(b: Builder, x: Value): Value {
  return b.options.packed ? b.g.gather(x, cellsOfRows(b), true) : x;
}

/** The first token of each sequence: [rows, width] to [batch, width]. Rows run sequence first and no sequence is empty. */
export function firstTokens(b: Builder, x: Value): Value {
  return b.g.slice(x, 0, 0, 'batch');
}
