/** Scores as the screens show them: of classifiers macro F1 first, of language models perplexity. */
import type { Scores } from '../../electron/contract/index.js';
import { interval, number, percent } from './format.js';

export interface ShownScore {
  /** "macro F1" */
  readonly name: string;
  readonly value: string;
  /** "%", or nothing. */
  readonly unit: string;
  /** "41.0 to 45.2"; null where it was not computed. */
  readonly range: string | null;
}

/** Digits of a perplexity: three places below a hundred, whole above a thousand. */
export const perplexityDigits = (value: number): number => (value < 100 ? 2 : value < 1000 ? 1 : 0);
export const perplexity = (value: number): string => number(value, perplexityDigits(value));

type Ends = { readonly low: number; readonly high: number } | null | undefined;
const shares = (ends: Ends) => (ends ? interval(ends.low * 100, ends.high * 100) : null);

/** The score by which runs are chosen and named. */
export function mainScore(scores: Scores): ShownScore {
  if ('macroF1' in scores)
    return { name: 'macro F1', value: percent(scores.macroF1), unit: '%', range: shares(scores.macroF1Interval) };
  const { perplexity: value, perplexityInterval: ends } = scores;
  return {
    name: 'perplexity',
    value: perplexity(value),
    unit: '',
    range: ends ? interval(ends.low, ends.high, perplexityDigits(ends.high)) : null,
  };
}

/** The one that stands beside it; of language models before the test the loss. */
export function secondScore(scores: Scores): ShownScore {
  if ('macroF1' in scores)
    return { name: 'accuracy', value: percent(scores.accuracy), unit: '%', range: shares(scores.accuracyInterval) };
  const { exactMatch, exactMatchInterval, loss, lossInterval } = scores;
  if (exactMatch !== null)
    return { name: 'exact match', value: percent(exactMatch), unit: '%', range: shares(exactMatchInterval) };
  return {
    name: 'loss',
    value: number(loss, 3),
    unit: 'nats',
    range: lossInterval ? interval(lossInterval.low, lossInterval.high, 3) : null,
  };
}

/** "macro F1 43.1 %" */
export const inWords = ({ name, value, unit }: ShownScore): string =>
  `${name} ${value}${unit === '' ? '' : ` ${unit}`}`;

/** Larger is better: macro F1, or the loss below zero. For sorting only. */
export const rankOf = (scores: Scores): number => ('macroF1' in scores ? scores.macroF1 : -scores.loss);
