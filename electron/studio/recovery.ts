/** What processes that ended without a word left behind: their runs are marked, their half-made data sets and files go. */
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { datasets, runs, studies } from '../storage/index.js';
import { datasetFolder, runFolder, type Context } from './context.js';
import { sweepRun } from './files.js';

const MILLISECONDS_BETWEEN = 3000;

export interface Left {
  /** Runs that were under way. */
  readonly interrupted: readonly number[];
  /** Runs that waited, in order. */
  readonly waiting: readonly number[];
  /** Studies that were under way. */
  readonly studies: readonly number[];
}

/** Looks at every process that is named in the database; what a living one does is left alone. */
export async function takeOver(context: Context): Promise<Left> {
  const { database, home, presence } = context;
  const named = new Set([
    ...(await runs.workers(database)),
    ...(await datasets.workers(database)),
    ...(await studies.workers(database)),
  ]);
  const interrupted: number[] = [];
  const waiting: number[] = [];
  const cutOff: number[] = [];
  for (const worker of named) {
    if (worker !== null && (await presence.isAlive(worker))) continue;
    const cut = await runs.markInterrupted(database, worker);
    for (const id of cut) await sweepRun(home, id);
    interrupted.push(...cut);
    waiting.push(...(await runs.queuedOf(database, worker)));
    cutOff.push(...(await studies.markInterrupted(database, worker)));
    await datasets.deleteUnfinishedDatasets(database, worker);
  }
  await presence.sweep();
  await removeLeft(context);
  return { interrupted, waiting: waiting.sort((a, b) => a - b), studies: cutOff };
}

/**
 * Folders that a project's import had made or a deletion was to remove when it was cut off. Those of runs and data sets that are not in
 * the database go: of an import that was rolled back the numbers are given again.
 */
async function removeLeft({ database, home, presence }: Context): Promise<void> {
  for (const path of presence.left.splice(0)) {
    const id = Number(basename(path));
    const ofNone =
      (path === runFolder(home, id) && !(await runs.isThere(database, id))) ||
      (path === datasetFolder(home, id) && !(await datasets.isThere(database, id)));
    if (ofNone) await rm(path, { recursive: true, force: true });
  }
}

/**
 * Looks again every few seconds while the studio is open, and tells the window of each run that was cut off meanwhile.
 * @returns a function that ends it
 */
export function watchOthers(context: Context, onLeft: (left: Left) => Promise<void>): () => Promise<void> {
  let looking: Promise<void> | null = null;
  const look = async () => {
    await context.unwritten.retry();
    const left = await takeOver(context);
    if (left.interrupted.length + left.waiting.length + left.studies.length > 0) await onLeft(left);
  };
  const timer = setInterval(() => {
    // A database that cannot be written now is tried again the next time.
    looking ??= look()
      .catch(() => undefined)
      .finally(() => {
        looking = null;
      });
  }, MILLISECONDS_BETWEEN);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await looking;
  };
}
