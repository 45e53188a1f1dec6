/** A class of each text, by a head or by a verbalizer: cross-entropy. */
import { EngineError } from '../errors.js';
import type { ObjectiveSpec } from '../types.js';
import { textHead, textLogits } from './head.js';
import { weightedCrossEntropy } from './losses.js';
import { labelInputs, languageModel, type Objective, type Target } from './objective.js';
import { rowsOfCells, type Placed } from './placed.js';
import { requireLabels, sumOf } from './targets.js';
import { wordScores } from './verbalizer.js';

export const classification: Objective<Extract<ObjectiveSpec, { type: 'classification' }>> = {
  packs: false,
  language: false,
  graph(b, model, { labels, verbalizer }) {
    const logits = verbalizer
      ? wordScores(b, model.architecture, model.config, verbalizer)
      : textLogits(b, model, labels.length);
    const targets = labelInputs(b, verbalizer ? 'texts' : 'batch');
    return { logits, lossSum: weightedCrossEntropy(b, logits, ...targets), losses: null };
  },
  checkpoint(b, model, { labels, verbalizer }) {
    if (verbalizer) languageModel(b, model);
    else textHead(b, model, labels.length);
  },
  targets(placed, { labels: classes, verbalizer }) {
    const { size, labels, weights: given } = placed.batch;
    const tensors: Record<string, Target> = {};
    if (verbalizer) {
      const read = rowsRead(placed, verbalizer.slots);
      tensors['label_rows'] = { data: read, shape: [read.length] };
    } else if (labels.length !== size)
      throw new EngineError('bad-input', `Batch: ${labels.length} labels for ${size} rows.`);
    requireLabels(labels, classes.length);
    const weights = given ?? new Float32Array(labels.length).fill(1);
    const shape = [labels.length];
    return {
      tensors: { ...tensors, labels: { data: labels, shape }, weights: { data: weights, shape } },
      weight: sumOf(weights),
      sizes: { texts: labels.length },
    };
  },
};

/** The rows at which a verbalizer reads. */
function rowsRead(placed: Placed, slots: number): Int32Array {
  const { reads, labels } = placed.batch;
  if (reads?.length !== labels.length * slots)
    throw new EngineError(
      'bad-input',
      `Batch: ${reads?.length ?? 0} places to read for ${labels.length} texts of ${slots}.`,
    );
  const rows = rowsOfCells(placed);
  return reads.map((cell) => {
    const row = rows[cell] ?? -1;
    if (row < 0) throw new EngineError('bad-input', `Batch: a verbalizer reads cell ${cell}, which holds no token.`);
    return row;
  });
}
