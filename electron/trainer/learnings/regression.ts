/** Learning a number of each row. The numbers are learned as they stand in the data, as transformers does: no scaling, so none to undo. */
import { classBatches, encodeRows, type TextTokenizer } from '../../data/index.js';
import { numberScores } from '../../evaluation/index.js';
import { logitsOf } from '../evaluate.js';
import type { Between, Learning, LearningTask, Measured } from '../learning.js';
import { sendOutcomes } from '../outcomes.js';

/** Squared errors of numbers beyond this are too steep for usual learning rates. */
const wide = 20;

export function learnNumbers({ training }: LearningTask, tokenizer: TextTokenizer): Learning {
  const padding = { padId: tokenizer.padId };
  return {
    objective: { type: 'regression' },
    async encode(rows) {
      const encoded = await encodeRows(rows, tokenizer, {
        labels: null,
        targets: { width: 1, of: (label) => [Number(label)] },
        maxLength: training.maxLength,
      });
      const targets = encoded.targets ?? new Float32Array();
      const measured = async (model: Measured, between: Between) => {
        const values = await logitsOf(model, encoded, 1, padding, between);
        return { values, scores: numberScores(targets, values) };
      };
      const farthest = targets.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return {
        size: encoded.size,
        batches: classBatches(encoded, padding),
        notes:
          farthest > wide
            ? [
                `The numbers reach ${farthest.toPrecision(4)}; the loss is their squared error. Should it not fall, scale the column to about 0 to 5.`,
              ]
            : [],
        measure: async (model, between) => (await measured(model, between)).scores,
        test: async ({ trainer, between, emit }) => {
          const { values, scores } = await measured(trainer, between);
          await sendOutcomes<'regression'>(encoded.ids, emit, (row) => ({
            outcome: { target: targets[row] ?? 0, value: values[row] ?? 0 },
            details: null,
          }));
          return scores;
        },
      };
    },
  };
}
