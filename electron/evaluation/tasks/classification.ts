/** Classes: macro F1 and accuracy, with the loss and their intervals over the rows. */
import type { Scores } from '../../contract/entities.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import { rowIntervals, weightedMean } from '../bootstrap.js';
import { accuracy, ClassCounts, classesOf, macroF1, predictedClasses, rowLosses } from '../scores.js';
import type { EvaluatedTask } from './task.js';

export const classification: EvaluatedTask<OutcomeOf<'classification'>> = {
  truth: ({ label }) => String(label),
  counts: () => true,
  score(outcomes, measure) {
    const labels = outcomes.map(({ label }) => label);
    const predicted = outcomes.map((outcome) => outcome.predicted);
    const counts = new ClassCounts(classesOf(labels, predicted));
    return (times) => {
      counts.fill(labels, predicted, times);
      return measure === 'accuracy' ? counts.accuracy() : counts.macroF1();
    };
  },
};

/** What the scores of a classifier always hold. */
export type ClassScores = Scores & Record<'macroF1' | 'accuracy', number>;

/**
 * Accuracy, macro F1 and loss with their intervals over the rows. The loss is the plain mean over the rows, in nats: class
 * weights change what a run learns, not what it is measured by, so runs with and without them compare.
 * Logits [rows, classes], row-major.
 * @throws RangeError when logits and labels are not of one length
 */
export function scoresFromLogits(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number): ClassScores {
  if (logits.length !== labels.length * classes)
    throw new RangeError(`${logits.length} logits for ${labels.length} rows of ${classes} classes`);
  const predicted = predictedClasses(logits, classes);
  const losses = rowLosses(logits, labels, classes);
  const counts = new ClassCounts(classes);
  const intervals = rowIntervals(labels.length, (times) => {
    counts.fill(labels, predicted, times);
    return { accuracy: counts.accuracy(), macroF1: counts.macroF1(), loss: weightedMean(losses, times) };
  });
  return {
    objective: 'classification',
    accuracy: accuracy(labels, predicted),
    macroF1: macroF1(labels, predicted),
    loss: weightedMean(losses),
    accuracyInterval: intervals?.accuracy ?? null,
    macroF1Interval: intervals?.macroF1 ?? null,
    lossInterval: intervals?.loss ?? null,
  };
}
