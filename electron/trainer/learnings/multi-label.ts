/** Learning which of some labels each row has, any number of them. */
import { labelsOfRow } from '../../contract/labels.js';
import { StudioError } from '../../contract/errors.js';
import { classBatches, encodeRows, type TextTokenizer } from '../../data/index.js';
import { labelAnswers, labelScores } from '../../evaluation/index.js';
import { logitsOf } from '../evaluate.js';
import type { Between, Learning, LearningTask, Measured } from '../learning.js';
import { sendOutcomes } from '../outcomes.js';

export function learnLabels(
  labels: readonly string[],
  { training }: Pick<LearningTask, 'training'>,
  tokenizer: TextTokenizer,
): Learning {
  const padding = { padId: tokenizer.padId };
  const classes = labels.length;
  const numbers = new Map(labels.map((label, index) => [label, index]));
  const flagsOf = (label: string, row: number): number[] => {
    const flags = labels.map(() => 0);
    for (const one of labelsOfRow(label)) {
      const index = numbers.get(one);
      if (index === undefined)
        throw new StudioError(
          'bad-data',
          `Row ${row} has the label "${one}", which is not one of the data set's ${classes} labels.`,
          'Import the data again.',
          { row },
        );
      flags[index] = 1;
    }
    return flags;
  };
  return {
    objective: { type: 'multi-label', labels },
    async encode(rows) {
      const encoded = await encodeRows(rows, tokenizer, {
        labels: null,
        targets: { width: classes, of: flagsOf },
        maxLength: training.maxLength,
      });
      const targets = encoded.targets ?? new Float32Array();
      const outputs = (model: Measured, between: Between) => logitsOf(model, encoded, classes, padding, between);
      return {
        size: encoded.size,
        batches: classBatches(encoded, padding),
        notes: [],
        measure: async (model, between) => labelScores(await outputs(model, between), targets, classes),
        test: async ({ trainer, between, emit }) => {
          const answers = labelAnswers(await outputs(trainer, between), targets, classes);
          await sendOutcomes<'multi-label'>(encoded.ids, emit, answers.row);
          return answers.scores;
        },
      };
    },
  };
}
