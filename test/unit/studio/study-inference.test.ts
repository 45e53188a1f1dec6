/** The study of what adapters cost when they answer: real runs, merged, taken out again, and several on one base. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report } from '../../../electron/contract/entities.js';
import { openDatabase, studies } from '../../../electron/storage/index.js';
import { smallStudy, studioWithRows, studyEnded } from '../../helpers/study.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;
let id = 0;
let report: Report;

const study = smallStudy({
  kind: 'inference',
  methods: [{ type: 'lora' }, { type: 'prefix', numVirtualTokens: 2 }, { type: 'head' }],
  seeds: [1],
  learningRates: [0.01],
  training: { maxSteps: 10, batchSize: 8, maxLength: 16 },
});

beforeAll(async () => {
  ({ studio, projectId } = await studioWithRows());
  // Cut off among its measurements: the study goes on with those that are left.
  ({ id } = await studio.handlers['studies.start']({ projectId, study, goOn: false }));
  await studio.waitFor('study', ({ progress }) => progress.done >= 5);
  await studio.close();
  studio = await openTestStudio(studio.home);
  const { state } = await studio.handlers['studies.get']({ id });
  if (state !== 'finished') await studio.handlers['studies.resume']({ id });
  expect(await studyEnded(studio, id)).toMatchObject({ state: 'finished', problem: null });
  ({ report } = await studio.handlers['studies.report']({ id }));
}, 180_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const table = (name: string) => report.tables.find((one) => one.id === name)?.rows ?? [];

it('tells for each method what merging does to its answers, and why it cannot be merged', () => {
  const rows = new Map(table('merged').map((row) => [row.method, row.cells]));
  expect([...rows.keys()]).toEqual(['full', 'lora', 'prefix', 'head']);
  expect(rows.get('lora')).toMatchObject({
    same: 'yes',
    rows: 40,
    out: expect.stringMatching(/^weights at most/) as string,
  });
  expect(rows.get('lora')?.['apart']).toBeLessThan(1e-4);
  expect(rows.get('prefix')).toMatchObject({ rows: null, same: expect.stringMatching(/does not merge/) as string });
  expect(report.notes.join(' ')).toMatch(/Prefix tuning.* was not merged/);
  expect(report.verdicts.map(({ text }) => text).join(' ')).toMatch(
    /LoRA.*, merged, answers as it did beside its base/,
  );
});

it('puts the adapters on one base: the same answers, each row by its own adapter', () => {
  const rows = table('together');
  expect(rows.map(({ method }) => method)).toEqual(['lora', 'prefix', 'head', null]);
  expect(rows.at(-1)?.cells['together']).toBeGreaterThan(0);
  const verdict = report.verdicts.find(({ text }) => text.startsWith('3 adapters'));
  expect(verdict).toMatchObject({ kind: 'equal', text: expect.stringMatching(/answer as by themselves/) as string });
});

it('draws quality against the time of a row, for each method beside its base and merged', () => {
  const [figure] = report.figures;
  expect(figure).toMatchObject({ kind: 'pareto' });
  const labels = figure?.kind === 'pareto' ? figure.points.map(({ label }) => label) : [];
  expect(labels.filter((label) => label.startsWith('LoRA'))).toHaveLength(2);
  expect(labels.filter((label) => label.startsWith('Full'))).toHaveLength(1);
});

it('takes anew what an earlier version kept in another form', { timeout: 120_000 }, async () => {
  const { handlers } = studio;
  const again = { ...study, methods: [{ type: 'lora' }] };
  const { id: cut } = await handlers['studies.start']({ projectId, study: again, goOn: false });
  await studyEnded(studio, cut);
  await studio.close();
  const { database } = await openDatabase(studio.home);
  const kept = await studies.measurementsOf(database, cut);
  for (const key of kept.keys()) await studies.keepMeasurement(database, cut, key, { milliseconds: 3 });
  await studies.updateStudy(database, cut, { state: 'paused' });
  await database.close();
  studio = await openTestStudio(studio.home);
  const before = await studio.handlers['studies.report']({ id: cut });
  expect(before.report.tables.find(({ id: name }) => name === 'merged')?.rows).toEqual([]);
  await studio.handlers['studies.resume']({ id: cut });
  expect(await studyEnded(studio, cut)).toMatchObject({ state: 'finished', problem: null });
  const { report: after } = await studio.handlers['studies.report']({ id: cut });
  expect(after.tables.find(({ id: name }) => name === 'merged')?.rows).toHaveLength(2);
});
