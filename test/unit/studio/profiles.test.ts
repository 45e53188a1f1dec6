import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { importRequestSchema, type BaseModel, type Dataset } from '../../../electron/contract/entities.js';
import { datasets, openDatabase, projects, type Database } from '../../../electron/storage/index.js';
import { datasetFolder } from '../../../electron/studio/context.js';
import { profileOf } from '../../../electron/studio/profiles.js';
import { makeTinyModel, tinyVocabulary } from '../../helpers/tiny-model.js';

const time = '2026-11-24T21:13:00.000Z';
let home = '';
let database: Database;
let dataset: Dataset;
let model: BaseModel;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'profiles-'));
  ({ database } = await openDatabase(home));
  const projectId = await projects.insertProject(database, { name: 'One', description: '', createdAt: time });
  const request = importRequestSchema.parse({
    projectId,
    name: 'rows',
    path: '/rows.csv',
    textColumn: 'text',
    labelColumn: 'label',
  });
  const id = await datasets.beginDataset(database, request, time, 'this process');
  await datasets.insertRows(
    database,
    id,
    ['the cat', 'bread with honey'].map((text, i) => ({
      split: 'train' as const,
      position: i,
      text,
      pair: null,
      label: 'a',
      line: i + 2,
      messages: null,
    })),
  );
  await datasets.finishDataset(database, id, {
    rows: { train: 2, validation: 0, test: 0 },
    labels: ['a'],
    range: null,
    splitNote: '',
    skippedRows: 0,
    bytes: 1,
    contentHash: 'abc',
  });
  dataset = await datasets.getDataset(database, id);
  model = {
    id: 1,
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
});
afterEach(async () => {
  await database.close();
  await rm(home, { recursive: true, force: true });
});

const presence = { making: async () => async () => undefined };
const kept = async () =>
  (await readdir(datasetFolder(home, dataset.id)).catch(() => [])).filter((name) => name.startsWith('profile-'));
const count = (of: BaseModel | null) => profileOf({ database, home, presence }, dataset, of);

it('counts once, and again for another tokenizer or other rows', async () => {
  const first = await count(model);
  expect(first.lengths).toMatchObject({ tokenizer: 'tiny', max: 5 });
  const [file = ''] = await kept();
  const path = join(datasetFolder(home, dataset.id), file);
  // A mark in what is kept shows where an answer comes from.
  await writeFile(path, (await readFile(path, 'utf8')).replace('"max":5', '"max":77'));
  expect((await count(model)).lengths.max).toBe(77);
  expect((await count({ ...model, name: 'renamed' })).lengths).toMatchObject({ tokenizer: 'renamed', max: 77 });
  expect((await count(null)).lengths.max).toBe(3);
  expect(await kept()).toHaveLength(2);
  dataset = { ...dataset, contentHash: 'other' };
  expect((await count(model)).lengths.max).toBe(5);
  await appendFile(join(model.folder, 'tokenizer_config.json'), ' ');
  expect((await count(model)).lengths.max).toBe(5);
  expect(await kept()).toHaveLength(4);
});

it('counts again where what was kept is damaged', async () => {
  const whole = await count(null);
  const [file = ''] = await kept();
  for (const text of ['', '{"rows":', '{"rows":{}}']) {
    await writeFile(join(datasetFolder(home, dataset.id), file), text);
    expect(await count(null)).toEqual(whole);
  }
});
