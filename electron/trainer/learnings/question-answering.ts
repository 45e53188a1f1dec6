/** Learning to mark a question's answer in its context. */
import { StudioError } from '../../contract/errors.js';
import type { LearnedObjective } from '../../contract/learned.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import {
  encodeQuestions,
  windowBatches,
  type AskedQuestion,
  type TextTokenizer,
  type WindowRows,
} from '../../data/index.js';
import { answerSplitScores } from '../../evaluation/index.js';
import type { Between, Learning, LearningTask, Measured } from '../learning.js';
import { sendOutcomes } from '../outcomes.js';
import type { SplitRow } from '../protocol.js';
import { readSpans } from '../spans.js';
import { refuseWeights } from './token-classification.js';

type Outcome = OutcomeOf<'question-answering'>;
const number = (value: number) => value.toLocaleString('en');
/** Of the answers that were weighed, those that are kept to be shown. */
const kept = 3;

/** @throws StudioError `bad-input` for class weights, which answers do not have */
export async function learnAnswers(
  { unanswerable }: Extract<LearnedObjective, { type: 'question-answering' }>,
  { training }: LearningTask,
  tokenizer: TextTokenizer,
): Promise<Learning> {
  const { maxLength, windowStride, maxAnswerTokens, classWeights } = training;
  refuseWeights(classWeights);
  const options = { unanswerable, maxAnswerTokens, padId: tokenizer.padId };
  const measured = async (model: Measured, split: WindowRows, between: Between) => {
    const { questions, loss } = await readSpans((batch) => model.evaluate(batch), split, options, between);
    const outcomes = split.questions.map(({ answers }, question): Outcome => ({
      right: answers.map(({ text }) => text),
      given: questions[question]?.best[0]?.text ?? '',
    }));
    return { questions, outcomes, scores: answerSplitScores(outcomes, loss) };
  };
  return {
    objective: { type: 'question-answering' },
    async encode(rows) {
      const split = await encodeQuestions(asked(rows), tokenizer, { maxLength, stride: windowStride });
      return {
        size: split.size,
        rows: split.questions.length,
        batches: windowBatches(split, tokenizer.padId),
        notes: notesOn(split, maxLength),
        measure: async (model, between) => (await measured(model, split, between)).scores,
        test: async ({ trainer, between, emit }) => {
          const { questions, outcomes, scores } = await measured(trainer, split, between);
          await sendOutcomes<'question-answering'>(
            split.questions.map(({ id }) => id),
            emit,
            (row) => ({
              outcome: outcomes[row] ?? { right: [], given: '' },
              details: { best: (questions[row]?.best ?? []).slice(0, kept).map((answer) => ({ ...answer })) },
            }),
          );
          return scores;
        },
      };
    },
  };
}

async function* asked(rows: AsyncIterable<SplitRow> | Iterable<SplitRow>): AsyncGenerator<AskedQuestion> {
  for await (const { id, text, pair, answers } of rows) {
    if (pair === null || answers === null)
      throw new StudioError('bad-data', `Row ${id} has no context or no answers.`, 'Import the data again.', {
        row: id,
      });
    yield { id, text, pair, answers };
  }
}

function notesOn({ questions, size, cut }: WindowRows, maxLength: number): string[] {
  return [
    ...(size > questions.length
      ? [`${number(questions.length)} questions are read in ${number(size)} windows of up to ${maxLength} tokens.`]
      : []),
    ...(cut > 0 ? [`${number(cut)} questions are longer than half of a window and are cut.`] : []),
  ];
}
