/** Losses as graphs. */
import type { Dim } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';

/** 0, 1, … below a number that may be known only when the graph runs: int64 [1, count]. */
function numbersBelow({ g }: Builder, count: Dim): Value {
  if (typeof count === 'number')
    return g.constant(
      BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
      [1, count],
    );
  const one = g.constant(BigInt64Array.of(1n), []);
  return g.sub(g.cumulativeSum(g.expand(one, [1, count]), 1), one);
}

/** Cross-entropy of rows [n, classes] with int64 labels [n] and weights [n]: Σ w·(-log p). */
export function weightedCrossEntropy(b: Builder, logits: Value, labels: Value, weights: Value): Value {
  const { g } = b;
  const [rows, classes] = logits.type.shape as [Dim, Dim];
  const hot = g.where(g.equal(g.reshape(labels, [rows, 1]), numbersBelow(b, classes)), g.scalar(1), g.scalar(0));
  const picked = g.reduceSum(g.mul(g.logSoftmax(logits), hot), [1]);
  return g.neg(g.total(g.mul(picked, weights)));
}
