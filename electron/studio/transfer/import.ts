/** A project's file read into a new project. */
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { datasetRowSchema, type DatasetRow } from '../../contract/entities.js';
import { hashFile } from '../../interchange/index.js';
import { datasets, metrics, models, projects, runs } from '../../storage/index.js';
import { trainedFileName } from '../../trainer/protocol.js';
import { changed, now, runFolder, type Context } from '../context.js';
import { throwIfAborted, type JobHandle } from '../jobs.js';
import { namesOf } from '../plan.js';
import { broken, historySchema, manifestSchema, parse, type Manifest } from './format.js';
import { modelsByWeights } from './models.js';
import { withRenumberedParts, withRenumberedRounds } from './renumber.js';
import { restoreStudies } from './studies.js';
import { unpack } from './unpack.js';

/** What the file's base models are called here, by their names in the file. */
async function modelNames(
  sql: Parameters<typeof models.getModel>[0],
  list: Manifest['runs'],
  found: ReadonlyMap<string, number>,
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const { model, weights } of list) {
    const id = found.get(weights);
    if (id !== undefined && !names.has(model)) names.set(model, (await models.getModel(sql, id)).name);
  }
  return names;
}

/** Reads a project's file into a new project and returns its number; nothing of it stays if anything fails. */
export async function importProject(
  context: Context,
  path: string,
  freeName: (name: string) => Promise<string>,
  handle: JobHandle,
): Promise<number> {
  const { database, home, presence } = context;
  const work = await mkdtemp(join(await presence.workFolder(), 'import-'));
  const made: string[] = [];
  const forget: (() => Promise<void>)[] = [];
  try {
    handle.progress(0, null, 'Unpacking');
    const files = await unpack(path, work, handle);
    const manifestFile = files.get('manifest.json');
    if (manifestFile === undefined) throw broken(path, 'manifest.json is missing');
    const manifest = parse(path, 'manifest.json', manifestSchema, await readFile(manifestFile, 'utf8'));
    for (const [name, file] of files) {
      if (name !== 'manifest.json' && manifest.hashes[name] !== (await hashFile(file)))
        throw broken(path, `${name} is not what was exported (its hash differs)`);
    }
    const known = await modelsByWeights(
      context,
      manifest.runs.map(({ weights }) => weights),
      (weights) => manifest.runs.find((run) => run.weights === weights)?.model ?? '',
    );
    const member = (name: string) => {
      const file = files.get(name);
      if (file === undefined) throw broken(path, `${name} is missing`);
      return file;
    };
    const name = await freeName(manifest.project.name);
    const kept: { from: string; runId: number }[] = [];
    const projectId = await database.transaction(async (sql) => {
      const id = await projects.insertProject(sql, {
        name,
        description: manifest.project.description,
        createdAt: now(),
      });
      const sets = new Map<string, { id: number; rows: Map<number, number> }>();
      for (const { set, request, file } of manifest.datasets) {
        throwIfAborted(handle.signal);
        handle.progress(0, null, `Data set ${set.name}`);
        const datasetId = await datasets.beginDataset(
          sql,
          { ...request, projectId: id, name: set.name },
          set.createdAt,
          presence.id,
        );
        const old = await insertLines(sql, datasetId, path, file, member(file));
        await datasets.finishDataset(sql, datasetId, set);
        const fresh = await datasets.rowIds(sql, datasetId);
        sets.set(set.name, { id: datasetId, rows: new Map(old.map((row, i) => [row, fresh[i] as number])) });
      }
      /** New numbers by old ones; what a run is made of stands before it. */
      const numbers = new Map<number, number>();
      for (const [i, { run, dataset, weights, history, trained }] of manifest.runs.entries()) {
        const set = sets.get(dataset);
        const modelId = known.get(weights);
        if (!set || modelId === undefined) throw broken(path, `run ${i} names a data set that is not in it`);
        const plan = withRenumberedRounds(withRenumberedParts(run.plan, numbers), numbers, path);
        const runId = await runs.insertRun(sql, {
          projectId: id,
          modelId,
          datasetId: set.id,
          plan,
          initFolder: null,
          // The name of a further round tells the number of the one before.
          ...(plan.refines === undefined ? { methodName: run.methodName, setting: run.setting } : namesOf(plan)),
          createdAt: run.createdAt,
          worker: null,
        });
        numbers.set(run.id, runId);
        await runs.updateRun(sql, runId, {
          state: 'finished',
          step: run.step,
          totalSteps: run.totalSteps,
          device: run.device,
          devices: run.devices ?? null,
          startedAt: run.startedAt,
          endedAt: run.endedAt,
          validation: run.validation,
          result: run.result,
        });
        const told = parse(path, history, historySchema, await readFile(member(history), 'utf8'));
        await metrics.restoreHistory(sql, runId, told.history);
        await metrics.insertOutcomes(
          sql,
          runId,
          [...told.outcomes, ...told.predictions, ...told.losses].flatMap((row) => {
            const rowId = set.rows.get(row.id);
            return rowId === undefined ? [] : [{ ...row, id: rowId }];
          }),
        );
        if (trained) kept.push({ from: member(`runs/${i}/${trainedFileName}`), runId });
      }
      await restoreStudies(
        sql,
        { projectId: id, worker: presence.id, numbers, models: await modelNames(sql, manifest.runs, known) },
        manifest.studies,
      );
      for (const { from, runId } of kept) {
        made.push(runFolder(home, runId));
        forget.push(await presence.making(runFolder(home, runId)));
        await mkdir(runFolder(home, runId), { recursive: true });
        await copyFile(from, join(runFolder(home, runId), trainedFileName));
      }
      const gone = await presence.whyGone();
      if (gone) throw gone;
      return id;
    });
    changed(context, 'projects');
    return projectId;
  } catch (error) {
    for (const folder of made) await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    for (const note of forget) await note();
    await rm(work, { recursive: true, force: true });
  }
}

/** Returns the rows' old numbers, in order. */
async function insertLines(
  sql: Parameters<typeof datasets.insertRows>[0],
  datasetId: number,
  path: string,
  name: string,
  file: string,
): Promise<number[]> {
  const ids: number[] = [];
  let pending: DatasetRow[] = [];
  const flush = async () => {
    await datasets.insertRows(sql, datasetId, pending);
    pending = [];
  };
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    const row = parse(path, name, datasetRowSchema, line);
    ids.push(row.id);
    pending.push(row);
    if (pending.length === 1000) await flush();
  }
  await flush();
  return ids;
}
