/** Learning a class of each row. */
import type { Training } from '../../contract/plan.js';
import { classBatches, classWeights, encodeRows, type EncodedRows, type TextTokenizer } from '../../data/index.js';
import { classAnswers, scoresFromLogits } from '../../evaluation/index.js';
import type { BaseModelInfo } from '../../engine/index.js';
import { logitsOf } from '../evaluate.js';
import type { Between, Learning, Measured } from '../learning.js';
import { sendOutcomes } from '../outcomes.js';
import { classReading, type ClassReading, type LearnedClasses } from '../reading.js';

/** By a head, or by a verbalizer. @throws StudioError `bad-input` for words that the tokenizer cannot spell */
export async function learnClasses(
  task: Omit<LearnedClasses, 'type'>,
  training: Pick<Training, 'maxLength' | 'classWeights'>,
  tokenizer: TextTokenizer,
  model: Pick<BaseModelInfo, 'architecture'>,
): Promise<Learning> {
  return learnRead(await classReading(task, tokenizer, model), training, tokenizer);
}

/** The same with texts read in a given way. */
export function learnRead(
  { encoder, reading, objective }: ClassReading,
  training: Pick<Training, 'maxLength' | 'classWeights'>,
  tokenizer: TextTokenizer,
): Learning {
  const { labels } = objective;
  const padding = { padId: tokenizer.padId, reading };
  const classes = labels.length;
  const outputs = (trainer: Measured, encoded: EncodedRows, between: Between) =>
    logitsOf(trainer, encoded, classes, padding, between);
  return {
    objective,
    async encode(rows) {
      const encoded = await encodeRows(rows, encoder, { labels, maxLength: training.maxLength });
      const counts = labels.map(() => 0);
      for (const label of encoded.labels) counts[label] = (counts[label] ?? 0) + 1;
      return {
        size: encoded.size,
        batches: classBatches(encoded, padding, classWeights(training.classWeights, labels, counts)),
        notes: [],
        measure: async (model, between) =>
          scoresFromLogits(await outputs(model, encoded, between), encoded.labels, classes),
        test: async ({ trainer, between, emit }) => {
          const answers = classAnswers(await outputs(trainer, encoded, between), encoded.labels, classes);
          await sendOutcomes<'classification'>(encoded.ids, emit, answers.row);
          return answers.scores;
        },
      };
    },
  };
}
