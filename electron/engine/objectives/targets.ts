/** Checks and sums that objectives' targets have in common. */
import { EngineError } from '../errors.js';
import type { Placed } from './placed.js';
import type { Targets } from './objective.js';

export const sumOf = (values: readonly number[] | Float32Array): number => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};

/** Throws EngineError 'bad-input' for a label outside 0 to classes - 1. */
export function requireLabels(labels: readonly number[] | Int32Array, classes: number): void {
  for (const label of labels)
    if (label < 0 || label >= classes)
      throw new EngineError('bad-input', `Batch: label ${label} is not in 0 to ${classes - 1}.`);
}

interface LabelledRows {
  readonly rows: readonly number[];
  readonly labels: readonly number[];
  readonly weights: readonly number[];
}

/** Throws EngineError 'bad-input' where labels are not one a token of the batch. */
export function requireTokenLabels({ batch: { size, sequence, labels } }: Placed): void {
  if (labels.length !== size * sequence)
    throw new EngineError('bad-input', `Batch: ${labels.length} labels for ${size} × ${sequence} tokens.`);
}

/** Targets of single tokens. Throws EngineError 'bad-input' without any, or for a label outside 0 to classes - 1. */
export function tokenTargets({ rows, labels, weights }: LabelledRows, classes: number): Targets {
  if (rows.length === 0)
    throw new EngineError('bad-input', 'Batch: no token has a label.', 'Give each batch a token to learn from.');
  requireLabels(labels, classes);
  const shape = [rows.length];
  return {
    tensors: {
      label_rows: { data: Int32Array.from(rows), shape },
      labels: { data: Int32Array.from(labels), shape },
      weights: { data: Float32Array.from(weights), shape },
    },
    weight: sumOf(weights),
    sizes: { labelled: rows.length },
  };
}

/** Numbers that a text's logits are to come to, `width` a text. Throws EngineError 'bad-input' where they do not fit the batch. */
export function numberTargets({ batch: { size, targets, weights: given } }: Placed, width: number): Targets {
  if (targets?.length !== size * width)
    throw new EngineError('bad-input', `Batch: ${targets?.length ?? 0} targets for ${size} rows of ${width}.`);
  const weights = given ?? new Float32Array(size).fill(1);
  return {
    tensors: { targets: { data: targets, shape: [size, width] }, weights: { data: weights, shape: [size] } },
    weight: sumOf(weights),
    sizes: {},
  };
}
