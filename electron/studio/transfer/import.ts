/**
 * A project as one file: a zip of `manifest.json` (project, data sets, runs, hashes), `datasets/<n>.jsonl` and `runs/<n>/…`.
 * Nothing of a file is believed before it was checked: names, sizes and hashes.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { z } from 'zod';
import {
  datasetRowSchema,
  datasetSchema,
  importRequestSchema,
  runSchema,
  type BaseModel,
  type DatasetRow,
} from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { testOutcomeSchema } from '../contract/outcomes.js';
import type { Plan } from '../contract/plan.js';
import { fileProblem, namingFile } from '../contract/problem-of.js';
import { hashFile, hashWeights } from '../interchange/index.js';
import { datasets, metrics, models, projects, runs } from '../storage/index.js';
import { trainedFileName } from '../trainer/protocol.js';
import { changed, now, runFolder, type Context } from './context.js';
import { requireSpace } from './files.js';
import { namesOf } from './plan.js';
import { throwIfAborted, type JobHandle } from './jobs.js';
import { oldOutcomes } from './old-outcomes.js';

const FORMAT = 'peft-studio-project';
/** A member that unpacks to more than this multiple of what it takes packed is no honest member. */
const LARGEST_RATIO = 200;
const MOST_MEMBERS = 20_000;

/** `weights`: hash of the base model's weights; a model of the same name may be another one. */
const storedRun = z.object({
  run: runSchema,
  dataset: z.string(),
  model: z.string(),
  weights: z.string(),
  history: z.string(),
  trained: z.boolean(),
});
const manifestSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  project: z.object({ name: z.string().min(1), description: z.string() }),
  datasets: z.array(z.object({ set: datasetSchema, request: importRequestSchema, file: z.string() })),
  runs: z.array(storedRun),
  /** SHA-256 of every other member. */
  hashes: z.record(z.string(), z.string()),
});
type Manifest = z.infer<typeof manifestSchema>;
const historySchema = z.object({
  history: z.object({
    steps: z.array(z.unknown()),
    validations: z.array(z.unknown()),
    // Files of before there were stages do not have them.
    stages: z.array(z.unknown()).default([]),
    log: z.array(z.unknown()),
  }),
  outcomes: z.array(testOutcomeSchema).default([]),
  ...oldOutcomes,
});

/** Hashes each model's weights once, when first asked for. */
function weightHashes(): (model: BaseModel) => Promise<string> {
  const hashes = new Map<number, Promise<string>>();
  return (model) => {
    const hash = hashes.get(model.id) ?? hashWeights(model.folder);
    hashes.set(model.id, hash);
    return hash;
  };
}

/** The base models here that the file's runs stand on, by the weights' hash: a model's name may differ, its weights may not. */
async function findModels(context: Context, list: Manifest['runs']): Promise<Map<string, number>> {
  const known = await models.listModels(context.database);
  const hashOf = weightHashes();
  const found = new Map<string, number>();
  for (const { model, weights } of list) {
    if (found.has(weights)) continue;
    // The one of that name first: it is most likely the one, and hashing takes time.
    for (const candidate of [...known].sort((a, b) => Number(b.name === model) - Number(a.name === model))) {
      // A folder that is gone or cannot be read is none of them.
      if ((await hashOf(candidate).catch(() => null)) !== weights) continue;
      found.set(weights, candidate.id);
      break;
    }
    if (!found.has(weights)) {
      const other = known.some(({ name }) => name === model) ? ' The model of that name here has other weights.' : '';
      throw new StudioError(
        'not-found',
        `The project's runs are on the base model "${model}", which is not here.${other}`,
        "Add that model's folder, then import again.",
        { model },
      );
    }
  }
  return found;
}

