/** Any of the labels of each text: binary cross-entropy with logits, its mean over the labels, as transformers' "multi_label_classification". */
import type { ObjectiveSpec } from '../types.js';
import { textHead, textLogits } from './head.js';
import type { Objective } from './objective.js';
import { numberTargets } from './targets.js';

export const multiLabel: Objective<Extract<ObjectiveSpec, { type: 'multi-label' }>> = {
  packs: false,
  language: false,
  graph(b, model, { labels }) {
    const { g } = b;
    const count = labels.length;
    const logits = textLogits(b, model, count);
    const targets = g.input('targets', 'float32', ['batch', count]);
    // log(1 + e^x) = relu(x) + log(1 + e^-|x|), which no logit can overflow.
    const size = g.add(g.relu(logits), g.relu(g.neg(logits)));
    const softplus = g.add(g.relu(logits), g.log(g.add(g.exp(g.neg(size)), g.scalar(1))));
    const means = g.reduceMean(g.sub(softplus, g.mul(logits, targets)), [1]);
    return { logits, lossSum: g.total(g.mul(means, g.input('weights', 'float32', ['batch']))), losses: null };
  },
  checkpoint: (b, model, { labels }) => textHead(b, model, labels.length),
  targets: (placed, { labels }) => numberTargets(placed, labels.length),
};
