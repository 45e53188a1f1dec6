/** Each token from those before it: cross-entropy over the vocabulary, whose logits never stand in memory together. */
import { EngineError } from '../errors.js';
import type { ObjectiveSpec } from '../types.js';
import { labelInputs, languageModel, rowsWithLabel, type Objective } from './objective.js';
import { rowsOfCells, type Placed } from './placed.js';
import { requireTokenLabels, tokenTargets } from './targets.js';

/** Logits of this many values stand in memory at a time (16 MB, and their softmax as much again), but of 64 rows at least. */
const LOGITS = 4_194_304;

export const causalLm: Objective<Extract<ObjectiveSpec, { type: 'causal-lm' }>> = {
  packs: true,
  language: true,
  graph(b, model) {
    const { architecture, config } = model;
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
    const { sum, each } = b.g.tokenLoss(rowsWithLabel(b, model), table, ...labelInputs(b, 'labelled'), chunk);
    return { logits: null, lossSum: sum, losses: each };
  },
  checkpoint: languageModel,
  targets(placed, _spec, { virtual, vocabularySize }) {
    requireTokenLabels(placed);
    return tokenTargets(nextTokens(placed, virtual), vocabularySize);
  },
};

/** The rows that have to give a label: those before the tokens that have one, row by row of the batch. */
function nextTokens(placed: Placed, virtual: number) {
  const { batch } = placed;
  const { size, sequence, attentionMask, labels: all } = batch;
  const rowOf = rowsOfCells(placed);
  const [rows, labels, weights]: [number[], number[], number[]] = [[], [], []];
  for (let text = 0; text < size; text++) {
    for (let at = 0; at < sequence; at++) {
      const here = text * sequence + at;
      const label = all[here] as number;
      if (label === -100 || attentionMask[here] === 0) continue;
      const begins = at === 0 || attentionMask[here - 1] !== attentionMask[here];
      // The last virtual token stands before each example; without one nothing gives an example's first token.
      if (begins && (virtual === 0 || at > 0)) continue;
      rows.push(begins ? (virtual - 1) * size + text : (rowOf[here - 1] as number));
      labels.push(label);
      weights.push(batch.weights?.[text] ?? 1);
    }
  }
  return { rows, labels, weights };
}
