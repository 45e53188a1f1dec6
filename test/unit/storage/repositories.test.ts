/** Every table group against a real file. */
import { availableParallelism, tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importRequestSchema, settingsSchema, type Run } from '../../../electron/contract/entities.js';
import { planSchema } from '../../../electron/contract/plan.js';
import {
  datasets,
  metrics,
  models,
  openDatabase,
  projects,
  records,
  runs,
  type Database,
} from '../../../electron/storage/index.js';

let home: string;
let database: Database;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'repositories-'));
  ({ database } = await openDatabase(home));
});
afterEach(async () => {
  await database.close();
  await rm(home, { recursive: true, force: true });
});

const time = '2026-11-24T21:13:00.000Z';
const worker = 'this process';
const model = {
  name: 'tiny',
  folder: '/models/tiny',
  architecture: 'bert',
  parameters: 1000,
  layers: 2,
  hiddenSize: 32,
  vocabularySize: 100,
  maxLength: 64,
  bytes: 4000,
  license: 'MIT',
  builtIn: false,
  addedAt: time,
};
const plan = planSchema.parse({
  model: 'tiny',
  data: 'rows',
  method: { type: 'lora', rank: 4 },
  training: { seed: 3 },
});
const requestFor = (projectId: number, name: string) =>
  importRequestSchema.parse({ projectId, name, path: '/rows.csv', textColumn: 'text', labelColumn: 'label' });
const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    split: i % 5 === 0 ? ('test' as const) : ('train' as const),
    position: i,
    text: `text ${i}${i === 7 ? ' 100%_sure' : ''}`,
    pair: i === 3 ? 'the pair' : null,
    label: i % 2 === 0 ? 'even' : 'odd',
    line: i + 2,
    messages: null,
  }));
const summary = {
  rows: { train: 8, validation: 0, test: 2 },
  labels: ['even', 'odd'],
  range: null,
  splitNote: 'drawn',
  skippedRows: 1,
  bytes: 99,
  contentHash: 'abc',
};

async function world(): Promise<{ projectId: number; datasetId: number; modelId: number; runId: number }> {
  const projectId = await projects.insertProject(database, { name: 'One', description: 'first', createdAt: time });
  const modelId = await models.insertModel(database, model);
  const datasetId = await datasets.beginDataset(database, requestFor(projectId, 'rows'), time, worker);
  await datasets.insertRows(database, datasetId, rowsOf(10));
  await datasets.finishDataset(database, datasetId, summary);
  const runId = await runs.insertRun(database, {
    projectId,
    modelId,
    datasetId,
    plan,
    initFolder: '/start',
    methodName: 'LoRA',
    setting: 'r 4',
    createdAt: time,
    worker,
  });
  return { projectId, datasetId, modelId, runId };
}

