/** The study of what carries over: real runs that go on from others, on two data sets. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report, Run } from '../../../electron/contract/entities.js';
import type { StudyPlan } from '../../../electron/contract/study.js';
import { importHalves, smallStudy, studioWithRows, studyEnded } from '../../helpers/study.js';
import type { TestStudio } from '../../helpers/studio.js';
import { tinyHiddenSize, tinyLabels } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;
let report: Report;
let runs: Run[];

const study = (change: Partial<StudyPlan> = {}) =>
  smallStudy({
    kind: 'portability',
    data: ['rows', 'halves'],
    methods: [{ type: 'lora' }, { type: 'prefix', numVirtualTokens: 2 }],
    seeds: [1, 2],
    learningRates: [0.01],
    training: { maxSteps: 20, batchSize: 8, maxLength: 16 },
    ...change,
  });

beforeAll(async () => {
  ({ studio, projectId } = await studioWithRows());
  await importHalves(studio, projectId);
  const { handlers } = studio;
  const { id } = await handlers['studies.start']({ projectId, study: study(), goOn: false });
  expect((await studyEnded(studio, id)).problem).toBeNull();
  ({ report } = await handlers['studies.report']({ id }));
  runs = await handlers['runs.list']({ projectId });
}, 240_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const rowsOf = (id: string) => report.tables.find((table) => table.id === id)?.rows ?? [];
const score = (value: unknown) => (value as { mean: number }).mean;

it('carries each result over to the other task, frozen and trained on, run by run of its seed', () => {
  const named = new Map(runs.map((run) => [run.id, run]));
  const cells = rowsOf('transfer').map(({ cells: { method, from, data, how } }) =>
    [method, from, data, how].join(' | '),
  );
  // Full fine-tuning and LoRA in both ways each way round; the prefix does not lie below a new head.
  expect(cells).toHaveLength(10);
  expect(cells.filter((cell) => cell.startsWith('Prefix') && cell.includes('frozen'))).toEqual([]);
  expect(report.protocol.join(' ')).toMatch(/Prefix tuning.* is carried over to train further only/);
  for (const row of rowsOf('transfer')) {
    expect(row.runs).toHaveLength(2);
    for (const id of row.runs) {
      const run = named.get(id);
      const former = named.get(run?.plan.refines ?? 0);
      expect([run?.seed, run?.datasetName]).toEqual([former?.seed, row.cells['data']]);
      expect(former?.datasetName).toBe(row.cells['from']);
      expect(former?.plan.method.type).toBe(row.method);
      expect(run?.plan.refineBy).toBe(row.cells['how'] === 'trained further' ? 'continue' : 'merge');
      // Of a frozen result nothing but the new head trains.
      const labels = row.cells['data'] === 'rows' ? tinyLabels.length : 2;
      if (row.cells['how'] !== 'trained further')
        expect(run?.result?.trainableParameters).toBe((tinyHiddenSize + 1) * labels);
    }
  }
});

it('tells the differences that its runs have', () => {
  const named = new Map(runs.map((run) => [run.id, run]));
  const finals = rowsOf('runs');
  const macroF1 = (id: number) => {
    const test = named.get(id)?.result?.test;
    return (test && 'macroF1' in test ? test.macroF1 : null) ?? Number.NaN;
  };
  for (const { runs: own, method, cells } of rowsOf('transfer')) {
    const fresh = finals.filter(
      (row) =>
        row.method === method &&
        row.cells['data'] === cells['data'] &&
        named.get(row.runs[0] ?? 0)?.plan.refines === undefined,
    );
    expect(fresh).toHaveLength(2);
    const mean = (ids: readonly number[]) => ids.reduce((sum, id) => sum + macroF1(id), 0) / ids.length;
    expect(score(cells['score'])).toBeCloseTo(mean(own), 9);
    expect(score(cells['gain'])).toBeCloseTo(100 * (mean(own) - mean(fresh.flatMap((row) => row.runs))), 6);
    const beside = rowsOf('transfer').find(
      (row) => row.method === 'full' && ['from', 'data', 'how'].every((key) => row.cells[key] === cells[key]),
    );
    if (method === 'full') expect(cells['full']).toBeNull();
    else expect(score(cells['full'])).toBeCloseTo(100 * (mean(own) - mean(beside?.runs ?? [])), 6);
  }
  const map = report.figures.find(({ id }) => id === 'gain-tuned-all');
  expect(map).toMatchObject({ kind: 'heat-map', columns: ['rows', 'halves'], middle: 0 });
});

it('says of every pair what its interval allows, and holds PEFT against full fine-tuning carried over alike', () => {
  const against = (what: string) => report.verdicts.filter(({ text }) => text.includes(what));
  expect(against('a fresh start')).toHaveLength(10);
  expect(against('full fine-tuning carried over alike')).toHaveLength(6);
  expect(against('a fresh start').filter(({ text, kind }) => text.startsWith('Full') !== (kind === 'note'))).toEqual(
    [],
  );
});

it.each([
  ['one data set', { data: ['rows'] }, /takes 2 data sets/],
  ['the same twice', { data: ['rows', 'rows'] }, /stands there twice/],
])('refuses %s', async (_, change, message) => {
  await expect(studio.handlers['studies.start']({ projectId, study: study(change), goOn: false })).rejects.toThrow(
    message,
  );
});
