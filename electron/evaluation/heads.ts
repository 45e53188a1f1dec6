/** What the outputs of a head on whole texts make of a split: its scores, and what becomes of each row. */
import type { Scores } from '../contract/entities.js';
import type { Objective } from '../contract/objectives.js';
import type { OutcomeOf, TestOutcome } from '../contract/outcomes.js';
import { predictedClasses, softmax } from './scores.js';
import { scoresFromLogits, type ClassScores } from './tasks/classification.js';
import { labelScores, sigmoid, toldLabels } from './tasks/multi-label.js';
import { numberScores } from './tasks/regression.js';

export interface HeadAnswers<O extends Objective, S extends Scores = Scores> {
  readonly scores: S;
  /** Of the row at a place of the split. */
  row(place: number): { readonly outcome: OutcomeOf<O>; readonly details: TestOutcome['details'] };
}

/** Logits [rows, classes], row-major. */
export function classAnswers(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): HeadAnswers<'classification', ClassScores> {
  const predicted = predictedClasses(logits, classes);
  const probabilities = softmax(logits, classes);
  return {
    scores: scoresFromLogits(logits, labels, classes),
    row: (place) => ({
      outcome: { label: labels[place] ?? 0, predicted: predicted[place] ?? 0 },
      details: { probabilities: Array.from(probabilities.subarray(place * classes, (place + 1) * classes)) },
    }),
  };
}

/** Values and targets in the data's unit. */
export function numberAnswers(values: ArrayLike<number>, targets: ArrayLike<number>): HeadAnswers<'regression'> {
  return {
    scores: numberScores(targets, values),
    row: (place) => ({ outcome: { target: targets[place] ?? 0, value: values[place] ?? 0 }, details: null }),
  };
}

/** Logits and targets [rows, classes], row-major; targets 0 or 1. */
export function labelAnswers(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
): HeadAnswers<'multi-label'> {
  const rowOf = (of: ArrayLike<number>, place: number) =>
    Array.from({ length: classes }, (_, label) => of[place * classes + label] ?? 0);
  return {
    scores: labelScores(logits, targets, classes),
    row: (place) => {
      const own = rowOf(logits, place);
      return {
        outcome: {
          labels: rowOf(targets, place).flatMap((flag, label) => (flag === 1 ? [label] : [])),
          predicted: toldLabels(own),
          of: classes,
        },
        details: { probabilities: own.map(sigmoid) },
      };
    },
  };
}
