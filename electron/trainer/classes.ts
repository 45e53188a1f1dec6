/** Learning a class of each row. */
import type { Training } from '../contract/plan.js';
import { classBatches, classWeights, encodeRows, type EncodedRows, type TextTokenizer } from '../data/index.js';
import { scoresFromLogits, softmax } from '../evaluation/index.js';
import type { BaseModelInfo } from '../engine/index.js';
import { logitsOf } from './evaluate.js';
import type { Between, Learning, Measured } from './learning.js';
import type { TestPrediction, TrainerEvent } from './protocol.js';
import { readingOf, type ReadTask, type TaskReading } from './reading.js';

const predictionsAtOnce = 500;

/** By a head, or by a verbalizer. @throws StudioError `bad-input` for words that the tokenizer cannot spell */
export async function learnClasses(
  task: ReadTask,
  training: Pick<Training, 'maxLength' | 'classWeights'>,
  tokenizer: TextTokenizer,
  model: Pick<BaseModelInfo, 'architecture'>,
): Promise<Learning> {
  return learnRead(await readingOf(task, tokenizer, model), training, tokenizer);
}

/** The same with texts read in a given way. */
export function learnRead(
  { encoder, reading, objective }: TaskReading,
  training: Pick<Training, 'maxLength' | 'classWeights'>,
  tokenizer: TextTokenizer,
): Learning {
  const { labels } = objective;
  const padding = { padId: tokenizer.padId, reading };
  const measured = async (trainer: Measured, encoded: EncodedRows, between: Between) => {
    const logits = await logitsOf(trainer, encoded, labels.length, padding, between);
    return { logits, scores: scoresFromLogits(logits, encoded.labels, labels.length) };
  };
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
        measure: async (model, between) => (await measured(model, encoded, between)).scores,
        test: async ({ trainer, between, emit }) => {
          const { logits, scores } = await measured(trainer, encoded, between);
          await sendPredictions(encoded, logits, labels.length, emit);
          return scores;
        },
      };
    },
  };
}

async function sendPredictions(
  encoded: EncodedRows,
  logits: Float32Array,
  classes: number,
  emit: (event: TrainerEvent) => Promise<void>,
): Promise<void> {
  const probabilities = softmax(logits, classes);
  for (let from = 0; from < encoded.size; from += predictionsAtOnce) {
    const rows: TestPrediction[] = Array.from(encoded.ids.subarray(from, from + predictionsAtOnce), (id, offset) => {
      const at = (from + offset) * classes;
      const own = Array.from(logits.subarray(at, at + classes));
      return {
        id,
        label: encoded.labels[from + offset] ?? 0,
        predicted: own.indexOf(Math.max(...own)),
        logits: own,
        probabilities: Array.from(probabilities.subarray(at, at + classes)),
      };
    });
    await emit({ type: 'predictions', rows });
  }
}
