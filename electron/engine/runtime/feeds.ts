/** From a batch to the tensors that a graph takes. */
import { EngineError } from '../errors.js';
import type { Batch } from '../types.js';
import type { Feeds, Runtime } from './session.js';
import type { Setup } from './setup.js';

export interface BatchFeeds {
  readonly feeds: Feeds;
  /** Σ w over the rows, or the number of labels that count. */
  readonly weight: number;
  readonly sizes: Readonly<Record<string, number>>;
  /** Id of each real token, in the order of `text_cells`. */
  readonly tokenIds: Int32Array;
}

/** The cells of the grid [sequence, batch] that hold a real token, ascending. Throws EngineError where a sequence does not begin with one. */
function cellsOf({ size, sequence, attentionMask }: Batch): Int32Array {
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

/** A batch beside where its rows lie. */
interface Placed {
  readonly batch: Batch;
  /** Cells of the real tokens in the grid [sequence, batch], ascending; token i is row before + i. */
  readonly tokens: Int32Array;
  /** Rows of virtual tokens, which come before all others. */
  readonly before: number;
}

const longs = (ort: Runtime, values: readonly number[] | Int32Array, shape: readonly number[] = [values.length]) =>
  new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);

/** Throws EngineError 'bad-input' where arrays do not fit the batch's sizes or labels are out of range. */
export function feedBatch(
  ort: Runtime,
  batch: Batch,
  setup: Pick<Setup, 'objective' | 'hooks' | 'info' | 'model'>,
): BatchFeeds {
  const { hooks, info, objective } = setup;
  const { size, sequence, inputIds, attentionMask, tokenTypeIds } = batch;
  const cells = size * sequence;
  for (const [name, array] of Object.entries({ inputIds, attentionMask, tokenTypeIds })) {
    if (array.length !== cells)
      throw new EngineError(
        'bad-input',
        `Batch: ${name} has ${array.length} values, ${size} × ${sequence} are needed.`,
      );
  }
  const virtual = hooks.prompt?.tokens ?? 0;
  const taken = virtual + (hooks.prefix?.positions ? hooks.prefix.tokens : 0);
  if (taken + sequence > info.maxLength)
    throw new EngineError(
      'bad-input',
      `Batch: ${sequence} tokens and ${taken} virtual ones are more than the ${info.maxLength} that the model takes.`,
      'Use a shorter maximum length or fewer virtual tokens.',
    );
  const tokens = cellsOf(batch);
  if (objective.type !== 'causal-lm') requireOneExample(batch);
  const grid = (values: Int32Array) => longs(ort, values, [size, sequence]);
  const before = virtual * size;
  const text = longs(ort, tokens);
  const placed = { batch, tokens, before };
  const feeds: Feeds = {
    input_ids: grid(inputIds),
    attention_mask: grid(attentionMask),
    token_type_ids: grid(tokenTypeIds),
    text_cells: text,
    token_cells:
      before === 0 ? text : longs(ort, [...Array(before).keys(), ...Array.from(tokens, (cell) => before + cell)]),
    ...(setup.model.architecture.reads === 'last' ? decoderFeeds(ort, placed, virtual) : {}),
  };
  const sizes = { batch: size, sequence, tokens: tokens.length };
  const tokenIds = tokens.map((cell) => inputIds[(cell % size) * sequence + Math.floor(cell / size)] as number);
  if (objective.type === 'classification') {
    const { labels } = batch;
    const slots = objective.verbalizer?.slots;
    if (slots) feeds['label_rows'] = longs(ort, rowsRead(placed, slots));
    else if (labels.length !== size)
      throw new EngineError('bad-input', `Batch: ${labels.length} labels for ${size} rows.`);
    requireLabels(labels, objective.labels.length);
    const weights = batch.weights ?? new Float32Array(labels.length).fill(1);
    feeds['labels'] = longs(ort, labels);
    feeds['weights'] = new ort.Tensor('float32', weights, [labels.length]);
    return { feeds, weight: sumOf(weights), sizes: { ...sizes, texts: labels.length }, tokenIds };
  }
  if (batch.labels.length !== cells)
    throw new EngineError('bad-input', `Batch: ${batch.labels.length} labels for ${size} × ${sequence} tokens.`);
  const { rows, labels, weights } = objective.type === 'causal-lm' ? nextTokens(placed, virtual) : maskedTokens(placed);
  if (rows.length === 0)
    throw new EngineError('bad-input', 'Batch: no token has a label.', 'Give each batch a token to learn from.');
  requireLabels(labels, info.vocabularySize);
  feeds['label_rows'] = longs(ort, rows);
  feeds['labels'] = longs(ort, labels);
  feeds['weights'] = new ort.Tensor('float32', Float32Array.from(weights), [weights.length]);
  return { feeds, weight: sumOf(weights), sizes: { ...sizes, labelled: rows.length }, tokenIds };
}

