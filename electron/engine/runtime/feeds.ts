/** From a batch to the tensors that a graph takes. */
import { EngineError } from '../errors.js';
import type { Batch, ObjectiveSpec } from '../types.js';
import type { Feeds, Runtime } from './session.js';

export interface BatchFeeds {
  readonly feeds: Feeds;
  /** Σ w over the rows, or the number of labels that count. */
  readonly weight: number;
  readonly sizes: Readonly<Record<string, number>>;
}

const longs = (values: Int32Array) => BigInt64Array.from(values, BigInt);

/** Throws EngineError 'bad-input' where arrays do not fit the batch's sizes or labels are out of range. */
export function feedBatch(ort: Runtime, batch: Batch, objective: ObjectiveSpec): BatchFeeds {
  const { size, sequence, inputIds, attentionMask, tokenTypeIds, labels } = batch;
  const cells = size * sequence;
  for (const [name, array] of Object.entries({ inputIds, attentionMask, tokenTypeIds })) {
    if (array.length !== cells)
      throw new EngineError(
        'bad-input',
        `Batch: ${name} has ${array.length} values, ${size} × ${sequence} are needed.`,
      );
  }
  const grid = (values: Int32Array) => new ort.Tensor('int64', longs(values), [size, sequence]);
  const feeds: Feeds = {
    input_ids: grid(inputIds),
    attention_mask: grid(attentionMask),
    token_type_ids: grid(tokenTypeIds),
  };
  if (objective.type === 'classification') {
    if (labels.length !== size) throw new EngineError('bad-input', `Batch: ${labels.length} labels for ${size} rows.`);
    const outside = labels.find((label) => label < 0 || label >= objective.labels.length);
    if (outside !== undefined)
      throw new EngineError('bad-input', `Batch: label ${outside} is not in 0 to ${objective.labels.length - 1}.`);
    const weights = batch.weights ?? new Float32Array(size).fill(1);
    feeds['labels'] = new ort.Tensor('int64', longs(labels), [size]);
    feeds['weights'] = new ort.Tensor('float32', weights, [size]);
    return { feeds, weight: weights.reduce((sum, weight) => sum + weight, 0), sizes: { batch: size, sequence } };
  }
  if (labels.length !== cells)
    throw new EngineError('bad-input', `Batch: ${labels.length} labels for ${size} × ${sequence} tokens.`);
  const positions: number[] = [];
  const targets: number[] = [];
  for (let row = 0; row < size; row++) {
    for (let i = 0; i < sequence; i++) {
      const label = labels[row * sequence + i] as number;
      if (label === -100) continue;
      // Hidden states run sequence first.
      positions.push(i * size + row);
      targets.push(label);
    }
  }
  if (positions.length === 0)
    throw new EngineError('bad-input', 'Batch: no token has a label.', 'Mask at least one token of each batch.');
  const masked = positions.length;
  feeds['masked_positions'] = new ort.Tensor('int64', BigInt64Array.from(positions, BigInt), [masked]);
  feeds['labels'] = new ort.Tensor('int64', BigInt64Array.from(targets, BigInt), [masked]);
  feeds['weights'] = new ort.Tensor('float32', new Float32Array(masked).fill(1), [masked]);
  return { feeds, weight: masked, sizes: { batch: size, sequence, masked } };
}
