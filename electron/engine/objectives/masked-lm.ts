/** Tokens that were masked, from all others (Devlin et al. 2018): cross-entropy over the vocabulary. */
import type { ObjectiveSpec } from '../types.js';
import { weightedCrossEntropy } from './losses.js';
import { labelInputs, languageModel, rowsWithLabel, type Objective } from './objective.js';
import { requireTokenLabels, tokenTargets } from './targets.js';

export const maskedLm: Objective<Extract<ObjectiveSpec, { type: 'masked-lm' }>> = {
  packs: false,
  language: true,
  graph(b, model) {
    const { architecture, config } = model;
    const logits = architecture.predictTokens(b, config, rowsWithLabel(b, model));
    return { logits, lossSum: weightedCrossEntropy(b, logits, ...labelInputs(b, 'labelled')), losses: null };
  },
  checkpoint: languageModel,
  targets(placed, _spec, { vocabularySize }) {
    requireTokenLabels(placed);
    const { batch, tokens, before } = placed;
    const { size, sequence, labels: all } = batch;
    const [rows, labels]: [number[], number[]] = [[], []];
    tokens.forEach((cell, i) => {
      const label = all[(cell % size) * sequence + Math.floor(cell / size)] as number;
      if (label === -100) return;
      rows.push(before + i);
      labels.push(label);
    });
    return tokenTargets({ rows, labels, weights: rows.map(() => 1) }, vocabularySize);
  },
};
