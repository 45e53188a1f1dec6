/** How an objective's test rows are measured. One file an objective, all of this shape. */
import type { Measure } from '../../contract/measures.js';

/** A run's score on its test rows, each counted `times` (once where left out). Larger is better; 0.01 more is one point. */
export type RowScore = (times?: ArrayLike<number>) => number;

/** `O`: what is stored of a test row (contract/outcomes.ts). */
export interface EvaluatedTask<O> {
  /** What the row asks for, as text: two runs are paired on rows for which it is the same. */
  truth(outcome: O): string;
  /** Is a row counted by a measure? */
  counts(outcome: O, measure: Measure): boolean;
  /** The score of these rows in one of the objective's measures. */
  score(outcomes: readonly O[], measure: Measure): RowScore;
}
