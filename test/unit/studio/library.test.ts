/** Projects, base models and data sets: what is made, shown and taken away; bad input leaves nothing behind. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importRequestSchema, profileSchema, settingsSchema } from '../../../electron/contract/entities.js';
import { planSchema } from '../../../electron/contract/plan.js';
import { oracleFolder } from '../../helpers/oracle.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let home: string;
let studio: TestStudio;
let projectId: number;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'library-'));
  studio = await openTestStudio(home);
  projectId = (await studio.handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await makeTinyModel(join(home, 'tiny'));
}, 60_000);
afterAll(async () => {
  await studio.close();
  await rm(home, { recursive: true, force: true });
  await removeBundles();
});

async function file(name: string, text: string | Buffer): Promise<string> {
  const path = join(home, name);
  await writeFile(path, text);
  return path;
}
const csv = (rows: readonly string[]) => ['text,topic', ...rows].join('\n');
const good = csv(tinyRows(50).map(({ text, label }) => `"${text}",${label}`));
const request = (path: string, name: string, more: object = {}) =>
  importRequestSchema.parse({ projectId, name, path, textColumn: 'text', labelColumn: 'topic', ...more });
const importing = async (path: string, name: string, more: object = {}) =>
  studio.finished(await studio.handlers['datasets.import'](request(path, name, more)));
const names = async () => (await studio.handlers['datasets.list']({ projectId })).map(({ name }) => name);

describe('data', () => {
  it('comes in with progress, is paged, profiled and taken away again', async () => {
    await importing(await file('good.csv', good), 'good');
    const [set] = await studio.handlers['datasets.list']({ projectId });
    expect(set).toMatchObject({ name: 'good', labels: ['animal', 'food', 'tool'], skippedRows: 0 });
    const total = set ? set.rows.train + set.rows.validation + set.rows.test : 0;
    expect(total).toBe(50);
    const page = await studio.handlers['datasets.rows']({
      id: set?.id ?? 0,
      offset: 0,
      limit: 10,
      split: 'train',
      label: 'food',
    });
    expect(page.rows.every(({ split, label }) => split === 'train' && label === 'food')).toBe(true);
    expect(page.total).toBeGreaterThan(0);
    const model = await studio.handlers['models.add']({ folder: join(home, 'tiny'), name: 'tiny' });
    const { result } = await studio.finished(
      await studio.handlers['datasets.profile']({ id: set?.id ?? 0, modelId: model.id }),
    );
    const profile = profileSchema.parse(result);
    expect(profile.lengths.tokenizer).toBe('tiny');
    expect(profile.lengths.max).toBeGreaterThan(7);
    const jobs = studio.events.flatMap((event) =>
      event.event === 'job' && event.data.kind === 'import' ? [event.data] : [],
    );
    expect(jobs.at(-1)).toMatchObject({ state: 'done', title: 'Import good.csv' });
    await expect(importing(join(home, 'good.csv'), 'good')).rejects.toMatchObject({ code: 'conflict' });

    const removal = await studio.handlers['datasets.removal']({ id: set?.id ?? 0 });
    expect(removal.lines.join(' ')).toMatch(/50 imported rows.*good\.csv stays/);
    await studio.handlers['datasets.remove']({ id: set?.id ?? 0 });
    expect(await names()).toEqual([]);
    expect((await stat(join(home, 'good.csv'))).isFile()).toBe(true);
  });

  it.each<[string, string | Buffer, object, string, RegExp]>([
    [
      'a row without a label',
      csv(['"a cat",animal', '"a saw",', '"soup",food']),
      {},
      'bad-data',
      /line 3.*label is missing/,
    ],
    ['one class only', csv(['"a cat",animal', '"a dog",animal']), {}, 'bad-data', /same label/],
    ['a column that is not there', good, { textColumn: 'body' }, 'bad-data', /no column "body".*"text"/],
    ['an empty file', '', {}, 'bad-file', /empty/],
    ['a binary file', Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 37) % 256)), {}, 'bad-file', /bad\.csv/],
    ['shares that leave nothing', good, { validation: 0.6, test: 0.6 }, 'bad-input', /120 %/],
  ])('with %s is refused and leaves nothing', async (_, content, more, code, message) => {
    const path = await file('bad.csv', content);
    await expect(importing(path, 'bad', more)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(await names()).not.toContain('bad');
    expect(studio.events.findLast((event) => event.event === 'job')).toMatchObject({ data: { state: 'failed' } });
  });

  it('leaves bad rows out where the user says so', async () => {
    const path = await file(
      'some.csv',
      csv([...tinyRows(20).map(({ text, label }) => `"${text}",${label}`), '"no label",']),
    );
    await importing(path, 'some', { badRows: 'skip', validation: null, test: null });
    expect((await studio.handlers['datasets.list']({ projectId })).find(({ name }) => name === 'some')).toMatchObject({
      skippedRows: 1,
      rows: { train: 20, validation: 0, test: 0 },
    });
  });

  it('that is cancelled on the way in leaves nothing, and its name is free', { timeout: 60_000 }, async () => {
    const path = await file(
      'long.csv',
      csv(Array.from({ length: 60_000 }, (_, i) => `"row number ${i} of many",${i % 2 ? 'odd' : 'even'}`)),
    );
    const { jobId } = await studio.handlers['datasets.import'](request(path, 'long'));
    await studio.waitFor('job', (job) => job.id === jobId && job.message === 'Writing rows' && job.done > 0);
    await studio.handlers['jobs.cancel']({ jobId });
    await expect(studio.finished({ jobId })).rejects.toMatchObject({ code: 'cancelled' });
    expect(await names()).not.toContain('long');
    await importing(path, 'long');
    expect(await names()).toContain('long');
  });
});

describe('base models', () => {
  it('the starter stands in the list from the start and stays', async () => {
    const [starter] = await studio.handlers['models.list']({});
    expect(starter).toMatchObject({ builtIn: true, architecture: 'bert' });
    await expect(studio.handlers['models.remove']({ id: starter?.id ?? 0 })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it.each<[string, (folder: string) => Promise<unknown>, string]>([
    ['an empty folder', async () => undefined, 'config.json'],
    [
      'an unknown architecture',
      async (folder) => {
        await makeTinyModel(folder);
        await edit(folder, (config) => ({ ...config, model_type: 'mamba' }));
      },
      'mamba',
    ],
    [
      'weights cut off',
      async (folder) => {
        await makeTinyModel(folder);
        const path = join(folder, 'model.safetensors');
        await writeFile(path, (await readFile(path)).subarray(0, 5000));
      },
      'model.safetensors',
    ],
    [
      'a tokenizer of another size',
      async (folder) => {
        await makeTinyModel(folder);
        await rm(join(folder, 'tokenizer.json'));
        const path = join(folder, 'vocab.txt');
        await writeFile(
          path,
          `${await readFile(path, 'utf8')}${Array.from({ length: 50 }, (_, i) => `more${i}\n`).join('')}`,
        );
      },
      'token',
    ],
  ])('of %s are refused by name', async (what, make, message) => {
    const folder = join(home, what.replaceAll(' ', '-'));
    await mkdir(folder);
    await make(folder);
    const before = (await studio.handlers['models.list']({})).length;
    await expect(studio.handlers['models.add']({ folder })).rejects.toMatchObject({
      message: expect.stringContaining(message) as string,
    });
    expect(await studio.handlers['models.list']({})).toHaveLength(before);
  });

  it('counts what would train', async () => {
    const tiny = (await studio.handlers['models.list']({})).find(({ name }) => name === 'tiny');
    const count = (method: { type: string; rank?: number }) =>
      studio.handlers['models.count']({
        modelId: tiny?.id ?? 0,
        datasetId: null,
        method,
        verbalizer: false,
        refines: null,
      });
    const [four, eight, full] = [
      await count({ type: 'lora', rank: 4 }),
      await count({ type: 'lora', rank: 8 }),
      await count({ type: 'full' }),
    ];
    // Two layers of width 32, query and value: 2 · 2 · (32 + 32) · r beside the head.
    expect(four.trainable - four.head).toBe(2 * 2 * 64 * 4);
    expect(eight.trainable - four.trainable).toBe(2 * 2 * 64 * 4);
    expect(full.trainable).toBe(full.total);
    expect(full.objective).toBe('classification');
  });
});

async function edit(folder: string, change: (config: object) => object): Promise<void> {
  const path = join(folder, 'config.json');
  const config: unknown = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify(change(config as object)));
}

describe('projects', () => {
  it('are copied with their data, archived and found again', async () => {
    const copy = await studio.handlers['projects.duplicate']({ id: projectId, name: 'Copy' });
    const [first] = (await studio.handlers['datasets.list']({ projectId: copy.id })).filter(
      ({ name }) => name === 'some',
    );
    expect((await studio.handlers['datasets.rows']({ id: first?.id ?? 0, offset: 0, limit: 1 })).total).toBe(20);
    await studio.handlers['projects.update']({ id: copy.id, archived: true });
    expect((await studio.handlers['projects.list']({ archived: false })).map(({ name }) => name)).not.toContain('Copy');
    expect((await studio.handlers['projects.list']({ archived: true })).map(({ name }) => name)).toEqual(['Copy']);
    await expect(studio.handlers['projects.create']({ name: 'Copy', description: '' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(studio.handlers['projects.update']({ id: projectId, name: 'Copy' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('the sample is one click and ready to train', { timeout: 60_000 }, async () => {
    const sample = await studio.handlers['projects.createSample']({ sample: null });
    const [set] = await studio.handlers['datasets.list']({ projectId: sample.id });
    expect(set?.labels.length).toBeGreaterThan(1);
    expect(Math.min(...Object.values(set?.rows ?? { train: 0 }))).toBeGreaterThan(0);
    const [starter] = await studio.handlers['models.list']({});
    const [run] = await studio.handlers['runs.start']({
      projectId: sample.id,
      initFolder: null,
      plans: [
        planSchema.parse({
          model: starter?.name,
          data: set?.name,
          method: { type: 'head' },
          training: { maxSteps: 2, maxLength: 16 },
        }),
      ],
    });
    const end = await studio.waitFor(
      'run',
      (data) => data.id === run?.id && !['queued', 'preparing', 'running'].includes(data.state),
    );
    expect(end).toMatchObject({ state: 'finished', step: 2, problem: null });
  });

  it('sample instructions are offered once there is a decoder, and come in whole', { timeout: 60_000 }, async () => {
    const { handlers } = studio;
    const ready = async () => (await handlers['samples.list']({})).map(({ id, ready: it }) => [id, it]);
    expect(await ready()).toEqual([
      ['wordnet-domains', true],
      ['wordnet-dictionary', false],
    ]);
    const decoder = await handlers['models.add']({ folder: join(oracleFolder, 'models', 'llama'), name: 'writer' });
    expect(await ready()).toContainEqual(['wordnet-dictionary', true]);
    const { id } = await handlers['projects.create']({ name: 'Dictionary', description: '' });
    await handlers['samples.import']({ projectId: id, sample: 'wordnet-dictionary' });
    const [set] = await handlers['datasets.list']({ projectId: id });
    expect(set).toMatchObject({
      task: 'generation',
      form: 'instruction',
      skippedRows: 0,
      rows: { train: 800, validation: 80, test: 160 },
    });
    await expect(handlers['samples.import']({ projectId: id, sample: 'nothing' })).rejects.toMatchObject({
      code: 'not-found',
    });
    const made = await handlers['projects.createSample']({ sample: 'wordnet-dictionary' });
    expect(made).toMatchObject({ name: 'Sample: A small dictionary', datasets: 1 });
    await handlers['models.remove']({ id: decoder.id });
  });
});

it('describes every method by its own schema', async () => {
  const methods = await studio.handlers['methods.list']({});
  expect(methods.map(({ type }) => type).sort()).toEqual(
    expect.arrayContaining(['bitfit', 'bottleneck', 'full', 'head', 'lora']),
  );
  const lora = methods.find(({ type }) => type === 'lora');
  expect(lora?.optionsSchema).toMatchObject({ properties: { rank: { minimum: 1 } } });
  expect(lora?.defaults).toMatchObject({ type: 'lora', rank: 8 });
});

it('tells about itself', async () => {
  const info = await studio.handlers['app.info']({});
  expect(info).toMatchObject({ home, version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
  expect(info.diskFreeBytes).toBeGreaterThan(0);
  expect(info.usedBytes).toBeGreaterThan(1000);
  expect(settingsSchema.parse(await studio.handlers['settings.get']({}))).toMatchObject({ theme: 'system' });
});
