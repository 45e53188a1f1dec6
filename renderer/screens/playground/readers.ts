/** Which runs read first, and the labels they are shown by. Pure functions. */
import type { Prediction, Run } from '../../../electron/contract/index.js';

/** Test rows that one press reads. */
export const SAMPLE = 20;

/** Key of a column: the run's id, "base" for the untrained one. */
export const readerKey = (runId: number | null): string => (runId === null ? 'base' : String(runId));

/** Runs that read first: of the newest data and model, one a method with the lowest seed, the baseline first, at most `limit`. */
export function defaultReaders(runs: readonly Run[], limit = 3): number[] {
  const finished = runs.filter((run) => run.state === 'finished');
  const newest = finished[0];
  if (!newest) return [];
  const first = new Map<string, Run>();
  for (const run of finished) {
    if (run.datasetId !== newest.datasetId || run.modelId !== newest.modelId) continue;
    const known = first.get(run.plan.method.type);
    if (!known || run.seed < known.seed) first.set(run.plan.method.type, run);
  }
  const score = (run: Run) =>
    run.plan.method.type === 'full' ? 2 : (run.result?.test?.macroF1 ?? run.validation?.macroF1 ?? 0);
  return [...first.values()]
    .sort((a, b) => score(b) - score(a))
    .slice(0, limit)
    .map((run) => run.id);
}

/**
 * Labels in one order for all columns: the most probable of the first reader, then every reader's own answer that is not among them.
 */
export function labelOrder(predictions: readonly Prediction[], shown = 5): string[] {
  const good = predictions.filter((p) => p.problem === null);
  const lead = good[0];
  if (!lead) return [];
  const order = Object.entries(lead.probabilities)
    .sort((a, b) => b[1] - a[1])
    .slice(0, shown)
    .map(([label]) => label);
  for (const p of good) if (!order.includes(p.label)) order.push(p.label);
  return order;
}
