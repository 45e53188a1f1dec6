/**
 * Where tokens lie. Hidden states hold one row a token, sequence first. Packed, padding has no rows: dense layers, norms and
 * dropout see real tokens only, and attention alone sees the grid [length·batch]. Unpacked (a model for inference, whose
 * inputs are input_ids and attention_mask alone), every cell of the grid has its row.
 * The grid is as long as the text and the virtual tokens before it.
 */
import { addDims, multiplyDims, type Dim } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';

/** Tokens of a sequence, virtual ones included. */
export function lengthOf(b: Builder): Dim {
  return addDims('sequence', b.virtualTokens);
}

const cellCount = (b: Builder): Dim => multiplyDims('batch', lengthOf(b));

/** The cell of each row in the grid, int64, ascending. */
function cellsOfRows(b: Builder): Value {
  return b.g.input('token_cells', 'int64', [addDims('tokens', multiplyDims('batch', b.virtualTokens))]);
}

/** The cell of each real token in the grid of the text alone, int64 [tokens], ascending. */
function cellsOfText(b: Builder): Value {
  return b.virtualTokens === 0 ? cellsOfRows(b) : b.g.input('text_cells', 'int64', ['tokens']);
}

/** Numbers of the text alone [batch, sequence], int64, to one a token. */
export function textRows(b: Builder, x: Value): Value {
  const column = b.g.reshape(b.g.transpose(x, [1, 0]), [multiplyDims('batch', 'sequence')]);
  return b.options.packed ? b.g.gather(column, cellsOfText(b)) : column;
}

/** Numbers of the whole grid [batch, length], int64, to one a row: [rows]. */
export function gridRows(b: Builder, x: Value): Value {
  const column = b.g.reshape(b.g.transpose(x, [1, 0]), [cellCount(b)]);
  return b.options.packed ? b.g.gather(column, cellsOfRows(b)) : column;
}

/** Numbers of the text [batch, sequence] with `fill` for the virtual tokens before it: [batch, length]. */
export function withVirtual(b: Builder, x: Value, fill: number): Value {
  if (b.virtualTokens === 0) return x;
  const constant = x.type.dtype === 'int64' ? b.g.constant(BigInt64Array.of(BigInt(fill)), []) : b.g.scalar(fill);
  return b.g.concat([b.g.expand(constant, ['batch', b.virtualTokens]), x], 1);
}

/** [rows, width] to [length·batch, width], zeros where padding is. */
export function spread(b: Builder, x: Value): Value {
  return b.options.packed ? b.g.scatterAdd(cellsOfRows(b), x, cellCount(b), true) : x;
}

/** [length·batch, width] to [rows, width]. */
export function collect(b: Builder, x: Value): Value {
  return b.options.packed ? b.g.gather(x, cellsOfRows(b), true) : x;
}

/** The first token of each sequence: [rows, width] to [batch, width]. Rows run sequence first and no sequence is empty. */
export function firstTokens(b: Builder, x: Value): Value {
  return b.g.slice(x, 0, 0, 'batch');
}
