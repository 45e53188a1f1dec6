/** Scores as the screens show them: the first measure of the objective, and what stands beside it. */
import {
  intervalOf,
  measuresOf,
  measureTable,
  objectiveOfScores,
  objectiveTable,
  type Measure,
  type Scores,
} from '../../electron/contract/index.js';
import { t } from '../language.js';
import { interval, NO_VALUE, number } from './format.js';

export interface ShownScore {
  /** "macro F1" */
  readonly name: string;
  readonly value: string;
  /** "%", or nothing. */
  readonly unit: string;
  /** Where there is no room for the name: "%", "ppl". */
  readonly short: string;
  /** "41.0 to 45.2"; null where it was not computed. */
  readonly range: string | null;
}

/** "43.1", without its unit. */
export function valueOf(measure: Measure, value: number): string {
  const { factor, digits } = measureTable[measure];
  return number(value * factor, digits(value * factor));
}

/** "41.0 to 45.2", in the measure's unit. */
export function endsOf(measure: Measure, { low, high }: { readonly low: number; readonly high: number }): string {
  const { factor, digits } = measureTable[measure];
  return interval(low * factor, high * factor, digits(high * factor));
}

/** " %", or nothing. */
export const unitOf = (measure: Measure): string =>
  measureTable[measure].unit === '' ? '' : ` ${measureTable[measure].unit}`;

function shown(scores: Scores, measure: Measure): ShownScore {
  const { name, unit, short } = measureTable[measure];
  const value = scores[measure] ?? null;
  const ends = intervalOf(scores, measure);
  return {
    name: t(name),
    value: value === null ? NO_VALUE : valueOf(measure, value),
    unit: value === null ? '' : unit,
    short,
    range: ends && endsOf(measure, ends),
  };
}

/** The score by which runs are chosen and named. */
export const mainScore = (scores: Scores): ShownScore => shown(scores, measuresOf(scores)[0]);

/** Those that stand beside it, where the rows give them. */
export const otherScores = (scores: Scores): ShownScore[] =>
  measuresOf(scores)
    .slice(1)
    .filter((measure) => (scores[measure] ?? null) !== null)
    .map((measure) => shown(scores, measure));

export function lossScore(scores: Scores): ShownScore {
  const { name, unit } = objectiveTable[objectiveOfScores(scores)].loss;
  const ends = intervalOf(scores, 'loss');
  return {
    name: t(name),
    value: number(scores.loss, 3),
    unit,
    short: unit,
    range: ends && interval(ends.low, ends.high, 3),
  };
}

/** The one that stands beside the main one; where the rows give no other, the loss. */
export const secondScore = (scores: Scores): ShownScore => otherScores(scores)[0] ?? lossScore(scores);

/** "macro F1 43.1 %" */
export const inWords = ({ name, value, unit }: ShownScore): string =>
  `${name} ${value}${unit === '' ? '' : ` ${unit}`}`;

/** Larger is better. For sorting only. */
export function rankOf(scores: Scores): number {
  const [main] = measuresOf(scores);
  return (scores[main] ?? -Infinity) * (measureTable[main].better === 'higher' ? 1 : -1);
}
