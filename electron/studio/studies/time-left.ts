/** How long a study still takes, from what its runs took so far. */
import type { Run } from '../../contract/entities.js';
import { drawnRows } from './plans.js';
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

/** Seconds; null until a run of every method that is still to come has finished. */
export function secondsLeft(steps: readonly StudyStep[], ended: Ended): number | null {
  const measured = steps.flatMap((step) => {
    const run = ended.get(step.key);
    const seconds = run?.state === 'finished' ? wallSeconds(run) : null;
    return run?.result && seconds !== null ? [{ step, seconds, result: run.result }] : [];
  });
  let left = 0;
  for (const step of steps) {
    if (ended.has(step.key)) continue;
    const own = measured.filter(({ step: other }) => other.method === step.method);
    const alike = middle(
      own.flatMap(({ step: other, seconds }) =>
        other.size === step.size && other.dataset === step.dataset ? [seconds] : [],
      ),
    );
    const rate = middle(own.map(({ result }) => result.secondsPerStep));
    const count = stepsOf(step) ?? middle(own.flatMap(({ step: other }) => stepsOf(other) ?? []));
    const around = middle(own.map(({ seconds, result }) => seconds - result.steps * result.secondsPerStep));
    const seconds = alike ?? (rate === null || count === null ? null : rate * count + (around ?? 0));
    if (seconds === null) return null;
    left += seconds;
  }
  return Math.max(0, Math.round(left));
}
