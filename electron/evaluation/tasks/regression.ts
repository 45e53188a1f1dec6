/** Numbers: how they rise together with the targets (Pearson), in which order they stand (Spearman), and the mean squared error as the loss. */
import type { Scores } from '../../contract/entities.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import { rowIntervals, weightedMean } from '../bootstrap.js';
import { pearson, spearman } from '../correlation.js';
import type { EvaluatedTask } from './task.js';

export const regression: EvaluatedTask<OutcomeOf<'regression'>> = {
  truth: ({ target }) => String(target),
  counts: () => true,
  score(outcomes, measure) {
    const [targets, values] = [outcomes.map(({ target }) => target), outcomes.map(({ value }) => value)];
    const ranked = spearman(targets, values);
    return (times) => {
      const score = measure === 'spearman' ? ranked(times) : pearson(targets, values, times);
      // Without any spread nothing rises together.
      return Number.isNaN(score) ? 0 : score;
    };
  },
};

/** Null where the numbers do not vary. Lists run parallel, one a row. */
export function numberScores(targets: ArrayLike<number>, values: ArrayLike<number>): Scores {
  const squares = Float64Array.from(targets, (target, row) => ((values[row] ?? 0) - target) ** 2);
  const ranked = spearman(targets, values);
  const scores = (times?: ArrayLike<number>) => ({
    pearson: pearson(targets, values, times),
    spearman: ranked(times),
    loss: weightedMean(squares, times),
  });
  const own = scores();
  const known = (value: number) => (Number.isNaN(value) ? null : value);
  const intervals = rowIntervals(targets.length, scores);
  return {
    objective: 'regression',
    pearson: known(own.pearson),
    spearman: known(own.spearman),
    loss: own.loss,
    pearsonInterval: intervals?.pearson ?? null,
    spearmanInterval: intervals?.spearman ?? null,
    lossInterval: intervals?.loss ?? null,
  };
}
