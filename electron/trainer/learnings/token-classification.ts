/** Learning a tag of each word. */
import { StudioError } from '../../contract/errors.js';
import type { LearnedObjective } from '../../contract/learned.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import { encodeWords, wordBatches, type TextTokenizer, type WordRows } from '../../data/index.js';
import { entitiesOf } from '../../contract/marked.js';
import { entitySplitScores, typeScores } from '../../evaluation/index.js';
import { readTags } from '../entities.js';
import type { Between, Learning, LearningTask, Measured } from '../learning.js';
import { sendOutcomes } from '../outcomes.js';

type Outcome = OutcomeOf<'token-classification'>;
const number = (value: number) => value.toLocaleString('en');
const percent = (share: number) => (100 * share).toFixed(1);

/** @throws StudioError `bad-input` for class weights, which tags do not have */
export async function learnTags(
  objective: Extract<LearnedObjective, { type: 'token-classification' }>,
  { training }: LearningTask,
  tokenizer: TextTokenizer,
): Promise<Learning> {
  const { labels } = objective;
  refuseWeights(training.classWeights);
  const measured = async (model: Measured, split: WordRows, between: Between) => {
    const pass = await readTags((batch) => model.evaluate(batch), split, labels, tokenizer.padId, between);
    const outcomes = split.rows.map(({ tags }, row): Outcome => ({
      entities: entitiesOf(tags).map((entity) => [...entity]),
      found: entitiesOf(pass.rows[row]?.tags ?? []).map((entity) => [...entity]),
    }));
    return { pass, outcomes, scores: entitySplitScores(outcomes, pass.losses) };
  };
  return {
    objective: { type: 'token-classification', labels },
    async encode(rows) {
      const split = await encodeWords(rows, tokenizer, { labels, maxLength: training.maxLength });
      return {
        size: split.size,
        batches: wordBatches(split, tokenizer.padId),
        notes: notesOn(split, training.maxLength),
        measure: async (model, between) => (await measured(model, split, between)).scores,
        test: async ({ trainer, between, emit, log }) => {
          const { pass, outcomes, scores } = await measured(trainer, split, between);
          await sendOutcomes<'token-classification'>(
            split.rows.map(({ id }) => id),
            emit,
            (row) => ({
              outcome: outcomes[row] ?? { entities: [], found: [] },
              details: { tags: [...(pass.rows[row]?.tags ?? [])] },
            }),
          );
          for (const { type, precision, recall, f1, entities } of typeScores(outcomes))
            log?.(
              `Test, ${type}: F1 ${percent(f1)} %, precision ${percent(precision)} %, recall ${percent(recall)} %, ${number(entities)} entities.`,
            );
          return scores;
        },
      };
    },
  };
}

/** @throws StudioError `bad-input` */
export function refuseWeights(weights: LearningTask['training']['classWeights']): void {
  if (weights !== null)
    throw new StudioError(
      'bad-input',
      'training.classWeights: weights are of classes of whole texts, and this run has none.',
      'Leave them out.',
      { path: 'training.classWeights' },
    );
}

function notesOn({ cut, lost }: WordRows, maxLength: number): string[] {
  const rows = `${number(cut.rows)} ${cut.rows === 1 ? 'sentence' : 'sentences'}`;
  return [
    ...(cut.words > 0
      ? [
          `${number(cut.words)} words of ${rows} lie beyond ${maxLength} tokens: nothing is learned of them, and in scores they count as O.`,
        ]
      : []),
    ...(lost > 0
      ? [`${number(lost)} words are nothing to the tokenizer (control signs, for instance); in scores they count as O.`]
      : []),
  ];
}
