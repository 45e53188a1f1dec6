/** What differences are told in: how a difference of scores reads, and whether runs had the same rows. */
import { measures, measureTable, type Measure } from '../contract/measures.js';
import type { ComparedRun } from './groups.js';
import { taskOf } from './tasks/index.js';
import type { RowScore } from './tasks/task.js';
import type { TestRows } from './types.js';

export interface MeasureKind {
  readonly name: string;
  /** What readers should know of it. */
  readonly about: string | null;
  /** "1 point", "2 points": of the zone of equivalence. */
  width(zone: number): string;
  /** Behind the numbers of a difference: "points". */
  readonly unit: string;
  /** "full fine-tuning", or what of it is compared. */
  readonly baseline: string;
  /** A difference of scores times 100, as it is told; growing with it. */
  told(difference: number): number;
  /** The difference of scores times 100 that is told so. */
  untold(told: number): number;
  /** A score as it is told: the measure itself. */
  shown(score: number): number;
  /** What it cannot leave. */
  readonly bounds: { readonly low: number; readonly high: number };
}

/** How differences in a measure are told. */
function measureKind(measure: Measure): MeasureKind {
  const { name, about, difference, bounds } = measureTable[measure];
  if (difference === 'points')
    return {
      name,
      about,
      width: (zone) => `${zone} ${zone === 1 ? 'point' : 'points'}`,
      unit: 'points',
      baseline: 'full fine-tuning',
      told: (apart) => apart,
      untold: (told) => told,
      shown: (score) => score,
      bounds,
    };
  return {
    name,
    about,
    width: (zone) => `${zone} %`,
    unit: '%',
    baseline: `full fine-tuning's ${name}`,
    // Of losses x apart perplexities are e^x apart: above zero so much lower, below zero so much higher.
    told: (apart) => 100 * (1 - Math.exp(-apart / 100)),
    untold: (told) => -100 * Math.log(1 - told / 100),
    shown: (score) => Math.exp(-score),
    bounds,
  };
}

export const measureKinds = Object.fromEntries(measures.map((measure) => [measure, measureKind(measure)])) as {
  readonly [M in Measure]: MeasureKind;
}; // built key by key from that very list

/** The test rows that runs are paired on, in the order of their ids. */
export interface Sample {
  readonly rows: number;
  /** Of every run that was scored on these very rows. */
  readonly scores: ReadonlyMap<ComparedRun, RowScore>;
}

/** The rows of `first` and the runs that were scored on the same; null where it has none for this measure. */
export function sampleOf(first: ComparedRun, runs: readonly ComparedRun[], measure: Measure): Sample | null {
  const task = taskOf(first.rows.objective);
  const counted = ({ rowIds, outcomes }: TestRows) =>
    Array.from(rowIds, (id, place) => ({ id, outcome: outcomes[place] }))
      .flatMap(({ id, outcome }) => (outcome && task.counts(outcome, measure) ? [{ id, outcome }] : []))
      .sort((a, b) => a.id - b.id);
  const keyOf = (rows: ReturnType<typeof counted>) => rows.map(({ id, outcome }) => `${id} ${task.truth(outcome)}`);
  const own = keyOf(counted(first.rows));
  if (own.length === 0) return null;
  const scores = new Map<ComparedRun, RowScore>();
  for (const run of runs) {
    if (run.rows.objective !== first.rows.objective) continue;
    const rows = counted(run.rows);
    if (rows.length !== own.length || keyOf(rows).some((key, place) => key !== own[place])) continue;
    const outcomes = rows.map(({ outcome }) => outcome);
    scores.set(run, task.score(outcomes, measure));
  }
  return { rows: own.length, scores };
}
