import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, it } from 'vitest';
import { trainingSchema } from '../../../electron/contract/plan.js';
import { writeHashed } from '../../../electron/trainer/checkpoint.js';
import { predict } from '../../../electron/trainer/predict.js';
import { predictFile } from '../../../electron/trainer/predict-file.js';
import { PredictorCache } from '../../../electron/trainer/predictors.js';
import type { ServedModel } from '../../../electron/trainer/protocol.js';
import { train } from '../../../electron/trainer/train.js';
import { asJsonLines, makeTinyModel, tinyLabels, tinyRows } from '../../helpers/tiny-model.js';
import { contextOf, ToyEngine } from './toy-engine.js';

let folder: string;
let served: ServedModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'predict-'));
  const modelFolder = await makeTinyModel(join(folder, 'model'));
  const file = join(folder, 'train.jsonl');
  await writeFile(file, asJsonLines(tinyRows(90, 1)));
  served = {
    key: 'run',
    modelFolder,
    runFolder: join(folder, 'run'),
    method: { type: 'head' },
    objective: { type: 'classification', labels: [...tinyLabels] },
    maxLength: 32,
    seed: 1,
    device: 'cpu',
    threads: null,
  };
  const training = trainingSchema.parse({ epochs: 4, batchSize: 8, learningRate: 0.5, maxLength: 32 });
  await train(
    {
      type: 'train',
      resume: false,
      runFolder: join(folder, 'run'),
      task: {
        training,
        method: { type: 'head' },
        modelFolder,
        objective: { type: 'classification', labels: [...tinyLabels] },
        device: 'cpu',
        threads: null,
        initFolder: null,
        data: { train: file, validation: null, test: null },
      },
    },
    contextOf(),
    new ToyEngine(),
    0,
  );
});

const rows = [
  { text: 'the cat and the owl', pair: null },
  { text: 'bread with honey', pair: null },
  { text: 'a hammer near a saw', pair: null },
];

