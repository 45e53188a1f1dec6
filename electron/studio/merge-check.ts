/** A run merged into its base's weights and taken out again, in a folder that goes with the job. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Handlers } from '../contract/calls.js';
import type { MergeCheck, Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { objectiveTable } from '../contract/objectives.js';
import { openModel, whyUnmergeable } from '../engine/index.js';
import { datasets, models, runs } from '../storage/index.js';
import { baseFolderOf } from './bases.js';
import { workApart } from './apart.js';
import type { Context } from './context.js';
import { materialize } from './datasets.js';
import type { JobHandle } from './jobs.js';
import { requireSpace } from './files.js';
import { requireFinished, servedRun } from './served.js';

export function mergeCheckCalls(context: Context): Pick<Handlers, 'runs.checkMerge'> {
  const { database } = context;
  return {
    'runs.checkMerge': async ({ id }) => {
      const run = await runs.getRun(database, id);
      await requireMerging(context, run);
      return context.jobs.start('merge-check', `Merge run ${id} and take it out again`, (handle) =>
        takeMergeCheck(context, run, handle),
      );
    },
  };
}

/** Throws StudioError 'bad-input' with the reason for a run that does not merge. */
export async function requireMerging(context: Context, run: Run): Promise<void> {
  requireFinished(run);
  if (objectiveTable[run.plan.objective].answers === 'nothing')
    throw new StudioError(
      'bad-input',
      'Only runs that answer are checked so.',
      'Export it merged: every export is compared with the run.',
      { run: run.id },
    );
  const reason = whyUnmergeable(await openModel(await baseFolderOf(context, run)), run.plan.method);
  if (reason !== null)
    throw new StudioError('bad-input', reason, 'Compare it as it is: the adapter runs beside its base.', {
      run: run.id,
    });
}

/** Of a finished run whose method merges. Rejects with StudioError 'cancelled' when the signal says so. */
export async function takeMergeCheck(
  context: Context,
  run: Run,
  handle: Pick<JobHandle, 'signal' | 'progress'>,
): Promise<MergeCheck> {
  const model = await models.getModel(context.database, run.modelId);
  const folder = await mkdtemp(join(await context.presence.workFolder(), 'merge-'));
  try {
    // The merged model and the one without the adapter, as float32.
    await requireSpace(folder, 2 * 4 * model.parameters, 'The check');
    const files = await materialize(context, await datasets.getDataset(context.database, run.datasetId));
    const { type: _type, ...found } = await workApart<'merge-check'>(
      context,
      {
        type: 'merge-check',
        model: await servedRun(context, run),
        workFolder: folder,
        rowsFile: files.validation ?? files.train ?? files.test ?? '',
        // A text is read token by token, and more is written.
        ...(run.plan.objective === 'causal-lm' ? { limit: 64 } : {}),
      },
      {
        signal: handle.signal,
        onEvent: (event) => {
          if (event.type === 'progress') handle.progress(event.done, event.total, event.message);
        },
      },
    );
    return found satisfies MergeCheck;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
