/** The study of forgetting: the base's own loss and former tasks, before and after two tasks in a row, on the starter model. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report, Run } from '../../../electron/contract/entities.js';
import type { StudyPlan } from '../../../electron/contract/study.js';
import { importHalves, smallStudy, studioWithRows, studyEnded } from '../../helpers/study.js';
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
    training: { maxSteps: 12, batchSize: 8, maxLength: 16 },
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
}, 240_000);
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
  expect(report.figures.map(({ id }) => id)).toEqual(['general', 'former-1']);
  expect(report.figures[0]).toMatchObject({ kind: 'curves', places: ['before', 'rows', 'halves'] });
});

it.each([
  ['a base without a language-model head', { model: 'tiny' }, /no language-model head/],
  ['several sizes', { examplesPerClass: [4, 8] }, /takes one size/],
])('refuses %s', async (_, change, message) => {
  await expect(
    studio.handlers['studies.start']({ projectId, study: study(change as Partial<StudyPlan>), goOn: false }),
  ).rejects.toThrow(message);
});
