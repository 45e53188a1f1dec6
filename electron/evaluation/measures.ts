/** What differences are told in: how a run scores on test rows, how a difference of scores reads, and whether runs had the same rows. */
import type { Measure } from '../contract/entities.js';
import type { ComparedRun } from './groups.js';
import { exactShare, tokenLoss } from './language.js';
import { classesOf, ClassCounts } from './scores.js';
import type { TestRows } from './types.js';

/** A run's score on its test rows, each counted `times` (once where left out). Larger is better; 0.01 more is one point. */
export type RowScore = (times?: ArrayLike<number>) => number;

export interface MeasureKind {
  readonly name: string;
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

const points = {
  width: (zone: number) => `${zone} ${zone === 1 ? 'point' : 'points'}`,
  unit: 'points',
  baseline: 'full fine-tuning',
  told: (difference: number) => difference,
  untold: (told: number) => told,
  shown: (score: number) => score,
  bounds: { low: 0, high: 1 },
};

export const measureKinds: { readonly [M in Measure]: MeasureKind } = {
  macroF1: { name: 'macro F1', ...points },
  accuracy: { name: 'accuracy', ...points },
  exactMatch: { name: 'exact match', ...points },
  perplexity: {
    name: 'perplexity',
    width: (zone) => `${zone} %`,
    unit: '%',
    baseline: "full fine-tuning's perplexity",
    // Of losses x apart perplexities are e^x apart: above zero so much lower, below zero so much higher.
    told: (difference) => 100 * (1 - Math.exp(-difference / 100)),
    untold: (told) => -100 * Math.log(1 - told / 100),
    shown: (score) => Math.exp(-score),
    bounds: { low: 1, high: Infinity },
  },
};

/** The test rows that runs are paired on, in the order of their ids. */
export interface Sample {
  readonly rows: number;
  /** Of every run that was scored on these very rows. */
  readonly scores: ReadonlyMap<ComparedRun, RowScore>;
}

const sortedById = ({ rowIds }: TestRows) =>
  Array.from({ length: rowIds.length }, (_, place) => place).sort((a, b) => (rowIds[a] ?? 0) - (rowIds[b] ?? 0));

/** The rows of `first` and the runs that were scored on the same; null where it has none for this measure. */
export function sampleOf(first: ComparedRun, runs: readonly ComparedRun[], measure: Measure): Sample | null {
  const own = first.rows;
  if (own.kind === 'classes') {
    const rows = columnsOf(own, own.labels, own.predicted);
    const same = runs.flatMap((run) => {
      if (run.rows.kind !== 'classes') return [];
      const [ids, labels, predicted] = columnsOf(run.rows, run.rows.labels, run.rows.predicted);
      return equal(ids, rows[0]) && equal(labels, rows[1]) ? [[run, predicted] as const] : [];
    });
    const labels = rows[1];
    const counts = new ClassCounts(classesOf(labels, ...same.map(([, predicted]) => predicted)));
    const score =
      (predicted: Float64Array): RowScore =>
      (times) => {
        counts.clear();
        for (let row = 0; row < labels.length; row += 1) {
          const drawn = times === undefined ? 1 : (times[row] ?? 0);
          if (drawn > 0) counts.add(labels[row] ?? 0, predicted[row] ?? 0, drawn);
        }
        return measure === 'accuracy' ? counts.accuracy() : counts.macroF1();
      };
    return { rows: labels.length, scores: new Map(same.map(([run, predicted]) => [run, score(predicted)])) };
  }
  const lists = (rows: Extract<TestRows, { kind: 'losses' }>) => {
    const [ids, tokens, sums, exact] = columnsOf(rows, rows.tokens, rows.sums, rows.exact);
    const kept = measure === 'exactMatch' ? [...exact.keys()].filter((row) => !Number.isNaN(exact[row] ?? NaN)) : null;
    const pick = (values: Float64Array) =>
      kept === null ? values : Float64Array.from(kept, (row) => values[row] ?? 0);
    return { ids: pick(ids), tokens: pick(tokens), sums: pick(sums), exact: pick(exact) };
  };
  const { ids, tokens } = lists(own);
  if (ids.length === 0) return null;
  const scores = new Map<ComparedRun, RowScore>();
  for (const run of runs) {
    if (run.rows.kind !== 'losses') continue;
    const theirs = lists(run.rows);
    if (!equal(theirs.ids, ids) || !equal(theirs.tokens, tokens)) continue;
    scores.set(
      run,
      measure === 'exactMatch' ? (times) => exactShare(theirs.exact, times) : (times) => -tokenLoss(theirs, times),
    );
  }
  return { rows: ids.length, scores };
}

/** Lists of a run's rows in the order of the rows' ids; the ids first. */
function columnsOf(
  rows: TestRows,
  ...lists: readonly ArrayLike<number>[]
): [Float64Array, ...Float64Array[]] & Columns {
  const order = sortedById(rows);
  const pick = (list: ArrayLike<number>) => Float64Array.from(order, (place) => list[place] ?? 0);
  return [pick(rows.rowIds), ...lists.map(pick)] as unknown as [Float64Array, ...Float64Array[]] & Columns;
}
type Columns = { readonly 1: Float64Array; readonly 2: Float64Array; readonly 3: Float64Array };

const equal = (a: Float64Array, b: Float64Array) =>
  a.length === b.length && a.every((value, index) => value === b[index]);
