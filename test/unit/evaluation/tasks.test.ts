/** Measures of numbers and of several labels against SciPy and scikit-learn (test/oracle/make_tasks.py), and what comparisons make of them. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { pearson, spearman } from '../../../electron/evaluation/correlation.js';
import { labelScores, numberScores, toldLabels } from '../../../electron/evaluation/index.js';
import { taskOf } from '../../../electron/evaluation/tasks/index.js';
import { uniforms } from '../../helpers/tiny-model.js';
import { oracleJson } from '../../helpers/oracle.js';

const numbers = z.array(z.number());
const { numbers: told, labels } = oracleJson(
  z.object({
    numbers: z.object({
      targets: numbers,
      predicted: numbers,
      pearson: z.number(),
      spearman: z.number(),
      meanSquaredError: z.number(),
    }),
    labels: z.object({
      targets: z.array(numbers),
      predicted: z.array(numbers),
      microF1: z.number(),
      macroF1: z.number(),
      subsetAccuracy: z.number(),
    }),
  }),
  'tasks.json',
);

/** Each row as often as it was drawn. */
const repeated = (values: readonly number[], times: readonly number[]) =>
  values.flatMap((value, row) => Array.from({ length: times[row] ?? 0 }, () => value));

describe('numbers', () => {
  const { targets, predicted } = told;

  test("are SciPy's Pearson and Spearman with ties, and scikit-learn's mean squared error", () => {
    const scores = numberScores(targets, predicted);
    expect(new Set(targets).size).toBeLessThan(targets.length);
    expect(scores.pearson).toBeCloseTo(told.pearson, 12);
    expect(scores.spearman).toBeCloseTo(told.spearman, 12);
    expect(scores.loss).toBeCloseTo(told.meanSquaredError, 12);
    const { low = NaN, high = NaN } = scores.spearmanInterval ?? {};
    expect(low).toBeLessThan(told.spearman);
    expect(high).toBeGreaterThan(told.spearman);
  });

  test('on rows that are drawn several times are those of the rows written out', () => {
    const next = uniforms(3);
    const times = targets.map(() => Math.floor(next() * 3));
    const [a, b] = [repeated(targets, times), repeated(predicted, times)];
    expect(pearson(targets, predicted, times)).toBeCloseTo(pearson(a, b), 12);
    expect(spearman(targets, predicted)(times)).toBeCloseTo(spearman(a, b)(), 12);
    const outcomes = targets.map((target, row) => ({ target, value: predicted[row] ?? 0 }));
    expect(taskOf('regression').score(outcomes, 'spearman')(times)).toBeCloseTo(spearman(a, b)(), 12);
    expect(taskOf('regression').score(outcomes, 'pearson')()).toBeCloseTo(told.pearson, 12);
  });

  test('that do not vary have no correlation, and count as none in a comparison', () => {
    const flat = targets.map(() => 1);
    expect(numberScores(targets, flat)).toMatchObject({ pearson: null, spearman: null });
    const outcomes = targets.map((target) => ({ target, value: 1 }));
    expect(taskOf('regression').score(outcomes, 'pearson')()).toBe(0);
  });
});

describe('several labels', () => {
  const classes = labels.targets[0]?.length ?? 0;
  const logits = labels.predicted.flat().map((value) => (value === 1 ? 1.5 : -0.5));
  const indices = (row: readonly number[]) => row.flatMap((value, label) => (value === 1 ? [label] : []));
  const outcomes = labels.targets.map((row, at) => ({
    labels: indices(row),
    predicted: indices(labels.predicted[at] ?? []),
    of: classes,
  }));

  test("are scikit-learn's micro and macro F1 and subset accuracy, a label that never occurs counting 0", () => {
    const scores = labelScores(logits, labels.targets.flat(), classes);
    expect(scores.microF1).toBeCloseTo(labels.microF1, 12);
    expect(scores.macroF1).toBeCloseTo(labels.macroF1, 12);
    expect(scores.subsetAccuracy).toBeCloseTo(labels.subsetAccuracy, 12);
    for (const measure of ['microF1', 'macroF1', 'subsetAccuracy'] as const)
      expect(taskOf('multi-label').score(outcomes, measure)()).toBeCloseTo(labels[measure], 12);
  });

  test('have the mean binary cross-entropy as their loss, for any logit', () => {
    const { loss } = labelScores([0, 800, -800, 2], [1, 1, 0, 0], 2);
    expect(loss).toBeCloseTo((Math.log(2) + Math.log(1 + Math.exp(2))) / 4, 12);
  });

  test('on drawn rows are those of the rows written out', () => {
    const times = labels.targets.map((_, row) => row % 3);
    const written = outcomes.flatMap((outcome, row) => Array.from({ length: row % 3 }, () => outcome));
    for (const measure of ['microF1', 'macroF1', 'subsetAccuracy'] as const)
      expect(taskOf('multi-label').score(outcomes, measure)(times)).toBeCloseTo(
        taskOf('multi-label').score(written, measure)(),
        12,
      );
  });

  test('are told from a chance of one half on', () => {
    expect(toldLabels([0, -0.01, 3])).toEqual([0, 2]);
  });
});
