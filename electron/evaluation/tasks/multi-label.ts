/** Several labels a row: micro and macro F1 over the labels, rows whose labels are all right, binary cross-entropy as the loss. */
import type { Scores } from '../../contract/entities.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import { rowIntervals, weightedMean } from '../bootstrap.js';
import type { EvaluatedTask } from './task.js';

/** A label is told of a row where its probability reaches this. */
export const labelThreshold = 0.5;

export const multiLabel: EvaluatedTask<OutcomeOf<'multi-label'>> = {
  truth: ({ labels }) => labels.join(' '),
  counts: () => true,
  score(outcomes, measure) {
    const counts = new LabelCounts(
      outcomes[0]?.of ?? 0,
      outcomes.map(({ labels }) => labels),
      outcomes.map(({ predicted }) => predicted),
    );
    return (times) => {
      const scores = counts.scores(times);
      return measure === 'macroF1' || measure === 'subsetAccuracy' ? scores[measure] : scores.microF1;
    };
  },
};

/** Hits, labels and predictions of each label over rows that count several times. `labels` and `predicted`: ascending indices a row. */
class LabelCounts {
  private readonly right: readonly number[];

  constructor(
    private readonly classes: number,
    private readonly labels: readonly (readonly number[])[],
    private readonly predicted: readonly (readonly number[])[],
  ) {
    this.right = labels.map((own, row) => Number(own.join() === (predicted[row] ?? []).join()));
  }

  /** As scikit-learn's `f1_score(average=…, zero_division=0)` and `accuracy_score`: a label that never occurs counts 0. */
  scores(times?: ArrayLike<number>): Record<'microF1' | 'macroF1' | 'subsetAccuracy', number> {
    const [hits, both] = [new Float64Array(this.classes), new Float64Array(this.classes)];
    this.labels.forEach((own, row) => {
      const drawn = times === undefined ? 1 : (times[row] ?? 0);
      if (drawn === 0) return;
      const told = this.predicted[row] ?? [];
      for (const label of own) {
        both[label] = (both[label] ?? 0) + drawn;
        if (told.includes(label)) hits[label] = (hits[label] ?? 0) + drawn;
      }
      for (const label of told) both[label] = (both[label] ?? 0) + drawn;
    });
    const sum = (of: Float64Array) => of.reduce((total, value) => total + value, 0);
    const f1 = (hit: number, all: number) => (all === 0 ? 0 : (2 * hit) / all);
    return {
      microF1: f1(sum(hits), sum(both)),
      macroF1: this.classes === 0 ? 0 : sum(both.map((all, label) => f1(hits[label] ?? 0, all))) / this.classes,
      subsetAccuracy: weightedMean(this.right, times),
    };
  }
}

/** Chance of each label by itself. Logits in, any shape. */
export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** The labels told of a row of logits: ascending indices of those that reach the threshold. */
export const toldLabels = (logits: ArrayLike<number>): number[] =>
  Array.from(logits).flatMap((logit, label) => (sigmoid(logit) >= labelThreshold ? [label] : []));

/** Logits and targets [rows, classes], row-major; targets 0 or 1. The loss is its mean over rows and labels, in nats. */
export function labelScores(logits: ArrayLike<number>, targets: ArrayLike<number>, classes: number): Scores {
  const rows = classes === 0 ? 0 : logits.length / classes;
  const rowOf = (of: ArrayLike<number>, row: number) =>
    Array.from({ length: classes }, (_, i) => of[row * classes + i] ?? 0);
  const all = Array.from({ length: rows }, (_, row) => row);
  const losses = all.map((row) => {
    const truth = rowOf(targets, row);
    const parts = rowOf(logits, row).map(
      (x, label) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - x * (truth[label] ?? 0),
    );
    return parts.reduce((sum, part) => sum + part, 0) / classes;
  });
  const counts = new LabelCounts(
    classes,
    all.map((row) => rowOf(targets, row).flatMap((value, label) => (value >= 0.5 ? [label] : []))),
    all.map((row) => toldLabels(rowOf(logits, row))),
  );
  const scores = (times?: ArrayLike<number>) => ({ ...counts.scores(times), loss: weightedMean(losses, times) });
  const intervals = rowIntervals(rows, scores);
  return {
    objective: 'multi-label',
    ...scores(),
    microF1Interval: intervals?.microF1 ?? null,
    macroF1Interval: intervals?.macroF1 ?? null,
    subsetAccuracyInterval: intervals?.subsetAccuracy ?? null,
    lossInterval: intervals?.loss ?? null,
  };
}
