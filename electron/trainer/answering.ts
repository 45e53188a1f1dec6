/** From a row's logits to its answer. One entry an objective. */
import type { MarkedSpan } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { LearnedObjective } from '../contract/learned.js';
import { sigmoid, softmax, toldLabels } from '../evaluation/index.js';

export interface RowAnswer {
  /** As a text: a label, several with commas, a number. */
  readonly label: string;
  readonly logits: number[];
  /** Of each label; empty for a number. */
  readonly probabilities: number[];
  /** Of a regression. */
  readonly value: number | null;
  /** Of a model that marks parts of a text. */
  readonly spans?: MarkedSpan[];
}

interface Answering {
  /** Names of the probabilities, in order. */
  readonly labels: readonly string[];
  /** Logits a row. */
  readonly outputs: number;
  /** Numbers that a row's target has, which stand at 0 where it is not known. */
  readonly targets: number;
  answer(logits: readonly number[]): Omit<RowAnswer, 'logits'>;
}

function refused(problem: string, remedy = 'Choose a run on labels or numbers.'): never {
  throw new StudioError('bad-input', problem, remedy);
}

type Maker<T extends LearnedObjective['type']> = (learned: Extract<LearnedObjective, { type: T }>) => Answering;

const makers: { readonly [T in LearnedObjective['type']]: Maker<T> } = {
  classification: ({ labels }) => ({
    labels,
    outputs: labels.length,
    targets: 0,
    answer: (logits) => ({
      label: labels[logits.indexOf(Math.max(...logits))] ?? '',
      probabilities: Array.from(softmax(logits, labels.length)),
      value: null,
    }),
  }),
  regression: () => ({
    labels: [],
    outputs: 1,
    targets: 1,
    answer: ([value = NaN]) => ({ label: String(Number(value.toPrecision(7))), probabilities: [], value }),
  }),
  'multi-label': ({ labels }) => ({
    labels,
    outputs: labels.length,
    targets: labels.length,
    answer: (logits) => ({
      label: toldLabels(logits)
        .map((index) => labels[index] ?? '')
        .join(', '),
      probabilities: logits.map(sigmoid),
      value: null,
    }),
  }),
  'token-classification': () => refused('A run that tags words does not answer with one label a text.'),
  'question-answering': () => refused('A run that marks answers does not answer with a label.'),
  'causal-lm': () =>
    refused(
      'A run that writes text does not answer by a head.',
      'Choose a run on labels or numbers, or let this one write.',
    ),
  'masked-lm': () =>
    refused(
      'A run that learned to fill masks answers nothing by itself.',
      'Refine it by a run on labelled rows, which then answers.',
    ),
};

/** @throws StudioError `bad-input` for a language model, which answers by writing */
export function answeringOf(learned: LearnedObjective): Answering {
  // The table is keyed by the objective's type: the entry takes that objective.
  const make = makers[learned.type] as (learned: LearnedObjective) => Answering;
  return make(learned);
}
