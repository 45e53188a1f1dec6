/**
 * Where tokens lie. Hidden states hold one row a token, sequence first. Packed, padding has no rows: dense layers, norms and
 * dropout see real tokens only, and attention alone sees the grid [length·batch]. Unpacked (a model for inference, whose
 * inputs are input_ids and attention_mask alone), every cell of the grid has its row.
 * The grid is as long as the text and the virtual tokens before it; with a cache, as what a pass adds to one text.
 */
import { addDims, multiplyDims, subtractDims, type Dim } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';

/** Virtual tokens of this pass: with a cache they stand before a text's first tokens only. */
export function virtualLength(b: Builder): Dim {
  return b.options.cached && b.virtualTokens > 0 ? 'virtual' : b.virtualTokens;
}

/** Tokens of a sequence, virtual ones included. */
export function lengthOf(b: Builder): Dim {
  return addDims('sequence', virtualLength(b));
}

const cellCount = (b: Builder): Dim => multiplyDims('batch', lengthOf(b));

/** Rows of packed hidden states. */
const rowCount = (b: Builder): Dim => addDims('tokens', multiplyDims('batch', b.virtualTokens));

/** The cell of each row in the grid, int64, ascending. */
function cellsOfRows(b: Builder): Value {
  return b.g.input('token_cells', 'int64', [rowCount(b)]);
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

/** Mean over each text's tokens, virtual ones included: [rows, width] to [batch, width]. */
export function textMeans(b: Builder, x: Value): Value {
  const { g } = b;
  const width = x.type.shape[1] as number;
  const grid = g.reshape(spread(b, x), [lengthOf(b), 'batch', width]);
  const mask = g.cast(withVirtual(b, g.input('attention_mask', 'int64', ['batch', 'sequence']), 1), 'float32');
  // Packed, padding is zeros already.
  const kept = b.options.packed ? grid : g.mul(grid, g.reshape(g.transpose(mask, [1, 0]), [lengthOf(b), 'batch', 1]));
  return g.div(g.reduceSum(kept, [0]), g.reduceSum(mask, [1], true));
}

/** A text's numbers for each of its rows: [batch, width] to [rows, width]. */
export function rowsOfTexts(b: Builder, x: Value): Value {
  const width = x.type.shape[1] as number;
  const grid = b.g.expand(b.g.reshape(x, [1, 'batch', width]), [lengthOf(b), 'batch', width]);
  return collect(b, b.g.reshape(grid, [cellCount(b), width]));
}

/** The first token of each sequence: [rows, width] to [batch, width]. Rows run sequence first and no sequence is empty. */
export function firstTokens(b: Builder, x: Value): Value {
  return b.g.slice(x, 0, 0, 'batch');
}

/** Numbers of the positions, counted from 0 or behind a prefix: int64 [batch, length]. */
export function countedPositions(b: Builder): Value {
  const one = b.g.constant(BigInt64Array.of(1n), []);
  const first = b.g.constant(BigInt64Array.of(BigInt(1 - b.prefixPositions)), []);
  return b.g.sub(b.g.cumulativeSum(b.g.expand(one, ['batch', lengthOf(b)]), 1), first);
}

/** Position of each row, counted likewise: int64 [rows]. They are fed where packed examples begin anew, or a cache holds earlier ones. */
export function rowPositions(b: Builder): Value {
  const { packed, cached } = b.options;
  if (!packed && !cached) return gridRows(b, countedPositions(b));
  const fed = b.g.input('positions', 'int64', [packed ? rowCount(b) : cellCount(b)]);
  return b.prefixPositions === 0 ? fed : b.g.add(fed, b.g.constant(BigInt64Array.of(BigInt(b.prefixPositions)), []));
}

/** Tokens of each text, virtual ones not counted: int64 [batch]. */
export function countTokens(b: Builder): Value {
  return b.g.reduceSum(b.g.input('attention_mask', 'int64', ['batch', 'sequence']), [1]);
}

/** The last token of each sequence: [rows, …] to [batch, …]. */
export function lastTokens(b: Builder, x: Value): Value {
  const rows = x.type.shape[0] as Dim;
  return b.options.cached ? b.g.slice(x, 0, subtractDims(rows, 'batch'), rows) : b.g.gather(x, lastRows(b), true);
}

/** Row of each sequence's last token: int64 [batch]. */
function lastRows(b: Builder): Value {
  const { g } = b;
  if (b.options.packed) return g.input('last_rows', 'int64', ['batch']);
  const one = g.constant(BigInt64Array.of(1n), []);
  const ones = g.expand(one, ['batch']);
  const last = g.add(countTokens(b), g.constant(BigInt64Array.of(BigInt(b.virtualTokens - 1)), []));
  return g.add(g.mul(last, g.total(ones)), g.sub(g.cumulativeSum(ones, 0), one));
}
