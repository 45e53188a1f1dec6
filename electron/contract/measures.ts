/** What runs are measured by: one table that evaluation, screens and the command read. A new measure is an entry here. */
import { z } from 'zod';

interface MeasureFacts {
  /** As a sentence has it: "macro F1". */
  readonly name: string;
  readonly better: 'higher' | 'lower';
  /** Shown times this: 100 for shares, which are told in percent. */
  readonly factor: 1 | 100;
  /** Behind a shown value. */
  readonly unit: '%' | '';
  /** Behind it where there is no room for its name. */
  readonly short: string;
  /** Decimals of a shown value. */
  digits(shown: number): number;
  /** What differences from a baseline are told in: hundredths of the measure, or percent of the baseline's. */
  readonly difference: 'points' | '%';
  /** What readers of a comparison should know of it, as sentences; null for what needs no words. */
  readonly about: string | null;
  /** What the measure cannot leave. */
  readonly bounds: { readonly low: number; readonly high: number };
}

const share = {
  better: 'higher',
  factor: 100,
  unit: '%',
  short: '%',
  digits: () => 1,
  difference: 'points',
  about: null,
  bounds: { low: 0, high: 1 },
} as const;

const correlation = {
  better: 'higher',
  factor: 1,
  unit: '',
  digits: () => 3,
  difference: 'points',
  about: 'A point is a hundredth of the correlation.',
  bounds: { low: -1, high: 1 },
} as const;

export const measures = [
  'macroF1',
  'accuracy',
  'entityF1',
  'entityPrecision',
  'entityRecall',
  'answerF1',
  'pearson',
  'spearman',
  'microF1',
  'subsetAccuracy',
  'perplexity',
  'exactMatch',
  'maskedAccuracy',
] as const;
export const measureSchema = z.enum(measures);
export type Measure = z.infer<typeof measureSchema>;

export const measureTable: { readonly [M in Measure]: MeasureFacts } = {
  macroF1: { ...share, name: 'macro F1' },
  accuracy: { ...share, name: 'accuracy' },
  entityF1: {
    ...share,
    name: 'entity F1',
    about:
      'An entity counts as found where its first word, its last word and its type are right; precision, recall and F1 are over all entities together, as seqeval has it.',
  },
  entityPrecision: { ...share, name: 'entity precision' },
  entityRecall: { ...share, name: 'entity recall' },
  answerF1: {
    ...share,
    name: 'answer F1',
    about:
      "F1 of the words that an answer shares with the expected one, the mean over questions, as SQuAD's script has it: lower case, without punctuation and articles.",
  },
  pearson: { ...correlation, name: 'Pearson', short: 'r' },
  /** Of the ranks, ties at their mean. */
  spearman: { ...correlation, name: 'Spearman', short: 'ρ' },
  /** Over all labels of all rows together. */
  microF1: { ...share, name: 'micro F1' },
  /** Share of rows whose labels are all right, and no others told. */
  subsetAccuracy: { ...share, name: 'subset accuracy' },
  /** e to the power of the loss a token. */
  perplexity: {
    name: 'perplexity',
    better: 'lower',
    factor: 1,
    unit: '',
    short: 'ppl',
    // Three places below a hundred, whole above a thousand.
    digits: (value) => (value < 100 ? 2 : value < 1000 ? 1 : 0),
    difference: '%',
    about:
      'Perplexity is e to the power of the loss a token over all trained tokens of the rows; its differences are in percent of it, above zero where the method has the lower one.',
    bounds: { low: 1, high: Infinity },
  },
  /** Share of answers that are the expected one: of generated ones blanks aside, of marked ones as SQuAD's script has it. */
  exactMatch: { ...share, name: 'exact match' },
  /** Share of masked tokens whose likeliest guess is right. */
  maskedAccuracy: { ...share, name: 'masked-token accuracy' },
};

/** "91.6", as screens and the command show a measure, without its unit. */
export function shownMeasure(measure: Measure, value: number): string {
  const { factor, digits } = measureTable[measure];
  return (value * factor).toFixed(digits(value * factor));
}
