/** Learning which of some labels each row has, any number of them. */
import { labelsOfRow } from '../../contract/labels.js';
import { StudioError } from '../../contract/errors.js';
import { classBatches, encodeRows, type TextTokenizer } from '../../data/index.js';
import { labelScores, sigmoid, toldLabels } from '../../evaluation/index.js';
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
      const measured = async (model: Measured, between: Between) => {
        const logits = await logitsOf(model, encoded, classes, padding, between);
        return { logits, scores: labelScores(logits, targets, classes) };
      };
      return {
        size: encoded.size,
        batches: classBatches(encoded, padding),
        notes: [],
        measure: async (model, between) => (await measured(model, between)).scores,
        test: async ({ trainer, between, emit }) => {
          const { logits, scores } = await measured(trainer, between);
          await sendOutcomes<'multi-label'>(encoded.ids, emit, (row) => {
            const own = logits.subarray(row * classes, (row + 1) * classes);
            const truth = targets.subarray(row * classes, (row + 1) * classes);
            return {
              outcome: {
                labels: Array.from(truth.keys()).filter((label) => truth[label] === 1),
                predicted: toldLabels(own),
                of: classes,
              },
              details: { probabilities: Array.from(own, sigmoid) },
            };
          });
          return scores;
        },
      };
    },
  };
}