describe('predict', () => {
  it('answers by the trained run beside the untrained base, in order', async () => {
    const engine = new ToyEngine();
    const { models } = await predict(
      { type: 'predict', keep: true, models: [served, { ...served, key: 'base', runFolder: null }], rows },
      contextOf(),
      new PredictorCache(engine),
    );
    expect(models.map((model) => model.key)).toEqual(['run', 'base']);
    expect(models[0]!.rows.map((row) => row.label)).toEqual(['animal', 'food', 'tool']);
    for (const row of models[1]!.rows) expect(Math.max(...row.probabilities)).toBeLessThan(0.5);
    for (const row of models[0]!.rows)
      expect(row.probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
  });

  it('opens a model once, again when its run was trained anew, and lets the oldest go', async () => {
    const engine = new ToyEngine();
    const cache = new PredictorCache(engine);
    for (let turn = 0; turn < 3; turn += 1)
      await predict({ type: 'predict', keep: true, models: [served], rows }, contextOf(), cache);
    expect(engine.opened).toBe(1);
    const again = { ...served, runFolder: join(folder, 'again') };
    await rm(again.runFolder, { recursive: true, force: true });
    const missing = await predict({ type: 'predict', keep: true, models: [again, served], rows }, contextOf(), cache);
    expect(missing.models[0]).toMatchObject({ rows: [], problem: { code: 'not-found' } });
    expect(missing.models[1]!.problem).toBeNull();
    for (let seed = 10; seed < 20; seed += 1)
      await predict(
        { type: 'predict', keep: true, models: [{ ...served, runFolder: null, seed }], rows },
        contextOf(),
        cache,
      );
    expect(engine.opened - engine.disposed).toBe(6);
    await cache.dispose();
    expect(engine.opened).toBe(engine.disposed);
  });

  it('switches between runs of one kind on one base and one session', async () => {
    const engine = new ToyEngine();
    const cache = new PredictorCache(engine);
    const copy = join(folder, 'copy');
    await cp(served.runFolder ?? '', copy, { recursive: true });
    // Other label words, as many; then another method, on the base that is open already.
    const labels = tinyLabels.map((label) => `${label}?`);
    const objective = { type: 'classification' as const, labels };
    const twin = { ...served, key: 'twin', runFolder: copy, objective };
    const other = { ...twin, key: 'other', method: { type: 'lora' } };
    const { models } = await predict(
      { type: 'predict', keep: true, models: [served, twin, other], rows },
      contextOf(),
      cache,
    );
    expect([engine.bases, engine.opened, engine.switched]).toEqual([1, 2, 1]);
    expect(models[1]?.rows.map(({ label }) => label)).toEqual(models[0]?.rows.map(({ label }) => `${label}?`));
    expect(models[1]?.rows.map(({ logits }) => logits)).toEqual(models[0]?.rows.map(({ logits }) => logits));
    await cache.dispose();
    await predict({ type: 'predict', keep: true, models: [served], rows }, contextOf(), cache);
    expect(engine.bases).toBe(2);
  });

  it('lets a model go again that is asked for once, and takes the open one where there is one', async () => {
    const engine = new ToyEngine();
    const cache = new PredictorCache(engine);
    const once = (models: ServedModel[]) => predict({ type: 'predict', keep: false, models, rows }, contextOf(), cache);
    const other = { ...served, runFolder: null };
    const [first] = (await once([other])).models;
    expect([engine.opened, engine.disposed]).toEqual([1, 1]);
    await predict({ type: 'predict', keep: true, models: [other], rows }, contextOf(), cache);
    const [again] = (await once([other])).models;
    expect([engine.opened, engine.disposed]).toEqual([2, 1]);
    expect(again?.rows).toEqual(first?.rows);
  });

  it('a damaged parameters file is told, not used', async () => {
    const torn = { ...served, runFolder: join(folder, 'model') };
    await writeHashed(
      join(torn.runFolder, 'trained.safetensors'),
      new Map([['weight', { shape: [1], data: Float32Array.of(1) }]]),
      {},
    );
    const bytes = await readFile(join(torn.runFolder, 'trained.safetensors'));
    bytes[bytes.length - 1] = 7;
    await writeFile(join(torn.runFolder, 'trained.safetensors'), bytes);
    const { models } = await predict(
      { type: 'predict', keep: true, models: [torn], rows },
      contextOf(),
      new PredictorCache(new ToyEngine()),
    );
    expect(models[0]!.problem).toMatchObject({ code: 'bad-file' });
  });
});

describe('predictFile', () => {
  const input = () => join(folder, 'in.csv');
  const out = () => join(folder, 'out.csv');
  const job = (more: object = {}) => ({
    type: 'predict-file' as const,
    model: served,
    file: input(),
    textColumn: 'text',
    pairColumn: null,
    out: out(),
    report: true,
    ...more,
  });
  const cacheOf = () => new PredictorCache(new ToyEngine());

  it('writes a row a row, quoting what needs it, and tells the answers', async () => {
    const some = tinyRows(300, 5);
    await writeFile(input(), `id,text\r\n${some.map((row) => `${row.id},"${row.text}, ""so"""`).join('\r\n')}\r\n`);
    const context = contextOf();
    expect(await predictFile(job(), context, cacheOf())).toEqual({
      type: 'predict-file',
      rows: 300,
      skipped: 0,
      firstSkipped: null,
      out: out(),
    });
    const lines = (await readFile(out(), 'utf8')).trimEnd().split('\r\n');
    expect(lines).toHaveLength(301);
    expect(lines[0]).toBe('row,text,label,p(animal),p(food),p(tool)');
    expect(lines[1]).toMatch(
      new RegExp(`^0,"${some[0]!.text}, ""so""",(animal|food|tool),[\\d.e-]+,[\\d.e-]+,[\\d.e-]+$`),
    );
    const answers = context.events.flatMap((event) => (event.type === 'answers' ? event.rows : []));
    expect(answers.map((answer) => answer.row)).toEqual(some.map((row) => row.id));
    const right = answers.filter((answer, index) => answer.label === some[index]!.label).length;
    expect(right / 300).toBeGreaterThan(0.7);
  });

  it('writes no text or column that a spreadsheet would run, and leaves numbers as they are', async () => {
    const texts = ['=HYPERLINK(1)', '+cmd|x', '-2+3', '@SUM(1)', '-2.5'];
    const file = join(folder, 'formulas.jsonl');
    await writeFile(file, asJsonLines(texts.map((text) => ({ '=column': text }))));
    await predictFile(job({ file, textColumn: '=column' }), contextOf(), cacheOf());
    const written: unknown = parse(await readFile(out(), 'utf8'), { columns: false });
    expect((written as string[][]).map(([row, text]) => [row, text])).toEqual([
      ['row', "'=column"],
      ...texts.map((text, row) => [String(row), text === '-2.5' ? text : `'${text}`]),
    ]);
  });

  it("keeps the file's own row numbers when rows are left out", async () => {
    await writeFile(join(folder, 'in.jsonl'), '{"text":"a cat"}\n{"other":"x"}\n{"text":"bread"}\n');
    const context = contextOf();
    expect(await predictFile(job({ file: join(folder, 'in.jsonl'), out: null }), context, cacheOf())).toMatchObject({
      rows: 2,
      skipped: 1,
      firstSkipped: 'line 2: it has no "text"',
      out: null,
    });
    expect(
      context.events.flatMap((event) => (event.type === 'answers' ? event.rows : [])).map((answer) => answer.row),
    ).toEqual([0, 2]);
  });

  it('names the columns there are when the wanted one is not', async () => {
    await writeFile(input(), 'id,sentence\n1,a cat\n');
    await expect(predictFile(job(), contextOf(), cacheOf())).rejects.toMatchObject({
      code: 'bad-data',
      message: expect.stringMatching(/no column "text".*"id", "sentence"/),
    });
  });

  it('leaves no half-written file when it is cancelled', async () => {
    await rm(out(), { force: true });
    await writeFile(
      input(),
      `text\n${tinyRows(600, 6)
        .map((row) => row.text)
        .join('\n')}\n`,
    );
    await expect(
      predictFile(job(), contextOf({ cancelWhen: (event) => event.type === 'answers' }), cacheOf()),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect((await readdir(folder)).filter((name) => name.startsWith('out.csv'))).toEqual([]);
  });
});
