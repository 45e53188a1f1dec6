/** What a run learns: the loss over a batch, as graph, and the inputs it needs. */
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import type { Architecture, EncoderConfig } from '../models/types.js';
import type { ObjectiveSpec } from '../types.js';

export interface ObjectiveGraph {
  readonly logits: Value;
  /** Σ wᵢ·ℓᵢ, a scalar. */
  readonly lossSum: Value;
}

/** Cross-entropy of rows [n, classes] with int64 labels [n] and weights [n]: Σ w·(-log p). */
function weightedCrossEntropy(b: Builder, logits: Value, labels: Value, weights: Value): Value {
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

/** Forward pass and loss of an objective over the standard inputs. */
export function buildObjective(
  b: Builder,
  architecture: Architecture,
  config: EncoderConfig,
  spec: ObjectiveSpec,
): ObjectiveGraph {
  const { g } = b;
  const n = spec.type === 'classification' ? 'batch' : 'masked';
  const logits =
    spec.type === 'classification'
      ? architecture.classify(b, config, architecture.encode(b, config, 'first'), spec.labels.length)
      : architecture.predictTokens(
          b,
          config,
          g.gather(architecture.encode(b, config, 'all'), g.input('masked_rows', 'int64', ['masked']), true),
        );
  return {
    logits,
    lossSum: weightedCrossEntropy(b, logits, g.input('labels', 'int64', [n]), g.input('weights', 'float32', [n])),
  };
}
