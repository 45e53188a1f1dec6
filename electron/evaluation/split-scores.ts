/** The scores of one pass over a split, as runs report them. */
import type { ClassScores } from '../contract/entities.js';
import { rowIntervals } from './bootstrap.js';
import { mean } from './intervals.js';
import { accuracy, macroF1, predictedClasses, rowLosses } from './scores.js';

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
  const intervals = rowIntervals({ labels, predicted, losses }, classes);
  return {
    accuracy: accuracy(labels, predicted),
    macroF1: macroF1(labels, predicted),
    loss: losses.length === 0 ? 0 : mean(losses),
    accuracyInterval: intervals?.accuracy ?? null,
    macroF1Interval: intervals?.macroF1 ?? null,
    lossInterval: intervals?.loss ?? null,
  };
}