describe('projects', () => {
  it('counts what is in them and archives them', async () => {
    const { projectId, runId } = await world();
    expect(await projects.getProject(database, projectId)).toEqual({
      id: projectId,
      name: 'One',
      description: 'first',
      createdAt: time,
      archivedAt: null,
      datasets: 1,
      runs: 1,
      runsActive: 1,
      runsFailed: 0,
    });
    await runs.updateRun(database, runId, { state: 'failed' });
    expect(await projects.getProject(database, projectId)).toMatchObject({ runsActive: 0, runsFailed: 1 });
    await projects.updateProject(database, projectId, { archivedAt: time });
    expect(await projects.listProjects(database, false)).toEqual([]);
    expect(await projects.listProjects(database, true)).toHaveLength(1);
    await expect(projects.getProject(database, 99)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('take everything of theirs along, and their numbers are not given again', async () => {
    const { projectId, runId, datasetId } = await world();
    await metrics.insertOutcomes(database, runId, [
      { id: 1, outcome: { label: 0, predicted: 1 }, details: { probabilities: [0.5, 0.5] } },
    ]);
    await database.transaction((sql) => projects.deleteProject(sql, projectId));
    for (const table of ['datasets', 'dataset_rows', 'runs', 'test_outcomes'])
      expect(await database.all(`SELECT COUNT(*) AS n FROM ${table}`)).toEqual([{ n: 0 }]);
    const again = await projects.insertProject(database, { name: 'One', description: '', createdAt: time });
    expect(again).toBeGreaterThan(projectId);
    expect(await datasets.beginDataset(database, requestFor(again, 'rows'), time, worker)).toBeGreaterThan(datasetId);
  });
});

describe('data sets', () => {
  it('are seen only when they are whole', async () => {
    const { projectId, datasetId } = await world();
    await datasets.beginDataset(database, requestFor(projectId, 'half'), time, worker);
    expect((await datasets.listDatasets(database, projectId)).map(({ name }) => name)).toEqual(['rows']);
    expect(await datasets.isBeingFilled(database, projectId, 'half')).toBe(true);
    expect(await datasets.isBeingFilled(database, projectId, 'rows')).toBe(false);
    expect(await datasets.workers(database)).toEqual([worker]);
    expect(await datasets.deleteUnfinishedDatasets(database, 'another process')).toBe(0);
    expect(await datasets.deleteUnfinishedDatasets(database, worker)).toBe(1);
    expect(await datasets.getDataset(database, datasetId)).toMatchObject({
      name: 'rows',
      source: '/rows.csv',
      ...summary,
    });
  });

  it('give their rows by page, split, label and text', async () => {
    const { datasetId } = await world();
    const page = (filter: datasets.RowFilter, offset = 0, limit = 100) =>
      datasets.pageRows(database, datasetId, filter, offset, limit);
    // What another page has told is not counted again.
    expect((await datasets.pageRows(database, datasetId, {}, 0, 3, 99)).total).toBe(99);
    expect((await page({}, 4, 3)).rows.map(({ text }) => text)).toEqual(['text 4', 'text 5', 'text 6']);
    expect((await page({}, 4, 3)).total).toBe(10);
    expect((await page({ split: 'test' })).rows.map(({ line }) => line)).toEqual([2, 7]);
    expect((await page({ split: 'train', label: 'odd' })).total).toBe(4);
    // What SQL takes for a wildcard is text here.
    expect((await page({ search: '100%_S' })).rows.map(({ text }) => text)).toEqual(['text 7 100%_sure']);
    expect((await page({ search: '%' })).total).toBe(1);
    expect((await page({ search: 'the PAIR' })).rows.map(({ pair }) => pair)).toEqual(['the pair']);
    expect((await page({ search: `'; DROP TABLE runs; --` })).total).toBe(0);
  });

  it('come back as they were, whatever signs they hold', async () => {
    const { projectId } = await world();
    const id = await datasets.beginDataset(database, requestFor(projectId, 'signs'), time, worker);
    const [first] = rowsOf(1);
    const texts = ['a \u0000 b', '\\u0000 \\ "q" \n\t', '\u{1F600} é \u2028', 'null', '1.50'];
    const rows = texts.map((text, i) => ({
      ...first,
      split: 'train' as const,
      position: i,
      text,
      pair: i ? text : null,
    }));
    const alone = rows.slice(1);
    const messages = [{ role: 'user' as const, content: 'a "b" \\ \n' }];
    for (const part of [rows, alone, [{ ...rows[0], messages, answers: [{ text: 'a', start: 0 }] }]])
      await datasets.insertRows(
        database,
        id,
        part.map((row) => ({
          messages: null,
          label: 'x',
          line: 2,
          position: 0,
          text: '',
          pair: null,
          split: 'train',
          ...row,
        })),
      );
    const found = (await datasets.pageRows(database, id, {}, 0, 100)).rows;
    expect(found.map(({ text }) => text)).toEqual([...texts, ...texts.slice(1), texts[0]]);
    expect(found.map(({ pair }) => pair)).toEqual([null, ...texts.slice(1), ...texts.slice(1), null]);
    expect(found.at(-1)).toMatchObject({ messages, answers: [{ text: 'a', start: 0 }] });
    const asLines = [];
    for await (const some of datasets.eachLine(database, id, 'train'))
      asLines.push(
        ...some
          .trimEnd()
          .split('\n')
          .map((line): unknown => JSON.parse(line)),
      );
    expect(asLines).toEqual(
      found.map(({ id, text, pair, label, messages, answers }) =>
        messages === null && answers === null
          ? { id, text, pair, label }
          : { id, text, pair, label, messages, answers },
      ),
    );
  });

  it('stream in order over many pages, one split or all', async () => {
    const { projectId } = await world();
    const id = await datasets.beginDataset(database, requestFor(projectId, 'long'), time, worker);
    await database.transaction((sql) => datasets.insertRows(sql, id, rowsOf(4500)));
    const lines: number[] = [];
    for await (const row of datasets.eachRow(database, id)) lines.push(row.line);
    expect(lines).toEqual(Array.from({ length: 4500 }, (_, i) => i + 2));
    let tests = 0;
    for await (const row of datasets.eachRow(database, id, 'test')) tests += row.split === 'test' ? 1 : Number.NaN;
    expect(tests).toBe(900);
    const ids: number[] = [];
    for await (const some of datasets.eachLine(database, id, 'train'))
      for (const line of some.trimEnd().split('\n')) ids.push((JSON.parse(line) as { id: number }).id);
    expect(ids).toHaveLength(3600);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(await datasets.linesOf(database, [...ids.slice(0, 2), 99_999])).toEqual(
      new Map([
        [ids[0], 3],
        [ids[1], 4],
      ]),
    );
  });

  it('cannot be deleted under a run', async () => {
    const { datasetId, modelId } = await world();
    await expect(datasets.deleteDataset(database, datasetId)).rejects.toMatchObject({ code: 'conflict' });
    await expect(models.deleteModel(database, modelId)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('runs', () => {
  it('come back as they were planned and change by name', async () => {
    const { runId, projectId, modelId, datasetId } = await world();
    expect(await runs.getRun(database, runId)).toMatchObject({
      projectId,
      modelId,
      datasetId,
      modelName: 'tiny',
      datasetName: 'rows',
      seed: 3,
      plan,
      state: 'queued',
      step: 0,
      result: null,
    });
    expect(await runs.initFolderOf(database, runId)).toBe('/start');
    const scores = { accuracy: 0.5, macroF1: 0.4, loss: 1 };
    await runs.updateRun(database, runId, { state: 'running', step: 12, device: 'cpu', validation: scores });
    await runs.updateRun(database, runId, {
      problem: { code: 'diverged', message: 'm', hint: null, context: { step: 12 } },
    });
    expect(await runs.getRun(database, runId)).toMatchObject({
      state: 'running',
      step: 12,
      device: 'cpu',
      validation: scores,
      problem: { code: 'diverged', context: { step: 12 } },
    });
    await runs.updateRun(database, runId, { validation: null });
    expect((await runs.getRun(database, runId)).validation).toBeNull();
  });

  it('are checked again only where their row has changed', async () => {
    const { runId, projectId } = await world();
    const first = await runs.getRun(database, runId);
    expect((await runs.listRuns(database, projectId))[0]).toBe(first);
    await runs.updateRun(database, runId, { step: 3 });
    expect(await runs.getRun(database, runId)).toEqual({ ...first, step: 3 });
    await database.run("UPDATE base_models SET name = 'renamed'");
    expect(await runs.listRuns(database, null)).toEqual([{ ...first, step: 3, modelName: 'renamed' }]);
    await database.run("UPDATE runs SET plan = '{}'");
    await expect(runs.getRun(database, runId)).rejects.toThrow(/Invalid/);
  });

  it('that were under way when their process ended are interrupted, others are left', async () => {
    const { projectId, modelId, datasetId } = await world();
    const add = async (state: Run['state'], worker: string | null) => {
      const id = await runs.insertRun(database, {
        projectId,
        modelId,
        datasetId,
        plan,
        initFolder: null,
        methodName: '',
        setting: '',
        createdAt: time,
        worker,
      });
      await runs.updateRun(database, id, { state });
      return id;
    };
    const states: readonly Run['state'][] = ['running', 'preparing', 'queued', 'paused', 'finished', 'failed'];
    const left: number[] = [];
    for (const state of states) left.push(await add(state, 'ended'));
    const others = [await add('running', worker), await add('running', null)];
    const stateOf = async (id: number) => (await runs.getRun(database, id)).state;

    expect(await runs.queuedOf(database, 'ended')).toEqual([left[2]]);
    expect(await runs.markInterrupted(database, 'ended')).toEqual(left.slice(0, 2));
    expect(await Promise.all(left.map(stateOf))).toEqual([
      'interrupted',
      'interrupted',
      'queued',
      'paused',
      'finished',
      'failed',
    ]);
    expect(await Promise.all(others.map(stateOf))).toEqual(['running', 'running']);
    // One of a version that noted no process.
    expect(await runs.markInterrupted(database, null)).toEqual([others[1]]);
    expect((await runs.workers(database)).sort()).toEqual(['ended', worker]);
  });

  it('are taken by one process only', async () => {
    const { runId } = await world();
    expect(await runs.assignQueued(database, runId, 'one')).toBe(true);
    expect(await runs.workerOf(database, runId)).toBe('one');
    expect(await Promise.all(['one', 'two'].map((id) => runs.claimQueued(database, runId, id)))).toEqual([true, false]);
    expect(await runs.workerOf(database, runId)).toBe('one');
    expect(await runs.assignQueued(database, runId, 'two')).toBe(false);
  });
});

describe('metrics', () => {
  const step = (n: number, loss: number | null = 1 / n) => ({
    step: n,
    loss,
    learningRate: 0.1,
    gradientNorm: null,
    tokensPerSecond: 10,
    memoryBytes: 20,
    seconds: n,
  });

  it('told again by a resumed run stand once', async () => {
    const { runId } = await world();
    const validation = { step: 2, accuracy: 0.5, macroF1: 0.4, loss: 1, best: true };
    const line = { time, level: 'note' as const, message: 'hello' };
    await metrics.insertMetrics(database, runId, [step(1), step(2), step(3)], [validation], [line]);
    await metrics.insertMetrics(database, runId, [step(2), step(3), step(4, null)], [validation], []);
    const history = await metrics.readHistory(database, runId, 0);
    expect(history).toEqual({
      steps: [step(1), step(2), step(3), step(4, null)],
      validations: [validation],
      stages: [],
      log: [line],
    });
    expect((await metrics.readHistory(database, runId, 2)).steps.map((one) => one.step)).toEqual([3, 4]);
  });

  it('hold each stage once, as it was told last', async () => {
    const { runId } = await world();
    const stage = (number: number, ended: boolean) => ({
      stage: number,
      stages: 2,
      trains: 'embeddings, block 2 of 2, head',
      firstStep: 10 * number - 9,
      lastStep: 10 * number,
      learningRate: 0.1,
      trainableParameters: 5,
      optimizerBytes: 40,
      secondsPerStep: ended ? 0.5 : null,
      scores: ended ? { accuracy: 0.5, macroF1: 0.4, loss: 1 } : null,
      helped: ended ? true : null,
      next: ended ? ('next' as const) : null,
    });
    await metrics.insertMetrics(database, runId, [], [], [], [stage(1, false)]);
    await metrics.insertMetrics(database, runId, [], [], [], [stage(2, false), stage(1, true)]);
    expect((await metrics.readHistory(database, runId, 0)).stages).toEqual([stage(1, true), stage(2, false)]);
    await metrics.clearMetrics(database, runId);
    expect((await metrics.readHistory(database, runId, 0)).stages).toEqual([]);
  });

  it('hold the validation of a run without steps', async () => {
    const { runId } = await world();
    const validation = { step: 0, accuracy: 0.5, macroF1: 0.4, loss: 1, best: true };
    await metrics.insertMetrics(database, runId, [], [validation], []);
    expect((await metrics.readHistory(database, runId, 0)).validations).toEqual([validation]);
    expect((await metrics.readHistory(database, runId, 1)).validations).toEqual([]);
  });

  it('takes more steps at once than a statement holds', async () => {
    const { runId } = await world();
    await metrics.insertMetrics(
      database,
      runId,
      Array.from({ length: 5000 }, (_, i) => step(i + 1)),
      [],
      [],
    );
    expect((await metrics.readHistory(database, runId, 0)).steps).toHaveLength(5000);
  });

  it('are read as a chart shows them: neighbours as one, the last of all among them', async () => {
    const { runId } = await world();
    const steps = Array.from({ length: 1003 }, (_, i) => ({
      ...step(i + 1, i % 2 === 0 ? 1 : 3),
      learningRate: i + 1,
      memoryBytes: i % 7,
    }));
    const check = (at: number, best: boolean) => ({ step: at, accuracy: 0.5, macroF1: 0.4, loss: 1, best });
    const validations = Array.from({ length: 250 }, (_, i) => check(4 * (i + 1), i < 77));
    await metrics.insertMetrics(database, runId, steps, validations, []);
    const thin = await metrics.readHistory(database, runId, 0, 100);
    // Eleven steps together, the last record of two.
    expect(thin.steps).toHaveLength(92);
    expect(thin.steps[0]).toMatchObject({ step: 11, loss: 1 + (2 * 5) / 11, learningRate: 11, memoryBytes: 6 });
    expect(thin.steps.at(-1)).toMatchObject({ step: 1003, learningRate: 1003, loss: 2 });
    expect(thin.validations.length).toBeLessThanOrEqual(101);
    expect(thin.validations.at(-1)?.step).toBe(1000);
    expect(thin.validations.findLast(({ best }) => best)?.step).toBe(4 * 77);
    expect(thin.validations.map((one) => one.step)).toEqual(
      thin.validations.map((one) => one.step).sort((a, b) => a - b),
    );
    expect(await metrics.readValidations(database, runId, 100)).toEqual(thin.validations);
    // What is fewer than asked for stands as it is.
    expect((await metrics.readHistory(database, runId, 1000, 100)).steps).toEqual(steps.slice(1000));
    expect(await metrics.readHistory(database, runId, 0, 2000)).toEqual(await metrics.readHistory(database, runId, 0));
  });

  it('holds test answers by row', async () => {
    const { runId } = await world();
    const read = () => metrics.readOutcomes(database, runId, 'classification');
    expect((await read()).outcomes).toEqual([]);
    await metrics.insertOutcomes(database, runId, [
      { id: 9, outcome: { label: 1, predicted: 0 }, details: { probabilities: [0.7, 0.3] } },
      { id: 4, outcome: { label: 0, predicted: 0 }, details: null },
    ]);
    const later = { id: 9, outcome: { label: 1, predicted: 1 }, details: { probabilities: [0.2, 0.8] } };
    await metrics.insertOutcomes(database, runId, [later]);
    expect(await read()).toEqual({
      objective: 'classification',
      rowIds: [4, 9],
      outcomes: [
        { label: 0, predicted: 0 },
        { label: 1, predicted: 1 },
      ],
    });
    expect((await metrics.listOutcomes(database, runId))[1]).toEqual(later);
    await metrics.clearMetrics(database, runId);
    expect((await read()).outcomes).toEqual([]);
  });
});

describe('records', () => {
  it('keep exports with their proof, settings and what devices were found to do', async () => {
    const { runId, projectId } = await world();
    const artefact = {
      runId,
      format: 'peft' as const,
      folder: '/out',
      bytes: 5,
      createdAt: time,
      proof: { rows: 64, largestDifference: 1e-6, sameLabels: true },
    };
    const id = await records.insertArtefact(database, artefact);
    expect(await records.listArtefacts(database, projectId)).toEqual([{ id, ...artefact }]);
    expect(await records.readSettings(database)).toEqual(settingsSchema.parse({}));
    await records.writeSettings(database, { ...settingsSchema.parse({}), theme: 'dark', threads: 1 });
    expect(await records.readSettings(database)).toMatchObject({ theme: 'dark', threads: 1 });
    // As of a data folder from a larger computer.
    await records.writeSettings(database, { ...settingsSchema.parse({}), threads: 256 });
    expect((await records.readSettings(database)).threads).toBe(Math.min(256, availableParallelism()));
    const report = {
      id: 'cpu' as const,
      status: 'passed' as const,
      difference: 0,
      secondsPerStep: 0.5,
      reason: null,
      testedAt: time,
    };
    await records.saveTestedDevice(database, 'this machine', { ...report, secondsPerStep: 9 });
    await records.saveTestedDevice(database, 'this machine', report);
    await records.saveTestedDevice(database, 'with another driver', { ...report, secondsPerStep: 2 });
    expect(await records.listTestedDevices(database, 'this machine')).toEqual([report]);
    expect(await records.listTestedDevices(database, 'another')).toEqual([]);
  });
});