/** Writes the project's file; it takes its name only when it is whole. Finished runs go along with their trained parameters. */
export async function exportProject(
  context: Context,
  projectId: number,
  path: string,
  handle: JobHandle,
): Promise<{ path: string; bytes: number }> {
  const { database, home, presence } = context;
  const work = await mkdtemp(join(await presence.workFolder(), 'export-'));
  try {
    const project = await projects.getProject(database, projectId);
    const members = new Map<string, string>();
    const sets = await datasets.listDatasets(database, projectId);
    const list = (await runs.listRuns(database, projectId)).filter((run) => run.state === 'finished').reverse();
    const total = sets.length + list.length + 1;
    const hashOf = weightHashes();
    const manifest: Manifest = {
      format: FORMAT,
      version: 1,
      project: { name: project.name, description: project.description },
      datasets: [],
      runs: [],
      hashes: {},
    };
    for (const [i, set] of sets.entries()) {
      throwIfAborted(handle.signal);
      handle.progress(i, total, `Data set ${set.name}`);
      const file = `datasets/${i}.jsonl`;
      const target = join(work, `data-${i}`);
      await pipeline(jsonLines(datasets.eachRow(database, set.id)), createWriteStream(target)).catch(
        namingFile(target),
      );
      members.set(file, target);
      manifest.datasets.push({ set, request: await datasets.getImportRequest(database, set.id), file });
    }
    for (const [i, run] of list.entries()) {
      throwIfAborted(handle.signal);
      handle.progress(sets.length + i, total, `Run ${run.id}`);
      const history = `runs/${i}/history.json`;
      await writeFile(
        join(work, `run-${i}`),
        JSON.stringify({
          history: await metrics.readHistory(database, run.id, 0),
          outcomes: await metrics.listOutcomes(database, run.id),
        }),
      );
      members.set(history, join(work, `run-${i}`));
      const trained = join(runFolder(home, run.id), trainedFileName);
      const there = await stat(trained).then(
        () => true,
        () => false,
      );
      if (there) members.set(`runs/${i}/${trainedFileName}`, trained);
      manifest.runs.push({
        run,
        dataset: run.datasetName,
        model: run.modelName,
        weights: await hashOf(await models.getModel(database, run.modelId)),
        history,
        trained: there,
      });
    }
    for (const [name, file] of members) manifest.hashes[name] = await hashFile(file);
    handle.progress(total - 1, total, 'Packing');
    const zip = new yazl.ZipFile();
    zip.addBuffer(Buffer.from(JSON.stringify(manifest)), 'manifest.json');
    for (const [name, file] of members) zip.addFile(file, name);
    zip.end();
    await mkdir(dirname(path), { recursive: true });
    await pipeline(zip.outputStream, createWriteStream(`${path}.part`, { flush: true })).catch(namingFile(path));
    await rename(`${path}.part`, path);
    return { path, bytes: (await stat(path)).size };
  } catch (error) {
    await rm(`${path}.part`, { force: true });
    throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function* jsonLines(rows: AsyncIterable<DatasetRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

function nextEntry(zip: yauzl.ZipFile): Promise<yauzl.Entry> {
  return new Promise((done, fail) => {
    const onError = (error: Error) => fail(error);
    zip.once('entry', (entry: yauzl.Entry) => {
      zip.off('error', onError);
      done(entry);
    });
    zip.once('error', onError);
    zip.readEntry();
  });
}

const broken = (path: string, why: string) =>
  new StudioError(
    'bad-file',
    `${path} is not a whole project file: ${why}.`,
    'Export the project again and copy the file whole.',
    { file: path },
  );

/** Unpacks into a folder of our own under made-up names; member names are keys only and never become paths. */
async function unpack(path: string, work: string, handle: JobHandle): Promise<Map<string, string>> {
  const zip = await new Promise<yauzl.ZipFile>((done, fail) =>
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error ? fail(broken(path, error.message)) : done(opened),
    ),
  );
  const files = new Map<string, string>();
  try {
    if (zip.entryCount > MOST_MEMBERS)
      throw broken(path, `it has ${zip.entryCount} members, at most ${MOST_MEMBERS} are allowed`);
    for (let i = 0; i < zip.entryCount; i++) {
      throwIfAborted(handle.signal);
      const entry = await nextEntry(zip).catch((error: Error) => {
        throw broken(path, error.message);
      });
      const name = entry.fileName;
      if (!/^(manifest\.json|datasets\/\d+\.jsonl|runs\/\d+\/(history\.json|trained\.safetensors))$/.test(name))
        throw broken(path, `it has a member named ${JSON.stringify(name)}`);
      if (entry.uncompressedSize > 2 ** 20 && entry.uncompressedSize > LARGEST_RATIO * entry.compressedSize)
        throw broken(path, `${name} would unpack to ${entry.uncompressedSize} bytes`);
      await requireSpace(work, entry.uncompressedSize, 'The import');
      const target = join(work, String(i));
      const stream = await new Promise<NodeJS.ReadableStream>((done, fail) =>
        zip.openReadStream(entry, (error, opened) => (error ? fail(broken(path, error.message)) : done(opened))),
      );
      await pipeline(stream, createWriteStream(target)).catch((error: Error) => {
        throw fileProblem(error)?.code === 'no-space' ? error : broken(path, `${name}: ${error.message}`);
      });
      files.set(name, target);
    }
    return files;
  } finally {
    zip.close();
  }
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
    const known = await findModels(context, manifest.runs);
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
      for (const { from, runId } of kept) {
        made.push(runFolder(home, runId));
        await mkdir(runFolder(home, runId), { recursive: true });
        await copyFile(from, join(runFolder(home, runId), trainedFileName));
      }
      return id;
    });
    changed(context, 'projects');
    return projectId;
  } catch (error) {
    for (const folder of made) await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The lineage of a composed run by this folder's numbers; a part that was deleted before the export keeps its name only. */
function withRenumberedParts(plan: Plan, numbers: ReadonlyMap<number, number>): Plan {
  const { composition } = plan;
  if (!composition) return plan;
  const parts = composition.parts.map((part) =>
    typeof part.from === 'number' ? { ...part, from: numbers.get(part.from) ?? `deleted run ${part.from}` } : part,
  );
  return { ...plan, composition: { ...composition, parts } };
}

function withRenumberedRounds(plan: Plan, numbers: ReadonlyMap<number, number>, path: string): Plan {
  if (plan.refines === undefined) return plan;
  const refines = numbers.get(plan.refines);
  if (refines === undefined) throw broken(path, `a run goes on from run ${plan.refines}, which is not in it`);
  return { ...plan, refines };
}

function parse<T extends z.ZodType>(path: string, name: string, schema: T, text: string): z.output<T> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new StudioError(
      'bad-file',
      `${path} is not a whole project file: ${name} does not read as it should.`,
      "Export the project again; an older app may not read a newer app's file.",
      { file: path },
      { cause: error },
    );
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
