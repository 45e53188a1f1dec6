/** What a further round gained on the one before: the same test rows, one run against the other. */
import type { Gain, Scores } from '../contract/entities.js';
import { measureTable, type Measure } from '../contract/measures.js';
import { rowIntervals } from './bootstrap.js';
import { validationScore, type ComparedRun } from './groups.js';
import { measureKinds, sampleOf } from './measures.js';
import type { RunWithRows } from './types.js';

const compared = ({ run, rows }: RunWithRows): ComparedRun | null =>
  run.result?.test && rows && rows.rowIds.length > 0 ? { run, result: run.result, test: run.result.test, rows } : null;

/**
 * Difference on the test rows with its 95 % interval: percentiles of the bootstrap over rows, the same rows drawn for both runs.
 * Null where the two were not tested on the same rows.
 */
export function testGain(former: RunWithRows, later: RunWithRows, measure: Measure): Gain | null {
  const [one, other] = [compared(former), compared(later)];
  if (!one || !other) return null;
  const sample = sampleOf(one, [one, other], measure);
  const [before, after] = [sample?.scores.get(one), sample?.scores.get(other)];
  if (!sample || !before || !after) return null;
  const { name, unit, told } = measureKinds[measure];
  const points = (times?: ArrayLike<number>) => 100 * (after(times) - before(times));
  const interval = rowIntervals(sample.rows, (times) => ({ points: points(times) }))?.points ?? null;
  return {
    measure: name,
    unit,
    mean: told(points()),
    interval: interval && { low: told(interval.low), high: told(interval.high) },
  };
}

/** Difference of the best validation scores; null where one has none. */
export function validationGain(
  former: Scores | null | undefined,
  later: Scores | null | undefined,
  measure: Measure,
): Gain | null {
  if (!former || !later) return null;
  const { name, unit, told } = measureKinds[measure];
  // Of perplexities the losses are apart by what their difference is told from.
  const scoreOf = (scores: Scores) =>
    measureTable[measure].difference === '%' ? -scores.loss : validationScore(scores, measure);
  const mean = told(100 * (scoreOf(later) - scoreOf(former)));
  return { measure: name, unit, mean, interval: null };
}
