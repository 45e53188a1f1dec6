/** Runs of one setting: those that differ in nothing but their seed. */
import type { Run, Scores } from '../contract/entities.js';
import { measureTable, type Measure } from '../contract/measures.js';
import { settingKey } from '../contract/setting.js';
import { mean } from './intervals.js';
import type { RunWithRows, TestRows } from './types.js';

/** A run that can be compared: finished, with test scores and predictions. */
export interface ComparedRun {
  readonly run: Run;
  readonly result: NonNullable<Run['result']>;
  readonly test: Scores;
  readonly rows: TestRows;
}

export interface Group {
  readonly key: string;
  /** By seed, ascending; one run a seed. */
  readonly runs: readonly ComparedRun[];
}

/**
 * Runs that were trained on as many examples: of more numbers those on all, or on the most. A method with few examples beside full
 * fine-tuning with many would be a comparison of the examples.
 */
function ofOneSize(runs: readonly RunWithRows[]): { kept: readonly RunWithRows[]; note: string[] } {
  const sizeOf = ({ run }: RunWithRows) => run.plan.training.examplesPerClass ?? Infinity;
  const most = Math.max(...runs.filter(({ run }) => run.result?.test).map(sizeOf));
  const kept = runs.filter((run) => sizeOf(run) === most);
  const others = [...new Set(runs.filter((run) => sizeOf(run) !== most).map(sizeOf))].sort((a, b) => a - b);
  if (others.length === 0 || kept.length === 0) return { kept: runs, note: [] };
  const left = runs.length - kept.length;
  const sizes = others.map((size) => (size === Infinity ? 'all' : String(size))).join(', ');
  return {
    kept,
    note: [
      `${left} ${left === 1 ? 'run was' : 'runs were'} trained on another number of examples a class (${sizes}) and left out.`,
    ],
  };
}

/** Groups in the order of their first run, and what was left out, as sentences. */
export function groupRuns(all: readonly RunWithRows[]): { groups: Group[]; notes: string[] } {
  const { kept: runs, note } = ofOneSize(all);
  const byKey = new Map<string, Map<number, ComparedRun>>();
  let [unfinished, untested, repeated] = [0, 0, 0];
  for (const { run, rows } of [...runs].sort((a, b) => a.run.id - b.run.id)) {
    const test = run.result?.test;
    if (run.state !== 'finished' || run.result === null) unfinished += 1;
    else if (!test || rows === null || rows.rowIds.length === 0) untested += 1;
    else {
      const key = settingKey(run);
      const seeds = byKey.get(key) ?? new Map<number, ComparedRun>();
      byKey.set(key, seeds);
      if (seeds.has(run.seed)) repeated += 1;
      seeds.set(run.seed, { run, result: run.result, test, rows });
    }
  }
  const groups = [...byKey].map(([key, seeds]) => ({
    key,
    runs: [...seeds.values()].sort((a, b) => a.run.seed - b.run.seed),
  }));
  const runsAre = (count: number) => `${count} ${count === 1 ? 'run is' : 'runs are'}`;
  const notes = [
    ...note,
    ...(unfinished > 0 ? [`${runsAre(unfinished)} not finished and left out.`] : []),
    ...(untested > 0 ? [`${runsAre(untested)} left out for want of test predictions.`] : []),
    ...(repeated > 0 ? [`${runsAre(repeated)} left out because a later run has the same setting and seed.`] : []),
  ];
  return { groups, notes };
}

/** Two settings without validation are equal: infinities have no difference. */
const difference = (a: number, b: number) => (a === b ? 0 : a - b);

/** What settings are chosen by: larger is better. What is measured in the test only (answers that are generated) has the loss in its stead. */
export function validationScore(scores: Scores, measure: Measure): number {
  const value = scores[measure] ?? null;
  if (value === null) return -scores.loss;
  return measureTable[measure].better === 'higher' ? value : -value;
}

/**
 * The full fine-tuning to compare with: one trained here before one trained elsewhere, of several settings the one best on validation (test never
 * chooses), then the one with most seeds.
 */
export function baselineOf(groups: readonly Group[], measure: Measure): Group | null {
  const full = groups.filter((group) => group.runs[0]?.run.plan.method.type === 'full');
  const validation = ({ runs }: Group) => {
    const scores = runs
      .map(({ result }) => (result.validation ? validationScore(result.validation, measure) : null))
      .filter((score) => score !== null);
    return scores.length === 0 ? -Infinity : mean(scores);
  };
  const elsewhere = ({ runs }: Group) => Number(runs[0]?.result.elsewhere !== undefined);
  const [best] = [...full].sort(
    (a, b) => elsewhere(a) - elsewhere(b) || difference(validation(b), validation(a)) || b.runs.length - a.runs.length,
  );
  return best ?? null;
}
