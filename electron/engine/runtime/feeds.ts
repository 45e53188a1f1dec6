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
}

const longs = (values: Int32Array) => BigInt64Array.from(values, BigInt);

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

/** Throws EngineError 'bad-input' where arrays do not fit the batch's sizes or labels are out of range. */
export function feedBatch(
  ort: Runtime,
  batch: Batch,
  { objective, hooks, info }: Pick<Setup, 'objective' | 'hooks' | 'info'>,
): BatchFeeds {
  const { size, sequence, inputIds, attentionMask, tokenTypeIds, labels } = batch;
  const cells = size * sequence;
  for (const [name, array] of Object.entries({ inputIds, attentionMask, tokenTypeIds })) {
    if (array.length !== cells)
      throw new EngineError(
        'bad-input',
        `Batch: ${name} has ${array.length} values, ${size} × ${sequence} are needed.`,
      );
  }
  const tokens = cellsOf(batch);
  const grid = (values: Int32Array) => new ort.Tensor('int64', longs(values), [size, sequence]);
  const feeds: Feeds = {
    input_ids: grid(inputIds),
    attention_mask: grid(attentionMask),
    token_type_ids: grid(tokenTypeIds),
  };
  const virtual = hooks.prompt?.tokens ?? 0;
  if (virtual + sequence > info.maxLength)
    throw new EngineError(
      'bad-input',
      `Batch: ${sequence} tokens and ${virtual} virtual ones are more than the ${info.maxLength} that the model takes.`,
      'Use a shorter maximum length or fewer virtual tokens.',
    );
  const column = (values: BigInt64Array) => new ort.Tensor('int64', values, [values.length]);
  const before = virtual * size;
  feeds['text_cells'] = column(longs(tokens));
  feeds['token_cells'] = column(
    BigInt64Array.from({ length: before + tokens.length }, (_, i) =>
      BigInt(i < before ? i : before + (tokens[i - before] as number)),
    ),
  );
  const sizes = { batch: size, sequence, tokens: tokens.length };
  if (objective.type === 'classification') {
    if (labels.length !== size) throw new EngineError('bad-input', `Batch: ${labels.length} labels for ${size} rows.`);
    const outside = labels.find((label) => label < 0 || label >= objective.labels.length);
    if (outside !== undefined)
      throw new EngineError('bad-input', `Batch: label ${outside} is not in 0 to ${objective.labels.length - 1}.`);
    const weights = batch.weights ?? new Float32Array(size).fill(1);
    feeds['labels'] = new ort.Tensor('int64', longs(labels), [size]);
    feeds['weights'] = new ort.Tensor('float32', weights, [size]);
    return { feeds, weight: weights.reduce((sum, weight) => sum + weight, 0), sizes };
  }
  if (labels.length !== cells)
    throw new EngineError('bad-input', `Batch: ${labels.length} labels for ${size} × ${sequence} tokens.`);
  const masked: number[] = [];
  const targets: number[] = [];
  tokens.forEach((cell, row) => {
    const label = labels[(cell % size) * sequence + Math.floor(cell / size)] as number;
    if (label === -100) return;
    masked.push(before + row);
    targets.push(label);
  });
  if (masked.length === 0)
    throw new EngineError('bad-input', 'Batch: no token has a label.', 'Mask at least one token of each batch.');
  const count = masked.length;
  feeds['masked_rows'] = new ort.Tensor('int64', BigInt64Array.from(masked, BigInt), [count]);
  feeds['labels'] = new ort.Tensor('int64', BigInt64Array.from(targets, BigInt), [count]);
  feeds['weights'] = new ort.Tensor('float32', new Float32Array(count).fill(1), [count]);
  return { feeds, weight: count, sizes: { ...sizes, masked: count } };
}
