/** How long a study still takes, from what its runs took so far. */
import type { Run } from '../../contract/entities.js';
import { drawnRows } from './plans.js';
import { methodKey, type Probed } from './probes.js';
import type { Ended, StudyStep } from './kinds/kind.js';

/** Seconds from start to end of a run that was not stopped in between; null where that is not known. */
const wallSeconds = ({ startedAt, endedAt }: Run): number | null =>
  startedAt === null || endedAt === null ? null : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;

function stepsOf({ plan, dataset, size }: Pick<StudyStep, 'plan' | 'dataset' | 'size'>): number | null {
  if (plan === null) return null;
  const { maxSteps, epochs, batchSize } = plan.training;
  return maxSteps ?? Math.ceil(epochs * Math.ceil(drawnRows(dataset, size) / batchSize));
}

const middle = (values: readonly number[]): number | null => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
};

/**
 * Seconds, from runs of a method that have finished, else from its probe; of a method that has neither (a head on what another is still to
 * train) from the other methods. Null where there is none of all these.
 */
export function secondsLeft(steps: readonly StudyStep[], ended: Ended, probed: Probed): number | null {
  const measured = steps.flatMap((step) => {
    const run = ended.get(step.key);
    const seconds = run?.state === 'finished' ? wallSeconds(run) : null;
    return run?.result && seconds !== null ? [{ step, seconds, result: run.result }] : [];
  });
  const anyRate = middle([...measured.flatMap(({ result }) => result.secondsPerStep ?? []), ...probed.values()]);
  const anyCount = middle(steps.flatMap((step) => stepsOf(step) ?? []));
  let left = 0;
  for (const step of steps) {
    if (ended.has(step.key)) continue;
    // A run that goes on from another trains what that one kept: it is no other method for that.
    const key = methodKey(step.method);
    const own = measured.filter(({ step: other }) => methodKey(other.method) === key);
    const alike = middle(
      own.flatMap(({ step: other, seconds }) =>
        other.size === step.size && other.dataset === step.dataset ? [seconds] : [],
      ),
    );
    const rate = middle(own.flatMap(({ result }) => result.secondsPerStep ?? [])) ?? probed.get(key) ?? anyRate;
    const planned = steps.filter(
      (other) => methodKey(other.method) === key && other.size === step.size && other.dataset === step.dataset,
    );
    const count =
      stepsOf(step) ??
      middle(own.flatMap(({ step: other }) => stepsOf(other) ?? [])) ??
      middle(planned.flatMap((other) => stepsOf(other) ?? [])) ??
      anyCount;
    const around = middle(own.map(({ seconds, result }) => seconds - result.steps * (result.secondsPerStep ?? 0)));
    const seconds = alike ?? (rate === null || count === null ? null : rate * count + (around ?? 0));
    if (seconds === null) return null;
    left += seconds;
  }
  return Math.max(0, Math.round(left));
}
