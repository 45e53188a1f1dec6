/** Finished runs of one base and one data set, answering together. */
import type { Run, ServedTogether } from '../contract/entities.js';
import { datasets } from '../storage/index.js';
import type { Context } from './context.js';
import { materialize } from './datasets.js';
import { servedRun } from './served.js';
import { TrainerClient } from './trainer-client.js';

/** @param runs at least one. Rejects with StudioError 'cancelled' when the signal says so. */
export async function takeServedTogether(
  context: Context,
  runs: readonly [Run, ...Run[]],
  signal: AbortSignal,
): Promise<ServedTogether> {
  const models = [];
  for (const run of runs) models.push(await servedRun(context, run));
  const files = await materialize(context, await datasets.getDataset(context.database, runs[0].datasetId));
  const client = new TrainerClient(context.spawnTrainer);
  try {
    const rowsFile = files.validation ?? files.train ?? files.test ?? '';
    const job = client.start<'serve-together'>({ type: 'serve-together', models, rowsFile }, () => undefined);
    signal.addEventListener('abort', () => job.cancel());
    const { type: _type, ...found } = await job.result;
    return found;
  } finally {
    client.close();
  }
}
