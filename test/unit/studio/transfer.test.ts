/** A project's file: whole it comes back as it was; anything else is refused and leaves nothing behind. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { z } from 'zod';
import { planSchema } from '../../../electron/contract/plan.js';
import { studySchema } from '../../../electron/contract/study.js';
import { metrics, models, openDatabase, runs, studies } from '../../../electron/storage/index.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let home: string;
let studio: TestStudio;
let projectId: number;
let file: string;
let members: Map<string, Buffer>;

const time = '2026-11-24T21:13:00.000Z';
const scores = { accuracy: 0.75, macroF1: 0.7, loss: 0.5 };
const result = {
  test: scores,
  validation: null,
  bestStep: 3,
  trainableParameters: 10,
  totalParameters: 100,
  secondsPerStep: 0.1,
  tokensPerSecond: 50,
  peakMemoryBytes: 1e8,
  optimizerBytes: 80,
  checkpointBytes: 40,
  trainingSeconds: 1,
  steps: 3,
  stoppedEarly: false,
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'transfer-'));
  studio = await openTestStudio(home);
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Trial', description: 'about it' })).id;
  const model = await handlers['models.add']({ folder: await makeTinyModel(join(home, 'tiny')), name: 'tiny' });
  await writeFile(
    join(home, 'rows.csv'),
    ['text,topic', ...tinyRows(60).map(({ text, label }) => `"${text}",${label}`)].join('\n'),
  );
  await studio.finished(
    await handlers['datasets.import']({
      projectId,
      name: 'rows',
      path: join(home, 'rows.csv'),
      reading: {},
      task: 'classification',
      textColumn: 'text',
      pairColumn: null,
      labelColumn: 'topic',
      validation: null,
      test: 0.2,
      splitColumn: null,
      seed: 1,
      badRows: 'stop',
    }),
  );
  const [set] = await handlers['datasets.list']({ projectId });
  const { rows } = await handlers['datasets.rows']({ id: set?.id ?? 0, offset: 0, limit: 2, split: 'test' });
  // A finished run as the queue leaves it; that trained ones come back and answer the same is main-job.test.ts's.
  const { database } = await openDatabase(home);
  const runId = await runs.insertRun(database, {
    projectId,
    modelId: model.id,
    datasetId: set?.id ?? 0,
    plan: planSchema.parse({ model: 'tiny', data: 'rows', method: { type: 'head' } }),
    initFolder: null,
    methodName: 'Head',
    setting: '',
    createdAt: time,
    worker: null,
  });
  await runs.updateRun(database, runId, {
    state: 'finished',
    step: 3,
    totalSteps: 3,
    device: 'cpu',
    startedAt: time,
    endedAt: time,
    result,
  });
  await metrics.insertMetrics(
    database,
    runId,
    [1, 2, 3].map((step) => ({
      step,
      loss: step === 2 ? null : 1 / step,
      learningRate: 0.1,
      gradientNorm: 1,
      tokensPerSecond: 10,
      memoryBytes: 20,
      seconds: step,
    })),
    [],
    [{ time, level: 'note', message: 'hello' }],
    [
      {
        stage: 1,
        stages: 1,
        trains: 'embeddings, the block, head',
        firstStep: 1,
        lastStep: 3,
        learningRate: 0.1,
        trainableParameters: 10,
        optimizerBytes: 80,
        secondsPerStep: 0.1,
        scores,
        helped: true,
        next: 'end',
      },
    ],
  );
  await metrics.insertOutcomes(
    database,
    runId,
    rows.map((row, i) => ({
      id: row.id,
      outcome: { label: 0, predicted: i },
      details: { probabilities: [0.6, 0.4] },
    })),
  );
  const study = studySchema.parse({ kind: 'quality', model: 'tiny', data: ['rows'], methods: [{ type: 'head' }] });
  const studyId = await studies.insertStudy(database, {
    projectId,
    name: 'Gap',
    plan: study,
    progress: { done: 1, total: 1, secondsLeft: 0, doing: '' },
    createdAt: time,
    worker: 'here',
  });
  await studies.insertStudyRun(database, studyId, { key: 'rows/all/1/1/chosen', runId, role: 'final' });
  const row = { method: 'head', runs: [runId, 999], cells: { method: 'Head only' } };
  await studies.updateStudy(database, studyId, {
    state: 'finished',
    endedAt: time,
    report: {
      kind: 'quality',
      title: 'Gap',
      question: '?',
      protocol: [],
      verdicts: [{ kind: 'note', text: 'so it is', runs: [runId, 999] }],
      tables: [
        { id: 'gaps', title: 'Gaps', columns: [{ key: 'method', title: 'Method', unit: null }], rows: [row], note: '' },
      ],
      figures: [],
      notes: [`Run ${runId} is told of, run 999 failed.`],
      provenance: {
        study,
        versions: {},
        machine: { platform: 'any', processor: 'any', threads: 1, memoryBytes: 1, device: 'cpu' },
        model: { name: 'tiny', contentHash: null },
        data: [],
        runs: [runId, 999].map((id) => ({
          id,
          role: 'final',
          methodName: 'Head only',
          setting: '',
          seed: 1,
          learningRate: 0.1,
          data: 'rows',
          dataHash: '',
          device: 'cpu',
        })),
        startedAt: time,
        endedAt: time,
      },
    },
  });
  await database.close();
  file = join(home, 'trial.peftproject');
  await studio.finished(await handlers['projects.export']({ id: projectId, path: file }));
  members = await unzip(file);
}, 60_000);
afterAll(async () => {
  await studio.close();
  await rm(home, { recursive: true, force: true });
  await removeBundles();
});

async function unzip(path: string): Promise<Map<string, Buffer>> {
  const zip = await new Promise<yauzl.ZipFile>((done, fail) =>
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, opened) => (error ? fail(error) : done(opened))),
  );
  const found = new Map<string, Buffer>();
  for (let i = 0; i < zip.entryCount; i += 1) {
    const entry = await new Promise<yauzl.Entry>((done) => {
      zip.once('entry', done);
      zip.readEntry();
    });
    const stream = await new Promise<NodeJS.ReadableStream>((done, fail) =>
      zip.openReadStream(entry, (error, opened) => (error ? fail(error) : done(opened))),
    );
    found.set(entry.fileName, await buffer(stream));
  }
  zip.close();
  return found;
}

async function zipped(content: ReadonlyMap<string, Buffer>): Promise<string> {
  const path = join(home, `${Math.random()}.zip`);
  const zip = new yazl.ZipFile();
  for (const [name, bytes] of content) zip.addBuffer(bytes, name);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

const changed = (name: string, bytes: Buffer | null) => {
  const copy = new Map(members);
  if (bytes === null) copy.delete(name);
  else copy.set(name, bytes);
  return copy;
};

it('comes back with rows, runs, curves and answers, beside the original', async () => {
  const job = await studio.finished(await studio.handlers['projects.import']({ path: file }));
  const copy = z.object({ id: z.number(), name: z.string(), description: z.string() }).parse(job.result);
  expect(copy).toMatchObject({ name: 'Trial 2', description: 'about it' });
  expect(copy.id).not.toBe(projectId);
  const both = await Promise.all(
    [projectId, copy.id].map(async (id) => {
      const [set] = await studio.handlers['datasets.list']({ projectId: id });
      const [run] = await studio.handlers['runs.list']({ projectId: id });
      const rows = (await studio.handlers['datasets.rows']({ id: set?.id ?? 0, offset: 0, limit: 500 })).rows;
      const comparison = await studio.handlers['compare.runs']({
        projectId: id,
        datasetId: set?.id ?? 0,
        modelId: run?.modelId ?? 0,
        runIds: null,
        measure: 'macroF1',
        zone: 1,
      });
      return {
        set: { ...set, id: 0, projectId: 0 },
        rows: rows.map((row) => ({ ...row, id: 0 })),
        result: run?.result,
        history: await studio.handlers['runs.history']({ id: run?.id ?? 0, afterStep: 0 }),
        tested: comparison.testRows,
      };
    }),
  );
  expect(both[1]).toEqual(both[0]);
  expect(both[1]?.rows).toHaveLength(60);
  expect(both[1]?.tested).toBe(2);
});

it('brings finished studies back with their reports, on the runs as they are numbered here', async () => {
  const { handlers } = studio;
  const job = await studio.finished(await handlers['projects.import']({ path: file }));
  const { id: copy } = z.object({ id: z.number() }).parse(job.result);
  const [run] = await handlers['runs.list']({ projectId: copy });
  const [study] = await handlers['studies.list']({ projectId: copy });
  const id = run?.id ?? 0;
  expect(study).toMatchObject({ name: 'Gap', state: 'finished', kind: 'quality', endedAt: time });
  expect(run?.study).toMatchObject({ id: study?.id, role: 'final' });
  const { whole, report } = await handlers['studies.report']({ id: study?.id ?? 0 });
  expect(whole).toBe(true);
  // What is not in the file is no evidence here; words on it say so.
  expect(report).toMatchObject({
    verdicts: [{ text: 'so it is', runs: [id] }],
    tables: [{ rows: [{ runs: [id] }] }],
    notes: [`Run ${id} is told of, run 999 (of before the import) failed.`],
  });
  expect(report.provenance.runs.map((one) => one.id)).toEqual([id]);
  // Files of before studies went along have none.
  const manifest = z.looseObject({}).parse(JSON.parse(String(members.get('manifest.json'))));
  delete manifest['studies'];
  const old = await zipped(changed('manifest.json', Buffer.from(JSON.stringify(manifest))));
  const again = await studio.finished(await handlers['projects.import']({ path: old }));
  const { id: without } = z.object({ id: z.number() }).parse(again.result);
  expect(await handlers['studies.list']({ projectId: without })).toEqual([]);
  expect(await handlers['runs.list']({ projectId: without })).toHaveLength(1);
});

it.each<[string, () => Promise<string>, RegExp]>([
  [
    'no zip',
    async () => {
      const path = join(home, 'no.zip');
      await writeFile(path, 'just some text');
      return path;
    },
    /not a whole project file/,
  ],
  ['a file that is not there', async () => join(home, 'gone.zip'), /gone\.zip/],
  [
    'a truncated zip',
    async () => {
      const path = join(home, 'cut.zip');
      await writeFile(path, (await readFile(file)).subarray(0, 400));
      return path;
    },
    /not a whole project file/,
  ],
  ['a zip of something else', () => zipped(new Map([['readme.txt', Buffer.from('hi')]])), /readme\.txt/],
  [
    'a member that climbs out',
    async () => {
      const path = await zipped(members);
      // Of the same length, so that the archive's own offsets stay right.
      await writeFile(
        path,
        Buffer.from(
          (await readFile(path)).toString('latin1').replaceAll('datasets/0.jsonl', '../../../evil.js'),
          'latin1',
        ),
      );
      return path;
    },
    /\.\.\/|invalid relative path/,
  ],
  [
    'a member that unpacks to far more',
    () => zipped(changed('datasets/0.jsonl', Buffer.alloc(40 << 20, 0x20))),
    /would unpack to/,
  ],
  [
    'a changed member',
    () =>
      zipped(
        changed(
          'datasets/0.jsonl',
          Buffer.from((members.get('datasets/0.jsonl') ?? Buffer.alloc(0)).toString().replace('animal', 'tool')),
        ),
      ),
    /hash differs/,
  ],
  ['a missing member', () => zipped(changed('datasets/0.jsonl', null)), /datasets\/0\.jsonl is missing/],
  ['no manifest', () => zipped(changed('manifest.json', null)), /manifest\.json is missing/],
  [
    'a manifest of another kind',
    () => zipped(changed('manifest.json', Buffer.from('{"format":"other"}'))),
    /manifest\.json does not read/,
  ],
])('refuses %s', async (_, make, message) => {
  const path = await make();
  const before = await studio.handlers['projects.list']({ archived: false });
  await expect(studio.finished(await studio.handlers['projects.import']({ path }))).rejects.toMatchObject({
    code: 'bad-file',
    message: expect.stringMatching(message) as string,
  });
  expect(await studio.handlers['projects.list']({ archived: false })).toHaveLength(before.length);
  expect((await readdir(home)).filter((name) => name.startsWith('import-'))).toEqual([]);
});

it('finds the base model by its weights, not by its name', async () => {
  const { database } = await openDatabase(home);
  const [tiny] = (await models.listModels(database)).filter(({ name }) => name === 'tiny');
  if (!tiny) throw new Error('no model');
  await database.run('UPDATE base_models SET name = ? WHERE id = ?', ['renamed', tiny.id]);
  const other = await studio.handlers['models.add']({
    folder: await makeTinyModel(join(home, 'other'), { seed: 2 }),
    name: 'tiny',
  });
  const job = await studio.finished(await studio.handlers['projects.import']({ path: file }));
  const [run] = await studio.handlers['runs.list']({ projectId: z.object({ id: z.number() }).parse(job.result).id });
  expect(run?.modelId).toBe(tiny.id);
  // With only the other one of that name here, the runs would answer from weights that they were not trained on.
  await database.run('UPDATE base_models SET folder = ? WHERE id = ?', [join(home, 'nowhere'), tiny.id]);
  await expect(studio.finished(await studio.handlers['projects.import']({ path: file }))).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('other weights') as string,
  });
  expect(other.name).toBe('tiny');
  await database.close();
});
