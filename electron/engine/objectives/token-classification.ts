/** A tag of each token that has a label: cross-entropy over these, as transformers' *ForTokenClassification. */
import { lengthOf, virtualLength } from '../models/rows.js';
import type { ObjectiveSpec } from '../types.js';
import { weightedCrossEntropy } from './losses.js';
import { labelInputs, rowsWithLabel, type Objective } from './objective.js';
import { rowsOfCells } from './placed.js';
import { requireTokenLabels, tokenTargets } from './targets.js';

export const tokenClassification: Objective<Extract<ObjectiveSpec, { type: 'token-classification' }>> = {
  packs: false,
  language: false,
  graph(b, model, { labels }) {
    const logits = model.architecture.tag(b, model.config, rowsWithLabel(b, model), labels.length);
    return { logits, lossSum: weightedCrossEntropy(b, logits, ...labelInputs(b, 'labelled')), losses: null };
  },
  checkpoint(b, { architecture, config }, { labels }) {
    architecture.tag(b, config, architecture.encode(b, config, 'all'), labels.length);
  },
  /** `logits` [batch, sequence, labels]. */
  inference(b, { architecture, config }, { labels }) {
    const { g } = b;
    const all = architecture.tag(b, config, architecture.encode(b, config, 'all'), labels.length);
    const grid = g.reshape(all, [lengthOf(b), 'batch', labels.length]);
    const text = g.slice(grid, 0, virtualLength(b), lengthOf(b));
    return { logits: g.transpose(text, [1, 0, 2]) };
  },
  targets(placed, { labels: classes }) {
    requireTokenLabels(placed);
    const { labels, weights, sequence } = placed.batch;
    const rowOf = rowsOfCells(placed);
    // Row by row of the batch: so their logits come too.
    const cells = [...labels.keys()].filter((cell) => labels[cell] !== -100 && rowOf[cell] !== -1);
    return tokenTargets(
      {
        rows: cells.map((cell) => rowOf[cell] as number),
        labels: cells.map((cell) => labels[cell] as number),
        weights: cells.map((cell) => weights?.[Math.floor(cell / sequence)] ?? 1),
      },
      classes.length,
    );
  },
};
