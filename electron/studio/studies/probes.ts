/** How long a step of each method takes before any of its runs has ended: a few real steps in a process of their own, as for a single run. */
import type { Context } from '../context.js';
import { estimateOf } from '../estimate.js';
import type { Ended, StudyMethod, StudyStep } from './kinds/kind.js';

/** Seconds a step, validations included, by {@link methodKey}. */
export type Probed = ReadonlyMap<string, number>;

export const methodKey = ({ options }: Pick<StudyMethod, 'options'>): string => JSON.stringify(options);

/**
 * Probes each method that has runs to come and none that has ended. What cannot be probed is left out: its first run will say why.
 * @param signal ends it where it is
 */
export async function probeMethods(
  context: Context,
  projectId: number,
  steps: readonly StudyStep[],
  ended: Ended,
  signal: AbortSignal,
): Promise<Probed> {
  const known = new Set(steps.filter(({ key }) => ended.has(key)).map(({ method }) => methodKey(method)));
  const probed = new Map<string, number>();
  for (const { method, plan } of steps) {
    const key = methodKey(method);
    if (plan === null || known.has(key) || signal.aborted) continue;
    known.add(key);
    const estimate = await estimateOf(context, projectId, plan, signal).catch(() => null);
    if (estimate && estimate.totalSteps > 0)
      probed.set(key, (estimate.seconds.low + estimate.seconds.high) / 2 / estimate.totalSteps);
  }
  return probed;
}
