/** A whole split through a model. */
import { classBatches, evaluationBatches, type EncodedRows, type RowPadding } from '../data/index.js';
import type { Batch } from '../engine/index.js';

/** Rows a forward pass takes at once; without gradients more fit than in training, yet wide batches pad more. */
export const evaluationBatchSize = 32;

export interface Forward {
  predict(batch: Batch): Promise<Float32Array>;
}

/**
 * Logits of every row, in the split's order: [rows, classes].
 * @param between called after each batch with the rows done
 */
export async function logitsOf(
  model: Forward,
  encoded: EncodedRows,
  classes: number,
  padding: RowPadding,
  between: (done: number) => Promise<void>,
): Promise<Float32Array> {
  const logits = new Float32Array(encoded.size * classes);
  let done = 0;
  for (const { batch, rows } of evaluationBatches(classBatches(encoded, padding), evaluationBatchSize)) {
    const some = await model.predict(batch);
    rows.forEach((row, at) => logits.set(some.subarray(at * classes, (at + 1) * classes), row * classes));
    done += rows.length;
    await between(done);
  }
  return logits;
}
