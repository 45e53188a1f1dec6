/** Which runs read first, and the labels they are shown by. Pure functions. */
import type { Dataset, Prediction, Run } from '../../../electron/contract/index.js';
import { rankOf } from '../../state/scores.js';

/** Test rows that one press reads. */
export const SAMPLE = 20;

/** Key of a column: the run's id, "base" for the untrained one. */
export const readerKey = (runId: number | null): string => (runId === null ? 'base' : String(runId));

/** Runs whose answers can stand side by side have the same: they answer by the same labels, or numbers of one data set. */
export function answersOf(run: Run, datasets: readonly Dataset[]): string {
  const dataset = datasets.find(({ id }) => id === run.datasetId);
  const labels = dataset && dataset.labels.length > 0 ? [...dataset.labels].sort() : run.datasetId;
  return JSON.stringify([run.plan.objective, labels]);
}

/** Runs that read first: the one asked for, else of the newest data and model; beside it of that data and model one a method with the lowest seed, the baseline first, at most `limit`. */
export function defaultReaders(runs: readonly Run[], asked: Run | null = null, limit = 3): number[] {
  const finished = runs.filter((run) => run.state === 'finished');
  const newest = asked ?? finished[0];
  if (!newest) return [];
  const first = new Map<string, Run>(asked ? [[asked.plan.method.type, asked]] : []);
  for (const run of finished) {
    if (run.datasetId !== newest.datasetId || run.modelId !== newest.modelId) continue;
    if (run.plan.method.type === asked?.plan.method.type) continue;
    const known = first.get(run.plan.method.type);
    if (!known || run.seed < known.seed) first.set(run.plan.method.type, run);
  }
  const score = (run: Run) => {
    const scores = run.result?.test ?? run.validation;
    return run.plan.method.type === 'full' ? 2 : scores ? rankOf(scores) : 0;
  };
  const best = [...first.values()].sort((a, b) => score(b) - score(a)).map((run) => run.id);
  const shown = best.slice(0, limit);
  return asked && !shown.includes(asked.id) ? [...shown.slice(0, limit - 1), asked.id] : shown;
}

/** What the seeds of one setting say together. */
export interface SeedSpread {
  readonly seeds: number;
  /** How many of them give the reader's own label. */
  readonly agreeing: number;
  /** Lowest and highest share of each label, 0 to 1. */
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
}

/** A reader's answer with those of the other seeds of its setting; null where no other seed answered. */
export function spreadOver(own: Prediction, others: readonly Prediction[]): SeedSpread | null {
  const all = [own, ...others.filter((p) => p.problem === null)];
  if (own.problem !== null || all.length < 2) return null;
  return {
    seeds: all.length,
    agreeing: all.filter((p) => p.label === own.label).length,
    ranges: Object.fromEntries(
      Object.keys(own.probabilities).map((label) => {
        const shares = all.map((p) => p.probabilities[label] ?? 0);
        return [label, [Math.min(...shares), Math.max(...shares)] as const];
      }),
    ),
  };
}

/** Other seeds to ask beside the readers: each reader's first, then each one's second, until `limit` are named; none twice. */
export function othersToAsk(
  readers: readonly number[],
  siblings: readonly (readonly number[])[],
  limit = 12,
): number[] {
  const asked = new Set<number>();
  const longest = Math.max(0, ...siblings.map((list) => list.length));
  for (let place = 0; place < longest; place += 1)
    for (const list of siblings) {
      const id = list[place];
      if (id !== undefined && asked.size < limit && !readers.includes(id)) asked.add(id);
    }
  return [...asked];
}

/** The labels that an answer tells: one, or all that have a chance of one half on. */
export const toldLabels = ({ kind, label, probabilities }: Prediction): string[] =>
  kind === 'labels' ? Object.keys(probabilities).filter((name) => (probabilities[name] ?? 0) >= 0.5) : [label];

/**
 * Labels in one order for all columns: the most probable of the first reader, then every reader's own answers that are not among them.
 */
export function labelOrder(predictions: readonly Prediction[], shown = 5): string[] {
  const good = predictions.filter((p) => p.problem === null);
  const lead = good[0];
  if (!lead) return [];
  const order = Object.entries(lead.probabilities)
    .sort((a, b) => b[1] - a[1])
    .slice(0, shown)
    .map(([label]) => label);
  for (const label of good.flatMap(toldLabels)) if (!order.includes(label)) order.push(label);
  return order;
}
