/** The model that a run stands on: its base model, or of a further round the base with former rounds in place. */
import { join } from 'node:path';
import { openModel, readSafetensors } from '../engine/index.js';
import { writeRefinedBase } from '../interchange/index.js';
import type { Run } from '../contract/entities.js';
import { models, runs } from '../storage/index.js';
import { trainedFileName } from '../trainer/protocol.js';
import { runFolder, type Context } from './context.js';
import { answersByHead } from './objective.js';
import { keepFolder, requireSpace } from './files.js';

type Standing = Pick<Run, 'modelId' | 'plan'>;

/** The run whose result is part of what another one stands on; null where that is the base model as it is. */
export async function standsOn(context: Context, { plan }: Pick<Run, 'plan'>): Promise<Run | null> {
  if (plan.refines === undefined) return null;
  const former = await runs.getRun(context.database, plan.refines);
  return plan.refineBy === 'merge' ? former : standsOn(context, former);
}

/** Where the base with a run's result in place is kept: it goes with the run. */
export const resultFolder = (context: Pick<Context, 'home'>, id: number): string =>
  join(runFolder(context.home, id), `after-run-${id}`);

/** The folder of the model that a run stands on; one with former rounds in place is made where it is missing. */
export async function baseFolderOf(context: Context, run: Standing): Promise<string> {
  const former = await standsOn(context, run);
  if (former === null) return (await models.getModel(context.database, run.modelId)).folder;
  return withResult(context, former);
}

/** The base of a finished run with its result in place. Throws EngineError 'bad-input' where its method does not merge. */
export async function withResult(context: Context, run: Run): Promise<string> {
  const folder = resultFolder(context, run.id);
  const base = await baseFolderOf(context, run);
  await keepFolder(context.presence, folder, async (temporary) => {
    const model = await openModel(base);
    await requireSpace(runFolder(context.home, run.id), model.totalParameters * 4, 'The base of the next round');
    const { tensors } = await readSafetensors(join(runFolder(context.home, run.id), trainedFileName));
    const keepsHead = !answersByHead(run.plan);
    await writeRefinedBase({ model, method: run.plan.method, parameters: tensors, keepsHead }, temporary);
  });
  return folder;
}
