/** Learning a number of each row; the trainer learns them as standard scores (standardized.ts), and what is told here is in the data's unit. */
import { classBatches, encodeRows, spreadOf, type TextTokenizer } from '../../data/index.js';
import { numberAnswers, numberScores } from '../../evaluation/index.js';
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
      const outputs = (model: Measured, between: Between) => logitsOf(model, encoded, 1, padding, between);
      return {
        size: encoded.size,
        batches: classBatches(encoded, padding),
        notes: [],
        spread: spreadOf(targets),
        measure: async (model, between) => numberScores(targets, await outputs(model, between)),
        test: async ({ trainer, between, emit }) => {
          const answers = numberAnswers(await outputs(trainer, between), targets);
          await sendOutcomes<'regression'>(encoded.ids, emit, answers.row);
          return answers.scores;
        },
      };
    },
  };
}
