/** What a split shows of a run: the loss and the objective's measures, each with its interval over the rows. */
import { z } from 'zod';
import { measures, type Measure } from '../measures.js';
import { objectiveSchema, objectiveTable, type Objective } from '../objectives.js';
import { count, interval } from './common.js';

/** 95 %, over the rows of the split (percentile bootstrap), where it was computed. */
const ends = interval.nullable().optional();
const value = z.number().nullable().optional();
type Interval = z.infer<typeof interval>;

type MeasureShape = { [M in Measure]: typeof value } & { [M in Measure as `${M}Interval`]: typeof ends };
const measureShape = Object.fromEntries(
  measures.flatMap((measure) => [
    [measure, value],
    [`${measure}Interval`, ends],
  ]),
) as MeasureShape; // built key by key from that very list

export const scoresSchema = z.object({
  /** Runs of before there were others have none: their measures tell. */
  objective: objectiveSchema.optional(),
  loss: z.number(),
  lossInterval: ends,
  /** A measure that the objective does not have is left out; null where the rows do not give it. */
  ...measureShape,
  /** Rows that `exactMatch` was counted on, where these are not all. */
  exactMatchRows: count.optional(),
});
export type Scores = z.infer<typeof scoresSchema>;

export const objectiveOfScores = (scores: Scores): Objective =>
  scores.objective ?? (scores.perplexity === undefined ? 'classification' : 'causal-lm');

/** The measures that scores of this kind have, the main one first. */
export const measuresOf = (scores: Scores): readonly [Measure, ...Measure[]] =>
  objectiveTable[objectiveOfScores(scores)].measures;

export const intervalOf = (scores: Scores, measure: Measure | 'loss'): Interval | null =>
  scores[`${measure}Interval`] ?? null;
