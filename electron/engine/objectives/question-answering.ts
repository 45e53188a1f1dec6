/**
 * Extractive question answering (Rajpurkar et al. 2016; the head of Devlin et al. 2018): each token's logits of being an answer's first
 * token and its last. Unlike transformers' own loss padding is no candidate, so that a row's loss does not hang on the rows beside it.
 */
import { EngineError } from '../errors.js';
import { multiplyDims } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import { lengthOf, spread, virtualLength } from '../models/rows.js';
import type { Batch, ObjectiveSpec } from '../types.js';
import { weightedCrossEntropy } from './losses.js';
import { labelInputs, type Model, type Objective } from './objective.js';
import { sumOf } from './targets.js';

const HIDDEN = -1e9;

/** Logits [rows, 2] of every row. Throws EngineError 'bad-input' for an architecture without this head. */
function marks(b: Builder, { architecture, config }: Model): Value {
  if (!architecture.mark)
    throw new EngineError(
      'bad-input',
      `objective: a ${architecture.type} model sees only what comes before a token, so it cannot mark an answer in its context here.`,
      'Choose an encoder: BERT, RoBERTa or DistilBERT.',
      { path: 'objective' },
    );
  return architecture.mark(b, config, architecture.encode(b, config, 'all'));
}

/** Logits of each text's tokens, without virtual ones: [batch, 2, sequence], padding at -1e9. */
function answerLogits(b: Builder, model: Model): Value {
  const { g } = b;
  const grid = g.reshape(spread(b, marks(b, model)), [lengthOf(b), 'batch', 2]);
  const text = g.slice(grid, 0, virtualLength(b), lengthOf(b));
  const real = g.cast(g.input('attention_mask', 'int64', ['batch', 'sequence']), 'float32');
  const hidden = g.scale(g.sub(g.scalar(1), real), HIDDEN);
  return g.add(g.transpose(text, [1, 2, 0]), g.reshape(hidden, ['batch', 1, 'sequence']));
}

export const questionAnswering: Objective<Extract<ObjectiveSpec, { type: 'question-answering' }>> = {
  packs: false,
  language: false,
  graph(b, model) {
    const logits = answerLogits(b, model);
    const ends = multiplyDims('batch', 2);
    const flat = b.g.reshape(logits, [ends, 'sequence']);
    return { logits, lossSum: weightedCrossEntropy(b, flat, ...labelInputs(b, ends)), losses: null };
  },
  checkpoint(b, model) {
    marks(b, model);
  },
  /** `start_logits` and `end_logits` [batch, sequence]. */
  inference(b, model) {
    const { g } = b;
    const logits = answerLogits(b, model);
    const of = (end: number) => g.reshape(g.slice(logits, 1, end, end + 1), ['batch', 'sequence']);
    return { start_logits: of(0), end_logits: of(1) };
  },
  targets({ batch }) {
    requireMarked(batch);
    const { labels, weights: given } = batch;
    // Half of the loss is the first token's, half the last one's.
    const weights = Float32Array.from(labels, (_, end) => (given?.[end >> 1] ?? 1) / 2);
    const shape = [labels.length];
    return {
      tensors: { labels: { data: labels, shape }, weights: { data: weights, shape } },
      weight: sumOf(weights),
      sizes: {},
    };
  },
};

/** Answers lie on real tokens. */
function requireMarked({ labels, attentionMask, size, sequence }: Batch): void {
  if (labels.length !== 2 * size)
    throw new EngineError('bad-input', `Batch: ${labels.length} places of answers for ${size} rows of two.`);
  labels.forEach((position, end) => {
    const row = end >> 1;
    if (position < 0 || position >= sequence || attentionMask[row * sequence + position] === 0)
      throw new EngineError(
        'bad-input',
        `Batch: row ${row} has no token at position ${position}, where its answer is.`,
      );
  });
}
