/** What two models that should be one are compared by, in words. */
import { objectiveTable, type Objective } from './objectives.js';

/** Models that differ by more than this are not called the same: float32 sums in another order stay well below. */
export const alike = 1e-3;

interface AnswerWords {
  /** "every label the same". */
  readonly one: string;
  /** "the same labels". */
  readonly many: string;
  /** "the largest difference of a logit". */
  readonly difference: string;
}

const logit = 'a logit';
const loss = "a token's loss";
const labels = { one: 'label', many: 'labels', difference: logit };

const words: { readonly [A in (typeof objectiveTable)[Objective]['answers']]: AnswerWords } = {
  classes: labels,
  /** Beyond 1 the difference is a share of the number: a float holds so many places and no more. */
  number: { one: 'number', many: 'numbers', difference: 'a number (of its size, where that is above 1)' },
  labels,
  entities: { one: 'tag', many: 'tags', difference: logit },
  span: { one: 'answer', many: 'answers', difference: logit },
  text: { one: 'generated token', many: 'text', difference: loss },
  nothing: { one: 'guessed token', many: 'guesses', difference: loss },
};

export const answerWordsOf = (objective: Objective): AnswerWords => words[objectiveTable[objective].answers];
