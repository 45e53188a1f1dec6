import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accuracy, macroF1, predictedClasses, scoresFromLogits, softmax } from '../../../electron/evaluation/index.js';
import { statistics } from './oracle.js';

describe('scoresFromLogits', () => {
  test.each(statistics.scores.map((one, index) => [index, one] as const))(
    'equals scikit-learn, case %i',
    (_, { classes, labels, logits, ...expected }) => {
      const scores = scoresFromLogits(Float32Array.from(logits), Int32Array.from(labels), classes);
      expect(scores.accuracy).toBeCloseTo(expected.accuracy, 12);
      expect(scores.macroF1).toBeCloseTo(expected.macroF1, 12);
      expect(scores.loss).toBeCloseTo(expected.loss, 6);
    },
  );

  test('refuses lists of different lengths', () => {
    expect(() => scoresFromLogits([1, 2, 3], [0], 2)).toThrow('3 logits for 1 rows');
  });
});

describe('macroF1', () => {
  test('a class that is only predicted, or never, counts 0; one that is neither does not count', () => {
    expect(macroF1([0, 0, 1], [0, 2, 0])).toBeCloseTo((2 / 4 + 0 + 0) / 3, 12);
    expect(macroF1([5, 5], [5, 5])).toBe(1);
    expect(macroF1([], [])).toBe(0);
  });

  test('does not change when classes are renamed or rows reordered', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 1 }), (rows) => {
        const f1 = macroF1(
          rows.map(([label]) => label),
          rows.map(([, predicted]) => predicted),
        );
        const turned = [...rows].reverse().map(([label, predicted]) => [4 - label, 4 - predicted] as const);
        expect(
          macroF1(
            turned.map(([label]) => label),
            turned.map(([, predicted]) => predicted),
          ),
        ).toBeCloseTo(f1, 12);
        expect(f1).toBeGreaterThanOrEqual(0);
        expect(f1).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('softmax and crossEntropy', () => {
  test('stay finite for large logits', () => {
    expect([...softmax([1000, 0, -1000, 1000, 1000, 1000], 3)]).toEqual([1, 0, 0, 1 / 3, 1 / 3, 1 / 3]);
    expect(scoresFromLogits([1000, 0], [1], 2).loss).toBeCloseTo(1000, 9);
    expect(scoresFromLogits([], [], 2).loss).toBe(0);
  });

  test('rows sum to 1, and the loss is the mean of -log p', () => {
    const logit = fc.double({ min: -20, max: 20, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(logit, logit, logit, fc.nat(2)), { minLength: 1, maxLength: 20 }), (rows) => {
        const logits = rows.flatMap(([a, b, c]) => [a, b, c]);
        const labels = rows.map(([, , , label]) => label);
        const probabilities = softmax(logits, 3);
        labels.forEach((_, row) =>
          expect(probabilities.slice(row * 3, row * 3 + 3).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12),
        );
        const expected =
          labels.reduce((sum, label, row) => sum - Math.log(probabilities[row * 3 + label] ?? NaN), 0) / labels.length;
        expect(scoresFromLogits(logits, labels, 3).loss).toBeCloseTo(expected, 9);
      }),
    );
  });
});

test('of equal logits the first class is predicted', () => {
  expect([...predictedClasses([1, 1, 0, 0, 2, 2], 3)]).toEqual([0, 1]);
  expect(accuracy([0, 1], [0, 2])).toBe(0.5);
});
