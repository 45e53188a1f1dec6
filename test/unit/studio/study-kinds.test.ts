/** Each kind of study carried out whole over the real trainer process: what its report holds. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report } from '../../../electron/contract/entities.js';
import { smallStudy, studioWithRows, studyEnded } from '../../helpers/study.js';
import type { TestStudio } from '../../helpers/studio.js';
import { makeTinyDecoder } from '../../helpers/tiny-decoder.js';
import { tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;

beforeAll(async () => {
  ({ studio, projectId } = await studioWithRows());
}, 60_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

async function carriedOut(change: object): Promise<Report> {
  const { handlers } = studio;
  const { id } = await handlers['studies.start']({ projectId, study: smallStudy(change), goOn: false });
  const { state, problem } = await studyEnded(studio, id);
  expect([state, problem]).toEqual(['finished', null]);
  return (await handlers['studies.report']({ id })).report;
}

const column = ({ tables }: Report, table: string, key: string) =>
  (tables.find(({ id }) => id === table)?.rows ?? []).map(({ cells }) => cells[key]);
const numbers = (values: readonly unknown[]) => values.map(Number);

it('little data: curves over sizes, the same rows for every method at a seed', { timeout: 180_000 }, async () => {
  const report = await carriedOut({
    kind: 'little-data',
    methods: [{ type: 'head' }],
    examplesPerClass: ['all', 4],
    learningRates: [0.01],
  });
  expect(column(report, 'gaps', 'size')).toEqual(['4', '4', 'all', 'all']);
  expect(column(report, 'crossings', 'sizes')).toEqual(['4, all']);
  expect(report.figures).toMatchObject([
    { kind: 'curves', series: [{ type: 'full', points: [{ x: 4 }, { x: 33 }] }, { type: 'head' }] },
  ]);
  const runs = (await studio.handlers['runs.list']({ projectId })).filter(
    ({ plan }) => plan.training.examplesPerClass === 4,
  );
  expect(runs).toHaveLength(4);
  for (const run of runs) {
    const { log } = await studio.handlers['runs.history']({ id: run.id, afterStep: 0 });
    expect(log.map(({ message }) => message).join('\n')).toMatch(
      /Training: 12 rows drawn by seed \d, 4 of each class\./,
    );
  }
});

it('cost: what each method takes, each run in a process of its own', { timeout: 180_000 }, async () => {
  const before = studio.pids.length;
  const report = await carriedOut({ kind: 'cost', methods: [{ type: 'lora' }], learningRates: [0.01] });
  expect(studio.pids.length - before).toBeGreaterThanOrEqual(4);
  expect(numbers(column(report, 'costs', 'share'))).toEqual([1, expect.closeTo(0.05, 1)]);
  for (const key of ['step', 'tokens', 'memory', 'optimizer', 'file', 'training'])
    for (const value of numbers(column(report, 'costs', key))) expect(value).toBeGreaterThan(0);
  const [full = 0, lora = 0] = numbers(column(report, 'storage', 'tasks-100'));
  const [model] = await studio.handlers['models.list']({}).then((list) => list.filter(({ name }) => name === 'tiny'));
  const [fullFile = 0, loraFile = 0] = numbers(column(report, 'costs', 'file'));
  expect(full).toBeCloseTo(100 * fullFile, 3);
  expect(lora).toBeCloseTo((model?.bytes ?? 0) + 100 * loraFile, 3);
  expect(report.figures.map(({ kind }) => kind)).toEqual(['pareto', 'pareto', 'pareto', 'pareto']);
  expect(report.verdicts.map(({ text }) => text).join('\n')).toMatch(/full fine-tuning's time of a step/);
});

it('quality of models that write, in perplexity', { timeout: 180_000 }, async () => {
  const { handlers } = studio;
  await handlers['models.add']({ folder: await makeTinyDecoder(join(studio.home, 'decoder')), name: 'decoder' });
  const file = join(studio.home, 'texts.csv');
  await writeFile(file, ['text', ...tinyRows(60).map(({ text }) => `"${text}"`)].join('\n'));
  await studio.finished(
    await handlers['datasets.import']({
      projectId,
      name: 'texts',
      path: file,
      reading: {},
      task: 'generation',
      columns: { form: 'text', text: 'text' },
      validation: 0.2,
      test: 0.3,
      splitColumn: null,
      seed: 1,
      badRows: 'stop',
    }),
  );
  const report = await carriedOut({
    model: 'decoder',
    data: ['texts'],
    methods: [{ type: 'lora' }],
    training: { maxSteps: 10, batchSize: 4, maxLength: 16 },
  });
  const scores = column(report, 'gaps', 'score');
  for (const score of scores) expect(score).toMatchObject({ mean: expect.any(Number) as number });
  for (const score of scores) if (typeof score === 'object' && score) expect(score.mean).toBeGreaterThan(1);
  expect(report.figures).toMatchObject([{ kind: 'forest', axis: { unit: 'percent' } }]);
});

it('refuses a curve of one size, and data without a test split', async () => {
  const start = (change: object) =>
    studio.handlers['studies.start']({ projectId, study: smallStudy(change), goOn: false });
  await expect(start({ kind: 'little-data' })).rejects.toMatchObject({ code: 'bad-input' });
  await expect(start({ kind: 'cost', examplesPerClass: [4, 'all'] })).rejects.toMatchObject({ code: 'bad-input' });
});
