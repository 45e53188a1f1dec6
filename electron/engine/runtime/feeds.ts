/** From a batch to the tensors that a graph takes. */
import { EngineError } from '../errors.js';
import { packsRows, targetsOf } from '../objectives/index.js';
import { cellsOf, type Placed } from '../objectives/placed.js';
import type { Batch, BatchTexts } from '../types.js';
import { floatsOf, type Feeds, type Runtime } from './session.js';
import type { Setup } from './setup.js';

export interface BatchFeeds {
  readonly feeds: Feeds;
  /** Σ w over the rows, or the number of labels that count. */
  readonly weight: number;
  readonly sizes: Readonly<Record<string, number>>;
  /** Id of each real token, in the order of `text_cells`. */
  readonly tokenIds: Int32Array;
}

const longs = (ort: Runtime, values: readonly number[] | Int32Array, shape: readonly number[] = [values.length]) =>
  new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);

/** A batch's texts without its labels; `tokens` are the cells of the real tokens (see Placed). */
interface TextFeeds extends Pick<BatchFeeds, 'feeds' | 'sizes'> {
  readonly tokens: Int32Array;
  readonly before: number;
  readonly virtual: number;
}

/** Throws EngineError 'bad-input' where arrays do not fit the batch's sizes. */
export function feedTexts(
  ort: Runtime,
  batch: BatchTexts,
  { hooks, info, objective, model }: Pick<Setup, 'objective' | 'hooks' | 'info' | 'model'>,
): TextFeeds {
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
  if (!packsRows(objective)) requireOneExample(batch);
  const grid = (values: Int32Array) => longs(ort, values, [size, sequence]);
  const before = virtual * size;
  const text = longs(ort, tokens);
  const feeds: Feeds = {
    input_ids: grid(inputIds),
    attention_mask: grid(attentionMask),
    token_type_ids: grid(tokenTypeIds),
    text_cells: text,
    token_cells:
      before === 0 ? text : longs(ort, [...Array(before).keys(), ...Array.from(tokens, (cell) => before + cell)]),
    ...(model.architecture.reads === 'last' ? decoderFeeds(ort, batch, { tokens, before }, virtual) : {}),
  };
  return { feeds, sizes: { batch: size, sequence, tokens: tokens.length }, tokens, before, virtual };
}

/** Throws EngineError 'bad-input' where arrays do not fit the batch's sizes or labels are out of range. */
export function feedBatch(
  ort: Runtime,
  batch: Batch,
  setup: Pick<Setup, 'objective' | 'hooks' | 'info' | 'model'>,
): BatchFeeds {
  const { size, sequence, inputIds } = batch;
  const { info, objective } = setup;
  const { feeds, sizes, tokens, before, virtual } = feedTexts(ort, batch, setup);
  const placed = { batch, tokens, before };
  const tokenIds = tokens.map((cell) => inputIds[(cell % size) * sequence + Math.floor(cell / size)] as number);
  const {
    tensors,
    weight,
    sizes: own,
  } = targetsOf(placed, objective, {
    virtual,
    vocabularySize: info.vocabularySize,
  });
  for (const [name, { data, shape }] of Object.entries(tensors))
    feeds[name] = data instanceof Int32Array ? longs(ort, data, shape) : new ort.Tensor('float32', data, [...shape]);
  return { feeds, weight, sizes: { ...sizes, ...own }, tokenIds };
}

function requireOneExample({ attentionMask, sequence }: Pick<Batch, 'attentionMask' | 'sequence'>): void {
  const cell = attentionMask.findIndex((mark) => mark !== 0 && mark !== 1);
  if (cell >= 0)
    throw new EngineError(
      'bad-input',
      `Batch: row ${Math.floor(cell / sequence)} holds more than one example; only causal LM takes such rows.`,
    );
}

/** Position of each row and the row of each sequence's last token. */
function decoderFeeds(
  ort: Runtime,
  { size, sequence, attentionMask }: Pick<Batch, 'size' | 'sequence' | 'attentionMask'>,
  { tokens, before }: Pick<Placed, 'tokens' | 'before'>,
  virtual: number,
): Feeds {
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

export const scalarFeeds = (ort: Runtime, values: Readonly<Record<string, number>>): Feeds =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, new ort.Tensor('float32', Float32Array.of(value), [])]),
  );

/** Feeds whose weights make the sum of losses that batch's share of the mean over a step's `total` weight. */
export function ofMean(ort: Runtime, { feeds }: BatchFeeds, total: number): Feeds {
  const weights = feeds['weights'] as Feeds[string];
  const shares = floatsOf(weights).map((w) => w / total);
  return { ...feeds, weights: new ort.Tensor('float32', shares, weights.dims) };
}
