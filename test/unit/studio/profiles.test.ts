import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { forkTrainerFrom } from '../../../electron/cli/trainer-process.js';
import { importRequestSchema, profileSchema, type BaseModel, type Job } from '../../../electron/contract/entities.js';
import { StudioError } from '../../../electron/contract/errors.js';
import { datasets, models, openDatabase, Presence, projects, type Database } from '../../../electron/storage/index.js';
import { datasetFolder } from '../../../electron/studio/context.js';
import { Jobs } from '../../../electron/studio/jobs.js';
import { profileCalls } from '../../../electron/studio/profiles.js';
import { removeWithFolders } from '../../../electron/studio/removals.js';
import type { SpawnTrainer } from '../../../electron/studio/trainer-port.js';
import { makeTinyModel, tinyVocabulary } from '../../helpers/tiny-model.js';
import { bundledTrainer, removeBundles } from '../../helpers/trainer-process.js';

const time = '2026-11-24T21:13:00.000Z';
let home = '';
let database: Database;
let presence: Presence;
let id = 0;
let model: BaseModel;
/** Jobs as they were told last. */
let told: Map<string, Job>;
let jobs: Jobs;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'profiles-'));
  ({ database } = await openDatabase(home));
  presence = await Presence.announce(home);
  told = new Map();
  jobs = new Jobs((job) => told.set(job.id, job));
  const projectId = await projects.insertProject(database, { name: 'One', description: '', createdAt: time });
  const request = importRequestSchema.parse({
    projectId,
    name: 'rows',
    path: '/rows.csv',
    textColumn: 'text',
    labelColumn: 'label',
  });
  id = await datasets.beginDataset(database, request, time, 'this process');
  await datasets.insertRows(
    database,
    id,
    ['the cat', 'bread with honey', 'The  Cat'].map((text, i) => ({
      split: i < 2 ? ('train' as const) : ('test' as const),
      position: i,
      text,
      pair: null,
      label: 'a',
      line: 10 * i + 2,
      messages: null,
    })),
  );
  await datasets.finishDataset(database, id, {
    rows: { train: 2, validation: 0, test: 1 },
    labels: ['a'],
    range: null,
    splitNote: '',
    skippedRows: 0,
    bytes: 1,
    contentHash: 'abc',
  });
  const facts = {
    name: 'tiny',
    folder: await makeTinyModel(join(home, 'model')),
    architecture: 'bert',
    parameters: 1,
    layers: 1,
    hiddenSize: 1,
    vocabularySize: tinyVocabulary().length,
    maxLength: 64,
    bytes: 1,
    builtIn: false,
    addedAt: time,
    license: null,
  };
  model = { id: await models.insertModel(database, facts), ...facts };
});
afterEach(async () => {
  await jobs.close();
  await database.close();
  await presence.release();
  await rm(home, { recursive: true, force: true });
});

afterAll(removeBundles);

const files = () => readdir(datasetFolder(home, id)).catch(() => []);
const kept = async () => (await files()).filter((name) => name.startsWith('profile-'));
async function asking(spawn?: SpawnTrainer) {
  const spawnTrainer = spawn ?? forkTrainerFrom(await bundledTrainer());
  return profileCalls({ database, home, presence, jobs, spawnTrainer })['datasets.profile'];
}
async function ended({ jobId }: { jobId: string }): Promise<Job> {
  await expect.poll(() => told.get(jobId)?.state, { timeout: 25_000 }).not.toBe('running');
  const job = told.get(jobId);
  if (!job) throw new Error('No such job.');
  if (job.problem) throw StudioError.fromProblem(job.problem);
  return job;
}
async function count(of: BaseModel | null) {
  const ask = await asking();
  return profileSchema.parse((await ended(await ask({ id, modelId: of?.id ?? null }))).result);
}

it('counts once, and again for another tokenizer or other rows', async () => {
  const first = await count(model);
  expect(first.lengths).toMatchObject({ tokenizer: 'tiny', max: 5 });
  const [file = ''] = await kept();
  const path = join(datasetFolder(home, id), file);
  // A mark in what is kept shows where an answer comes from.
  await writeFile(path, (await readFile(path, 'utf8')).replace('"max":5', '"max":77'));
  expect((await count(model)).lengths.max).toBe(77);
  await database.run("UPDATE base_models SET name = 'renamed'");
  expect((await count(model)).lengths).toMatchObject({ tokenizer: 'renamed', max: 77 });
  expect((await count(null)).lengths.max).toBe(3);
  expect(await kept()).toHaveLength(2);
  await database.run(`UPDATE datasets SET summary = json_set(summary, '$.contentHash', 'other')`);
  expect((await count(model)).lengths.max).toBe(5);
  await appendFile(join(model.folder, 'tokenizer_config.json'), ' ');
  expect((await count(model)).lengths.max).toBe(5);
  expect(await kept()).toHaveLength(4);
});

it('counts again where what was kept is damaged', async () => {
  const whole = await count(null);
  const [file = ''] = await kept();
  for (const text of ['', '{"rows":', '{"rows":{}}']) {
    await writeFile(join(datasetFolder(home, id), file), text);
    expect(await count(null)).toEqual(whole);
  }
});

it('names what it found by the lines of the file', async () => {
  const { warnings } = await count(null);
  expect(warnings.find(({ kind }) => kind === 'leak')?.examples).toEqual([
    { split: 'test', line: 22, label: 'a', text: 'The  Cat' },
  ]);
});

/** A trainer that takes its job and never ends it; `sent` is what it was told. */
function silent(): { readonly spawn: SpawnTrainer; readonly sent: string[] } {
  const sent: string[] = [];
  const spawn: SpawnTrainer = () => {
    let end: (code: number | null, lastWords: string) => void = () => undefined;
    return {
      pid: undefined,
      postMessage: (message) => {
        const { kind } = message as { kind: string };
        sent.push(kind);
        if (kind === 'exit') end(0, '');
      },
      onMessage: () => undefined,
      onExit: (listener) => {
        end = listener;
      },
      kill: () => end(null, ''),
    };
  };
  return { spawn, sent };
}

it('is counted once for all that ask meanwhile, and no more once the data set is deleted', async () => {
  const { spawn, sent } = silent();
  const ask = await asking(spawn);
  const job = await ask({ id, modelId: null });
  expect(await ask({ id, modelId: null })).toEqual(job);
  await expect.poll(() => sent, { timeout: 25_000 }).toEqual(['job']);
  expect(told.get(job.jobId)).toMatchObject({ kind: 'profile', state: 'running', total: 3 });
  await removeWithFolders({ presence, jobs }, [datasetFolder(home, id)], () => datasets.deleteDataset(database, id));
  expect(told.get(job.jobId)).toMatchObject({ state: 'cancelled' });
  expect(sent).toEqual(['job', 'exit']);
  expect(await files()).toEqual([]);
});

it('ends with the app', async () => {
  const { spawn, sent } = silent();
  const ask = await asking(spawn);
  const job = await ask({ id, modelId: model.id });
  await expect.poll(() => sent, { timeout: 25_000 }).toEqual(['job']);
  await jobs.close();
  expect(told.get(job.jobId)).toMatchObject({ state: 'cancelled', problem: { code: 'cancelled' } });
  expect(sent).toEqual(['job', 'exit']);
  expect(await kept()).toEqual([]);
});
