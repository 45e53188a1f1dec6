/** What a run would take, by a few real steps in a process of their own. */
import type { Handlers } from '../contract/calls.js';
import type { Estimate } from '../contract/entities.js';
import { records } from '../storage/index.js';
import { workApart } from './apart.js';
import type { Context } from './context.js';
import { resolvePlan } from './runs.js';
import { taskOf } from './train-task.js';

/** @param signal ends its process where it is. @throws StudioError naming what in the plan is wrong, 'trainer-lost' when ended */
export async function estimateOf(
  context: Context,
  projectId: number,
  plan: unknown,
  signal?: AbortSignal,
): Promise<Estimate> {
  const resolved = await resolvePlan(context, projectId, plan);
  const { device } = await context.devices.resolve(resolved.plan.device);
  const task = await taskOf(context, resolved, device, null);
  const { memoryLimitBytes } = await records.readSettings(context.database);
  const job = { type: 'probe', task, memoryLimitBytes } as const;
  return (await workApart<'probe'>(context, job, { signal, atOnce: true })).estimate;
}

export const estimateCalls = (context: Context): Pick<Handlers, 'runs.estimate'> => ({
  'runs.estimate': ({ projectId, plan }) => estimateOf(context, projectId, plan),
});
