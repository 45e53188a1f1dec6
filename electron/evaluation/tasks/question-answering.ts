/** Answers marked in contexts: exact match and F1, the means over questions, as SQuAD's scripts have them. */
import type { Scores } from '../../contract/entities.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import { rowIntervals, weightedMean } from '../bootstrap.js';
import { answerScores } from '../squad.js';
import type { EvaluatedTask } from './task.js';

type Outcome = OutcomeOf<'question-answering'>;

export const questionAnswering: EvaluatedTask<Outcome> = {
  truth: ({ right }) => JSON.stringify(right),
  counts: () => true,
  score(outcomes, measure) {
    const each = outcomes.map(({ right, given }) => answerScores(right, given));
    const values = each.map(({ exact, f1 }) => (measure === 'exactMatch' ? exact : f1));
    return (times) => weightedMean(values, times);
  },
};

/** @param loss mean over the windows that the questions were read in, in nats */
export function answerSplitScores(
  outcomes: readonly Outcome[],
  loss: number,
): Scores & Record<'answerF1' | 'exactMatch', number> {
  const each = outcomes.map(({ right, given }) => answerScores(right, given));
  const [f1, exact] = [each.map((one) => one.f1), each.map((one) => one.exact)];
  const of = (times?: ArrayLike<number>) => ({
    answerF1: weightedMean(f1, times),
    exactMatch: weightedMean(exact, times),
  });
  const intervals = rowIntervals(outcomes.length, of);
  return {
    objective: 'question-answering',
    loss,
    ...of(),
    answerF1Interval: intervals?.answerF1 ?? null,
    exactMatchInterval: intervals?.exactMatch ?? null,
  };
}
