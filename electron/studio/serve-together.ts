/** Finished runs of one base and one data set, answering together. */
import type { Run, ServedTogether } from '../contract/entities.js';
import { datasets } from '../storage/index.js';
import { workApart } from './apart.js';
import type { Context } from './context.js';
import { materialize } from './datasets.js';
import { servedRun } from './served.js';

/** @param runs at least one. Rejects with StudioError 'cancelled' when the signal says so. */
export async function takeServedTogether(
  context: Context,
  runs: readonly [Run, ...Run[]],
  signal: AbortSignal,
): Promise<ServedTogether> {
  const models = [];
  for (const run of runs) models.push(await servedRun(context, run));
  const files = await materialize(context, await datasets.getDataset(context.database, runs[0].datasetId));
  const rowsFile = files.validation ?? files.train ?? files.test ?? '';
  const job = { type: 'serve-together', models, rowsFile } as const;
  const { type: _type, ...found } = await workApart<'serve-together'>(context, job, { signal });
  return found;
}
