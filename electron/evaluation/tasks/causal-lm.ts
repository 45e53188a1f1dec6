/** Language models: loss a token, its perplexity, and answers that are the expected text. */
import type { Scores } from '../../contract/entities.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import { rowIntervals, weightedMean } from '../bootstrap.js';
import type { EvaluatedTask } from './task.js';

export const causalLm: EvaluatedTask<OutcomeOf<'causal-lm'>> = {
  // Rows of other tokens have other losses, whatever the model.
  truth: ({ tokens }) => String(tokens),
  counts: ({ exact }, measure) => measure !== 'exactMatch' || exact !== null,
  score(outcomes, measure) {
    if (measure === 'exactMatch') {
      const exact = outcomes.map((outcome) => Number(outcome.exact === true));
      return (times) => weightedMean(exact, times);
    }
    const losses = { sums: outcomes.map(({ loss }) => loss), tokens: outcomes.map(({ tokens }) => tokens) };
    return (times) => -tokenLoss(losses, times);
  },
};

/** Rows of a split under one run, two parallel lists: the sum of the trained tokens' losses in nats, and how many these are. */
export interface RowLosses {
  readonly sums: ArrayLike<number>;
  readonly tokens: ArrayLike<number>;
}

/** A generated answer beside the one that the row has. */
export interface AnswerMatch {
  readonly answer: string;
  /** The same text, blanks aside. */
  readonly exact: boolean;
}

/** Loss a token over all tokens of rows that were drawn `times` each, in nats; 0 without a token. */
function tokenLoss({ sums, tokens }: RowLosses, times?: ArrayLike<number>): number {
  let [sum, count] = [0, 0];
  for (let row = 0; row < sums.length; row += 1) {
    const drawn = times === undefined ? 1 : (times[row] ?? 0);
    sum += drawn * (sums[row] ?? 0);
    count += drawn * (tokens[row] ?? 0);
  }
  return count === 0 ? 0 : sum / count;
}

/** What the scores of a language model always hold. */
export type LanguageScores = Scores & { readonly perplexity: number; readonly exactMatch: number | null };

/** @param matches of the rows whose answers were generated; null where none were */
export function languageScores(losses: RowLosses, matches: readonly AnswerMatch[] | null): LanguageScores {
  const loss = tokenLoss(losses);
  const ofLoss = rowIntervals(losses.sums.length, (times) => ({ loss: tokenLoss(losses, times) }))?.loss ?? null;
  const exact = matches?.map((match) => Number(match.exact)) ?? null;
  const ofExact = exact && rowIntervals(exact.length, (times) => ({ exact: weightedMean(exact, times) }));
  return {
    objective: 'causal-lm',
    loss,
    perplexity: Math.exp(loss),
    exactMatch: exact === null ? null : weightedMean(exact),
    exactMatchRows: exact?.length ?? 0,
    lossInterval: ofLoss,
    perplexityInterval: ofLoss && { low: Math.exp(ofLoss.low), high: Math.exp(ofLoss.high) },
    exactMatchInterval: ofExact?.exact ?? null,
  };
}
