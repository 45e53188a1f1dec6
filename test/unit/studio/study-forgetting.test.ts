/** The study of forgetting: the base's own loss and former tasks, before and after two tasks in a row, on the starter model. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report, Run } from '../../../electron/contract/entities.js';
import { planSchema } from '../../../electron/contract/plan.js';
import type { StudyPlan } from '../../../electron/contract/study.js';
import { importHalves, smallStudy, studioWithRows, studyEnded } from '../../helpers/study.js';
import { makeTinyDecoder } from '../../helpers/tiny-decoder.js';
import type { TestStudio } from '../../helpers/studio.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;
let generalText = '';
let report: Report;
let runs: Run[];

const study = (change: Partial<StudyPlan> = {}) =>
  smallStudy({
    kind: 'forgetting',
    model: 'Starter',
    data: ['rows', 'halves'],
    methods: [{ type: 'lora' }, { type: 'head' }],
    seeds: [1],
    learningRates: [0.003],
    training: { maxSteps: 12, batchSize: 8, maxLength: 16, validateEverySteps: 4 },
    generalText,
    ...change,
  });

beforeAll(async () => {
  ({ studio, projectId } = await studioWithRows());
  await importHalves(studio, projectId);
  generalText = join(studio.home, 'general.txt');
  const sentences = [
    'The river runs through the old town.',
    'He gave an address to the nation.',
    '',
    'Its capital is a port.',
  ];
  await writeFile(generalText, `${[...sentences, ...sentences].join('\n')}\n`);
  const { id } = await studio.handlers['studies.start']({ projectId, study: study(), goOn: false });
  expect(await studyEnded(studio, id)).toMatchObject({ state: 'finished', problem: null });
  ({ report } = await studio.handlers['studies.report']({ id }));
  runs = await studio.handlers['runs.list']({ projectId });
}, 400_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const table = (id: string) => report.tables.find((one) => one.id === id)?.rows ?? [];
const mean = (value: unknown) => (value as { mean: number }).mean;

it('tells the perplexity on general text before training and after each task: a head alone takes nothing away', () => {
  expect(report.notes.filter((note) => note.startsWith('A measurement'))).toEqual([]);
  const rows = table('general');
  expect(rows.map(({ method, cells }) => [method, cells['after']])).toEqual([
    [null, 'before'],
    ...['rows', 'halves'].flatMap((data) => ['full', 'lora', 'head'].map((method) => [method, data])),
  ]);
  const before = mean(rows[0]?.cells['perplexity']);
  expect(before).toBeGreaterThan(1);
  for (const { method, cells } of rows.slice(1)) {
    const after = mean(cells['perplexity']);
    if (method === 'head') expect(after).toBe(before);
    else expect(after).not.toBe(before);
    // Percent of the base's perplexity, above zero where it is lower.
    expect(mean(cells['base'])).toBeCloseTo(100 * (1 - after / before), 6);
  }
  expect(report.notes.join(' ')).toMatch(/General text: 6 texts, SHA-256 [0-9a-f]{64}/);
});

it('tests former tasks with their own heads after later ones', () => {
  const rows = table('former');
  expect(rows).toHaveLength(9);
  for (const { method, cells, runs: own } of rows) {
    const task = String(cells['task']);
    const of = runs.find((run) => run.plan.method.type === method && run.datasetName === task);
    const learned = of?.result?.test && 'macroF1' in of.result.test ? of.result.test.macroF1 : null;
    if (task === cells['after']) expect(mean(cells['score'])).toBeCloseTo(learned ?? Number.NaN, 9);
    else {
      const later = runs.find(({ id }) => id === own[0]);
      expect(later?.plan.refines).toBe(of?.id);
      if (method === 'head') expect(mean(cells['score'])).toBeCloseTo(learned ?? Number.NaN, 9);
      else expect(mean(cells['change'])).toBeCloseTo(100 * (mean(cells['score']) - (learned ?? Number.NaN)), 6);
    }
  }
});

it('draws both as curves over the tasks', () => {
  expect(report.figures.map(({ id }) => id)).toEqual(['general', 'during-1', 'during-2', 'former-1']);
  expect(report.figures[0]).toMatchObject({ kind: 'curves', places: ['before', 'rows', 'halves'] });
});

it('tells the perplexity while each method trained: from where it started to what is measured after it', () => {
  const rows = table('during');
  const general = table('general');
  expect(rows).toHaveLength(6 * 4);
  const after = (method: string | null, data: string) =>
    mean(general.find((row) => row.method === method && row.cells['after'] === data)?.cells['perplexity']);
  for (const data of ['rows', 'halves'])
    for (const method of ['full', 'lora', 'head']) {
      const own = rows.filter((row) => row.method === method && row.cells['task'] === data);
      expect(own.map(({ cells }) => cells['step'])).toEqual([0, 4, 8, 12]);
      const start = data === 'rows' ? after(null, 'before') : after(method, 'rows');
      expect(mean(own[0]?.cells['perplexity'])).toBeCloseTo(start, 9);
      const run = runs.find(({ id }) => id === own[0]?.runs[0]);
      const best = own.find(({ cells }) => cells['step'] === run?.result?.bestStep);
      expect(mean(best?.cells['perplexity'])).toBeCloseTo(after(method, data), 4);
      const told = own.map(({ cells }) => mean(cells['perplexity']));
      expect(new Set(told).size > 1).toBe(method !== 'head');
    }
  expect(report.notes.join(' ')).not.toMatch(/was not measured while/);
  expect(report.figures[1]).toMatchObject({
    kind: 'curves',
    series: [{ type: 'full', points: [{ x: 0 }, { x: 4 }, { x: 8 }, { x: 12 }] }, {}, {}],
  });
});

it('watches a decoder by its next tokens, and a prefix as the run keeps it', { timeout: 120_000 }, async () => {
  const { handlers } = studio;
  await handlers['models.add']({ folder: await makeTinyDecoder(join(studio.home, 'decoder')), name: 'decoder' });
  const plans = [
    { model: 'decoder', method: { type: 'lora' } },
    { model: 'Starter', method: { type: 'prefix', numVirtualTokens: 2, prefixProjection: true } },
  ].map((change) =>
    planSchema.parse({
      data: 'rows',
      training: { maxSteps: 4, batchSize: 8, maxLength: 16, learningRate: 0.01, validateEverySteps: 2 },
      watch: { text: generalText },
      device: 'cpu',
      ...change,
    }),
  );
  for (const run of await handlers['runs.start']({ projectId, plans, initFolder: null })) {
    expect(await studio.ended(run.id)).toMatchObject({ state: 'finished' });
    const { validations, log } = await handlers['runs.history']({ id: run.id, afterStep: 0 });
    expect(log.map(({ message }) => message).join(' ')).not.toMatch(/is not measured/);
    const told = validations.map(({ general }) => general?.loss ?? Number.NaN);
    expect(told).toHaveLength(2);
    for (const loss of told) expect(loss).toBeGreaterThan(0);
    // Of parameters that it had not found, the fresh ones in their place would stay the same.
    expect(told[0]).not.toBe(told[1]);
  }
});

it('tells the same of a run that was killed and resumed', { timeout: 120_000 }, async () => {
  const { handlers } = studio;
  const plan = planSchema.parse({
    model: 'Starter',
    data: 'rows',
    method: { type: 'lora' },
    training: { maxSteps: 40, batchSize: 8, maxLength: 16, learningRate: 0.003, validateEverySteps: 10 },
    watch: { text: generalText },
    device: 'cpu',
  });
  const generals = async (id: number) =>
    (await handlers['runs.history']({ id, afterStep: 0 })).validations.map(({ step, general }) => [
      step,
      general?.loss,
    ]);
  const start = async () => {
    const [run] = await handlers['runs.start']({ projectId, plans: [plan], initFolder: null });
    return run?.id ?? 0;
  };
  const whole = await start();
  expect(await studio.ended(whole)).toMatchObject({ state: 'finished' });
  const cut = await start();
  await studio.waitFor('metrics', ({ runId, steps }) => runId === cut && steps.some(({ step }) => step > 15));
  process.kill(studio.pids.at(-1) ?? 0, 'SIGKILL');
  expect(await studio.ended(cut)).toMatchObject({ state: 'interrupted' });
  await handlers['runs.resume']({ id: cut });
  expect(await studio.ended(cut)).toMatchObject({ state: 'finished' });
  const told = await generals(whole);
  expect(told.map(([step]) => step)).toEqual([10, 20, 30, 40]);
  for (const [, loss] of told) expect(loss).toBeGreaterThan(0);
  expect(await generals(cut)).toEqual(told);
});

it.each([
  ['a base without a language-model head', { model: 'tiny' }, /no language-model head/],
  ['several sizes', { examplesPerClass: [4, 8] }, /takes one size/],
])('refuses %s', async (_, change, message) => {
  await expect(
    studio.handlers['studies.start']({ projectId, study: study(change as Partial<StudyPlan>), goOn: false }),
  ).rejects.toThrow(message);
});
