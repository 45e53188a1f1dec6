/** What the tests of the tables share: a database of their own, and something in it. */
import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { importRequestSchema } from '../../../electron/contract/entities.js';
import { planSchema } from '../../../electron/contract/plan.js';
import { datasets, models, openDatabase, projects, runs, type Database } from '../../../electron/storage/index.js';
import { storedModel } from '../../helpers/stored-model.js';

/** The data folder and database of the test at hand. */
export let home: string;
export let database: Database;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'repositories-'));
  ({ database } = await openDatabase(home));
});
afterEach(async () => {
  await database.close();
  await rm(home, { recursive: true, force: true });
});

export const time = storedModel.addedAt;
export const model = storedModel;
export const worker = 'this process';
export const plan = planSchema.parse({
  model: 'tiny',
  data: 'rows',
  method: { type: 'lora', rank: 4 },
  training: { seed: 3 },
});
export const requestFor = (projectId: number, name: string) =>
  importRequestSchema.parse({ projectId, name, path: '/rows.csv', textColumn: 'text', labelColumn: 'label' });
export const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    split: i % 5 === 0 ? ('test' as const) : ('train' as const),
    position: i,
    text: `text ${i}${i === 7 ? ' 100%_sure' : ''}`,
    pair: i === 3 ? 'the pair' : null,
    label: i % 2 === 0 ? 'even' : 'odd',
    line: i + 2,
    messages: null,
  }));
export const summary = {
  rows: { train: 8, validation: 0, test: 2 },
  labels: ['even', 'odd'],
  range: null,
  splitNote: 'drawn',
  skippedRows: 1,
  bytes: 99,
  contentHash: 'abc',
};

/** A project with a model, a data set and a run. */
export async function world(): Promise<{ projectId: number; datasetId: number; modelId: number; runId: number }> {
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
