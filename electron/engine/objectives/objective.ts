/** What a run learns: the loss over a batch, as graph, and the inputs it needs. */
import { EngineError } from '../errors.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import { firstTokens, lastTokens } from '../models/rows.js';
import type { Architecture, ModelConfig } from '../models/types.js';
import type { ObjectiveSpec } from '../types.js';
import { wordScores } from './verbalizer.js';

export interface ObjectiveGraph {
  /** null where they never stand in memory together (causal LM). */
  readonly logits: Value | null;
  /** Σ wᵢ·ℓᵢ, a scalar. */
  readonly lossSum: Value;
  /** Causal LM: ℓᵢ of each token with a label. */
  readonly losses: Value | null;
}

/** Logits of this many values stand in memory at a time (16 MB, and their softmax as much again), but of 64 rows at least. */
const LOGITS = 4_194_304;

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

/** Last hidden states of the tokens that a classifier reads: [batch, hidden]. */
function classifiedTokens(b: Builder, architecture: Architecture, config: ModelConfig): Value {
  if (!b.hooks.wholeTexts) return architecture.encode(b, config, architecture.reads);
  const all = architecture.encode(b, config, 'all');
  return architecture.reads === 'first' ? firstTokens(b, all) : lastTokens(b, all);
}

/** Forward pass and loss of an objective over the standard inputs. Throws EngineError 'bad-input' where the architecture has no such task. */
export function buildObjective(
  b: Builder,
  architecture: Architecture,
  config: ModelConfig,
  spec: ObjectiveSpec,
): ObjectiveGraph {
  const { g } = b;
  if (!architecture.objectives.includes(spec.type))
    throw new EngineError(
      'bad-input',
      `objective: a ${architecture.type} model cannot be trained for ${spec.type}.`,
      `Use one of: ${architecture.objectives.join(', ')}.`,
      { path: 'objective' },
    );
  const targets = (n: string) => [g.input('labels', 'int64', [n]), g.input('weights', 'float32', [n])] as const;
  const rowsWithLabel = () =>
    g.gather(architecture.encode(b, config, 'all'), g.input('label_rows', 'int64', ['labelled']), true);
  switch (spec.type) {
    case 'classification': {
      if (spec.verbalizer) {
        const scores = wordScores(b, architecture, config, spec.verbalizer);
        return { logits: scores, lossSum: weightedCrossEntropy(b, scores, ...targets('texts')), losses: null };
      }
      const read = classifiedTokens(b, architecture, config);
      const logits = architecture.classify(b, config, read, spec.labels.length);
      return { logits, lossSum: weightedCrossEntropy(b, logits, ...targets('batch')), losses: null };
    }
    case 'masked-lm': {
      const logits = architecture.predictTokens(b, config, rowsWithLabel());
      return { logits, lossSum: weightedCrossEntropy(b, logits, ...targets('labelled')), losses: null };
    }
    case 'causal-lm': {
      if (b.hooks.wholeTexts)
        throw new EngineError(
          'bad-input',
          'method: it looks at whole texts, and a model that writes does not see what it has not written yet.',
          'Choose another method, or classify.',
          { path: 'method.type' },
        );
      const table = architecture.vocabularyTable?.(b, config);
      if (!table) throw new EngineError('bad-graph', `${architecture.type} has no table of its vocabulary.`);
      const chunk = Math.min(4096, Math.max(64, Math.floor(LOGITS / config.vocabularySize)));
      const { sum, each } = g.tokenLoss(rowsWithLabel(), table, ...targets('labelled'), chunk);
      return { logits: null, lossSum: sum, losses: each };
    }
  }
}
