/** Data sets: import into the database, rows, profile; and the split files that the trainer reads. */
import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Handlers } from '../contract/calls.js';
import { splitNames, type Dataset, type ImportRequest, type SplitName } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { namingFile } from '../contract/problem-of.js';
import { importRows, previewFile } from '../data/index.js';
import { datasets, projects, runs } from '../storage/index.js';
import { changed, datasetFolder, now, type Context } from './context.js';
import { bytesBelow, replaceFile, requireSpace } from './files.js';
import { throwIfAborted, type JobHandle } from './jobs.js';
import { removeWithFolders } from './removals.js';

type Group = Pick<
  Handlers,
  | 'datasets.list'
  | 'datasets.get'
  | 'datasets.inspect'
  | 'datasets.import'
  | 'datasets.rows'
  | 'datasets.removal'
  | 'datasets.remove'
>;

const number = (value: number) => value.toLocaleString('en');

/** Imports and returns the finished data set; what was begun is discarded on failure. Throws StudioError. */
export async function importDataset(
  context: Context,
  request: ImportRequest,
  handle: JobHandle | null,
): Promise<Dataset> {
  const { database, presence, unwritten } = context;
  await projects.getProject(database, request.projectId);
  // What an import before this one could not take back stands in the way of its name.
  await unwritten.retry();
  const taken = (await datasets.listDatasets(database, request.projectId)).some((set) => set.name === request.name);
  if (taken)
    throw new StudioError(
      'conflict',
      `The project has a data set named "${request.name}" already.`,
      'Give the new one another name.',
      { name: request.name },
    );
  if (await datasets.isBeingFilled(database, request.projectId, request.name))
    throw new StudioError(
      'conflict',
      `A data set named "${request.name}" is being imported just now.`,
      'Wait until that import has ended, or give the new one another name.',
      { name: request.name },
    );
  const files = [request.path, request.validation, request.test].filter((file) => typeof file === 'string');
  const sizes = await Promise.all(files.map((file) => stat(file).catch(() => ({ size: 0 }))));
  const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  await requireSpace(context.home, 2 * bytes, 'The import');
  const id = await datasets.beginDataset(database, request, now(), presence.id);
  try {
    const summary = await importRows(
      request,
      { write: (rows) => datasets.insertRows(database, id, rows) },
      {
        signal: handle?.signal,
        onProgress: ({ done, total, message, secondsLeft }) => handle?.progress(done, total, message, secondsLeft),
      },
    );
    await datasets.finishDataset(database, id, {
      ...summary,
      rows: { ...summary.rows },
      labels: [...summary.labels],
      notes: [...summary.notes],
    });
  } catch (error) {
    const takeBack = () => datasets.deleteDataset(database, id);
    await takeBack().catch(() => unwritten.add(takeBack));
    throw error;
  }
  changed(context, 'datasets', request.projectId);
  return datasets.getDataset(database, id);
}

/**
 * The split files of a data set, written once: the trainer reads files and never the database.
 * Rejects with StudioError 'cancelled' when the signal says so.
 */
export async function materialize(
  context: Pick<Context, 'database' | 'home' | 'presence'>,
  dataset: Dataset,
  signal?: AbortSignal,
): Promise<Record<SplitName, string | null>> {
  const lines = async function* (split: SplitName) {
    for await (const some of datasets.eachLine(context.database, dataset.id, split)) {
      if (signal) throwIfAborted(signal);
      yield some;
    }
  };
  const folder = datasetFolder(context.home, dataset.id);
  await mkdir(folder, { recursive: true });
  const paths: Record<SplitName, string | null> = { train: null, validation: null, test: null };
  for (const split of splitNames) {
    if (dataset.rows[split] === 0) continue;
    const path = join(folder, `${split}.jsonl`);
    paths[split] = path;
    if (
      await stat(path).then(
        () => true,
        () => false,
      )
    )
      continue;
    // An estimate and a run may ask at once: each writes a file of its own, and the last whole one stands.
    await replaceFile(context.presence, path, (part) =>
      pipeline(lines(split), createWriteStream(part, { flush: true })).catch(namingFile(path)),
    );
  }
  return paths;
}

export function datasetCalls(context: Context): Group {
  const { database } = context;
  return {
    'datasets.list': ({ projectId }) => datasets.listDatasets(database, projectId),
    'datasets.get': ({ id }) => datasets.getDataset(database, id),
    'datasets.inspect': ({ path, reading }) => previewFile(path, reading),
    'datasets.import': async (request) =>
      context.jobs.start('import', `Import ${basename(request.path)}`, (handle) =>
        importDataset(context, request, handle),
      ),
    'datasets.rows': async ({ id, offset, limit, total, ...filter }) => {
      await datasets.getDataset(database, id);
      return datasets.pageRows(database, id, filter, offset, limit, total);
    },
    'datasets.removal': async ({ id }) => {
      const set = await datasets.getDataset(database, id);
      const using = await runs.runsOf(database, 'dataset_id', id);
      const rows = set.rows.train + set.rows.validation + set.rows.test;
      return {
        title: `Delete the data set ${set.name}?`,
        lines: [`${number(rows)} imported rows. The file ${set.source} stays as it is.`],
        ...(using.length > 0
          ? {
              blocked: `${using.length === 1 ? '1 run uses' : `${using.length} runs use`} it and must be deleted first.`,
            }
          : {}),
        bytes: await bytesBelow(datasetFolder(context.home, id)),
      };
    },
    'datasets.remove': async ({ id }) => {
      const set = await datasets.getDataset(database, id);
      const using = await runs.runsOf(database, 'dataset_id', id);
      if (using.length > 0)
        throw new StudioError(
          'conflict',
          `${using.length} runs use the data set ${set.name}.`,
          'Delete these runs first.',
          { runs: using.length },
        );
      await removeWithFolders(context, [datasetFolder(context.home, id)], () => datasets.deleteDataset(database, id));
      changed(context, 'datasets', set.projectId);
      return { done: true };
    },
  };
}