const sumOf = (values: readonly number[] | Float32Array): number => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};

function requireLabels(labels: readonly number[] | Int32Array, classes: number): void {
  for (const label of labels)
    if (label < 0 || label >= classes)
      throw new EngineError('bad-input', `Batch: label ${label} is not in 0 to ${classes - 1}.`);
}

function requireOneExample({ attentionMask, sequence }: Batch): void {
  const cell = attentionMask.findIndex((mark) => mark !== 0 && mark !== 1);
  if (cell >= 0)
    throw new EngineError(
      'bad-input',
      `Batch: row ${Math.floor(cell / sequence)} holds more than one example; only causal LM takes such rows.`,
    );
}

/** Position of each row and the row of each sequence's last token. */
function decoderFeeds(ort: Runtime, { batch, tokens, before }: Placed, virtual: number): Feeds {
  const { size, sequence, attentionMask } = batch;
  const positions = new Int32Array(before + tokens.length);
  for (let row = 0; row < before; row++) positions[row] = Math.floor(row / size);
  const last = new Int32Array(size);
  const example = new Int32Array(size);
  const begin = new Int32Array(size);
  tokens.forEach((cell, i) => {
    const text = cell % size;
    const at = Math.floor(cell / size);
    const own = attentionMask[text * sequence + at] as number;
    if (own !== example[text]) {
      example[text] = own;
      begin[text] = at;
    }
    positions[before + i] = virtual + at - (begin[text] as number);
    last[text] = before + i;
  });
  return { positions: longs(ort, positions), last_rows: longs(ort, last) };
}

/** Row of each token of the text, by its cell in the batch's arrays, row · sequence + position. */
function rowsOfCells({ batch: { size, sequence }, tokens, before }: Placed): Int32Array {
  const rows = new Int32Array(size * sequence).fill(-1);
  tokens.forEach((cell, i) => (rows[(cell % size) * sequence + Math.floor(cell / size)] = before + i));
  return rows;
}

/** Rows of cells, row · sequence + position, of a batch without virtual tokens. */
export function rowsAt(batch: Batch, cells: readonly number[]): Int32Array {
  const rows = rowsOfCells({ batch, tokens: cellsOf(batch), before: 0 });
  return Int32Array.from(cells, (cell) => rows[cell] as number);
}

/** The rows at which a verbalizer reads. */
function rowsRead(placed: Placed, slots: number): Int32Array {
  const { reads, labels } = placed.batch;
  if (reads?.length !== labels.length * slots)
    throw new EngineError(
      'bad-input',
      `Batch: ${reads?.length ?? 0} places to read for ${labels.length} texts of ${slots}.`,
    );
  const rows = rowsOfCells(placed);
  return reads.map((cell) => {
    const row = rows[cell] ?? -1;
    if (row < 0) throw new EngineError('bad-input', `Batch: a verbalizer reads cell ${cell}, which holds no token.`);
    return row;
  });
}

interface Targets {
  readonly rows: readonly number[];
  readonly labels: readonly number[];
  readonly weights: readonly number[];
}

/** The tokens that were masked, each with its own label. */
function maskedTokens({ batch: { size, sequence, labels: all }, tokens, before }: Placed): Targets {
  const [rows, labels]: [number[], number[]] = [[], []];
  tokens.forEach((cell, i) => {
    const label = all[(cell % size) * sequence + Math.floor(cell / size)] as number;
    if (label === -100) return;
    rows.push(before + i);
    labels.push(label);
  });
  return { rows, labels, weights: rows.map(() => 1) };
}

/** The rows that have to give a label: those before the tokens that have one, row by row of the batch. */
function nextTokens(placed: Placed, virtual: number): Targets {
  const { batch } = placed;
  const { size, sequence, attentionMask, labels: all } = batch;
  const rowOf = rowsOfCells(placed);
  const [rows, labels, weights]: [number[], number[], number[]] = [[], [], []];
  for (let text = 0; text < size; text++) {
    for (let at = 0; at < sequence; at++) {
      const here = text * sequence + at;
      const label = all[here] as number;
      if (label === -100 || attentionMask[here] === 0) continue;
      const begins = at === 0 || attentionMask[here - 1] !== attentionMask[here];
      // The last virtual token stands before each example; without one nothing gives an example's first token.
      if (begins && (virtual === 0 || at > 0)) continue;
      rows.push(begins ? (virtual - 1) * size + text : (rowOf[here - 1] as number));
      labels.push(label);
      weights.push(batch.weights?.[text] ?? 1);
    }
  }
  return { rows, labels, weights };
}
