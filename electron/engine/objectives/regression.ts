/** A number of each text, or of a pair how alike its texts are: squared error, as transformers' problem type "regression" has it. */
import type { ObjectiveSpec } from '../types.js';
import { textHead, textLogits } from './head.js';
import type { Objective } from './objective.js';
import { numberTargets } from './targets.js';

export const regression: Objective<Extract<ObjectiveSpec, { type: 'regression' }>> = {
  packs: false,
  language: false,
  graph(b, model) {
    const { g } = b;
    const logits = textLogits(b, model, 1);
    const apart = g.sub(logits, g.input('targets', 'float32', ['batch', 1]));
    const squares = g.reduceSum(g.mul(apart, apart), [1]);
    return { logits, lossSum: g.total(g.mul(squares, g.input('weights', 'float32', ['batch']))), losses: null };
  },
  checkpoint: (b, model) => textHead(b, model, 1),
  targets: (placed) => numberTargets(placed, 1),
};
