/** Masked language models: loss a masked token, its perplexity, and the share of masked tokens that are guessed. */
import type { Scores } from '../../contract/entities.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import { rowIntervals } from '../bootstrap.js';
import type { EvaluatedTask } from './task.js';

type Outcome = OutcomeOf<'masked-lm'>;

export const maskedLm: EvaluatedTask<Outcome> = {
  // Texts of other tokens have other masks.
  truth: ({ masked }) => String(masked),
  counts: () => true,
  score(outcomes, measure) {
    const total = totalsOf(outcomes);
    return measure === 'maskedAccuracy' ? (times) => total(times).accuracy : (times) => -total(times).loss;
  },
};

/** Loss and accuracy a masked token over texts that were drawn `times` each; 0 without a token. */
function totalsOf(outcomes: readonly Outcome[]): (times?: ArrayLike<number>) => { loss: number; accuracy: number } {
  return (times) => {
    let [loss, correct, masked] = [0, 0, 0];
    outcomes.forEach((outcome, row) => {
      const drawn = times === undefined ? 1 : (times[row] ?? 0);
      loss += drawn * outcome.lossSum;
      correct += drawn * outcome.correct;
      masked += drawn * outcome.masked;
    });
    return masked === 0 ? { loss: 0, accuracy: 0 } : { loss: loss / masked, accuracy: correct / masked };
  };
}

/** The scores of a split's texts, with their intervals over the texts. */
export function maskedScores(outcomes: readonly Outcome[]): Scores {
  const total = totalsOf(outcomes);
  const { loss, accuracy } = total();
  const ends = rowIntervals(outcomes.length, total);
  return {
    objective: 'masked-lm',
    loss,
    perplexity: Math.exp(loss),
    maskedAccuracy: accuracy,
    lossInterval: ends?.loss ?? null,
    perplexityInterval: ends && { low: Math.exp(ends.loss.low), high: Math.exp(ends.loss.high) },
    maskedAccuracyInterval: ends?.accuracy ?? null,
  };
}
