/** Runs as the trainer takes them. */
import type { Run } from '../contract/entities.js';
import { deviceIdSchema, type DeviceId } from '../contract/plan.js';
import { datasets, records } from '../storage/index.js';
import type { TrainTask } from '../trainer/protocol.js';
import { baseFolderOf } from './bases.js';
import { compositionOf } from './compositions.js';
import type { Context } from './context.js';
import { materialize } from './datasets.js';
import { learnedObjective } from './objective.js';
import { refinementOf } from './refinements.js';

/** The device of a run's first steps: another would give other numbers. Null before those. */
export function begunOn({ step, device }: Run): DeviceId | null {
  return step > 0 ? (deviceIdSchema.safeParse(device).data ?? null) : null;
}

/** A run's plan with names resolved, as the trainer takes it. */
export async function taskOf(
  context: Context,
  run: Pick<Run, 'modelId' | 'datasetId' | 'plan'>,
  device: DeviceId,
  initFolder: string | null,
): Promise<TrainTask> {
  const dataset = await datasets.getDataset(context.database, run.datasetId);
  const files = await materialize(context, dataset);
  const settings = await records.readSettings(context.database);
  return {
    training: run.plan.training,
    method: run.plan.method,
    modelFolder: await baseFolderOf(context, run),
    objective: learnedObjective(run.plan, dataset),
    device,
    threads: settings.threads,
    initFolder,
    ...(await compositionOf(context, run.plan)),
    ...(await refinementOf(context, run.plan)),
    readTest: run.plan.readTest,
    data: { train: files.train ?? '', validation: files.validation, test: files.test },
  };
}
