/** Losses as graphs. */
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';

/** Cross-entropy of rows [n, classes] with int64 labels [n] and weights [n]: Σ w·(-log p). */
export function weightedCrossEntropy(b: Builder, logits: Value, labels: Value, weights: Value): Value {
  const { g } = b;
  const classes = logits.type.shape[1] as number;
  const rows = labels.type.shape[0] as string;
  const numbers = g.constant(
    BigInt64Array.from({ length: classes }, (_, i) => BigInt(i)),
    [1, classes],
  );
  const hot = g.where(g.equal(g.reshape(labels, [rows, 1]), numbers), g.scalar(1), g.scalar(0));
  const picked = g.reduceSum(g.mul(g.logSoftmax(logits), hot), [1]);
  return g.neg(g.total(g.mul(picked, weights)));
}
