/** The scores of a language model on a split, with their intervals over the rows. */
import type { LanguageScores } from '../contract/entities.js';
import { resampledRows } from './bootstrap.js';

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
export function tokenLoss({ sums, tokens }: RowLosses, times?: ArrayLike<number>): number {
  let [sum, count] = [0, 0];
  for (let row = 0; row < sums.length; row += 1) {
    const drawn = times === undefined ? 1 : (times[row] ?? 0);
    sum += drawn * (sums[row] ?? 0);
    count += drawn * (tokens[row] ?? 0);
  }
  return count === 0 ? 0 : sum / count;
}

/** Share of rows, drawn `times` each, that are exact. */
export function exactShare(exact: ArrayLike<number>, times?: ArrayLike<number>): number {
  let [right, count] = [0, 0];
  for (let row = 0; row < exact.length; row += 1) {
    const drawn = times === undefined ? 1 : (times[row] ?? 0);
    right += drawn * (exact[row] ?? 0);
    count += drawn;
  }
  return count === 0 ? 0 : right / count;
}

/** @param matches of the rows whose answers were generated; null where none were */
export function languageScores(losses: RowLosses, matches: readonly AnswerMatch[] | null): LanguageScores {
  const loss = tokenLoss(losses);
  const lossInterval = resampledRows(losses.sums.length, (times) => tokenLoss(losses, times));
  const exact = matches === null ? null : Uint8Array.from(matches, (match) => (match.exact ? 1 : 0));
  return {
    loss,
    perplexity: Math.exp(loss),
    exactMatch: exact === null ? null : exactShare(exact),
    exactMatchRows: exact?.length ?? 0,
    lossInterval,
    perplexityInterval: lossInterval && { low: Math.exp(lossInterval.low), high: Math.exp(lossInterval.high) },
    exactMatchInterval: exact === null ? null : resampledRows(exact.length, (times) => exactShare(exact, times)),
  };
}
