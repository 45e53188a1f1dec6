/** Learning a number of each row; the trainer learns them as standard scores (standardized.ts), and what is told here is in the data's unit. */
import { classBatches, encodeRows, spreadOf, type TextTokenizer } from '../../data/index.js';
import { numberScores } from '../../evaluation/index.js';
import { logitsOf } from '../evaluate.js';
import type { Between, Learning, LearningTask, Measured } from '../learning.js';
import { sendOutcomes } from '../outcomes.js';

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
      return {
        size: encoded.size,
        batches: classBatches(encoded, padding),
        notes: [],
        spread: spreadOf(targets),
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
