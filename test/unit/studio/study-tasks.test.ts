/** Studies of what carries over and of what is forgotten, on tasks that have a head but no classes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importRequestSchema, type Report, type Run } from '../../../electron/contract/entities.js';
import { smallStudy, studioWithRows, studyEnded } from '../../helpers/study.js';
import type { TestStudio } from '../../helpers/studio.js';
import { tinyHiddenSize, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;

/** Two data sets of each task: their files' endings, columns, and lines made of a text of the tiny model's words and its topic's number. */
const tasks = {
  regression: {
    ending: 'csv',
    request: { textColumn: 'text', labelColumn: 'score' },
    lines: (rows: readonly Row[]) => [
      'text,score',
      ...rows.map(({ text, topic }, i) => `${text},${topic + (i % 3) / 10}`),
    ],
    head: tinyHiddenSize + 1,
  },
  tagging: {
    ending: 'conll',
    request: { wordsColumn: 'word', tagsColumn: 'column 2', tagNames: null },
    lines: (rows: readonly Row[]) =>
      rows.map(({ text, topic }) => {
        const [first, ...others] = text.split(' ');
        return [`${first}\tB-kind${topic % 2}`, ...others.map((word) => `${word}\tO`), ''].join('\n');
      }),
    // O and two kinds of one word.
    head: (tinyHiddenSize + 1) * 3,
  },
};
type Row = { readonly text: string; readonly topic: number };

function rowsOf(seed: number): Row[] {
  const rows = tinyRows(160, seed);
  const topics = [...new Set(rows.map(({ label }) => label))].sort();
  return rows.map(({ text, label }) => ({ text, topic: topics.indexOf(label) }));
}

beforeAll(async () => {
  ({ studio, projectId } = await studioWithRows());
  for (const [task, { ending, request, lines }] of Object.entries(tasks))
    for (const seed of [1, 2]) {
      const name = `${task}-${seed}`;
      const path = join(studio.home, `${name}.${ending}`);
      await writeFile(path, lines(rowsOf(seed)).join('\n'));
      await studio.finished(
        await studio.handlers['datasets.import'](
          importRequestSchema.parse({ projectId, task, name, path, ...request, validation: 0.2, test: 0.3 }),
        ),
      );
    }
}, 120_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

async function reportOf(change: object): Promise<{ report: Report; runs: Map<number, Run> }> {
  const { handlers } = studio;
  const study = smallStudy({
    methods: [{ type: 'lora' }],
    seeds: [1],
    learningRates: [0.01],
    training: { maxSteps: 16, batchSize: 8, maxLength: 16, validateEverySteps: 8 },
    ...change,
  });
  const { id } = await handlers['studies.start']({ projectId, study, goOn: false });
  expect(await studyEnded(studio, id)).toMatchObject({ state: 'finished', problem: null });
  const { report } = await handlers['studies.report']({ id });
  expect(report.notes.filter((note) => note.startsWith('A measurement failed'))).toEqual([]);
  const runs = await handlers['runs.list']({ projectId });
  return { report, runs: new Map(runs.map((run) => [run.id, run])) };
}

const measures = { regression: 'pearson', tagging: 'entityF1' } as const;
const mean = (value: unknown) => (value as { mean: number }).mean;
const rowsIn = (report: Report, id: string) => report.tables.find((table) => table.id === id)?.rows ?? [];

it.each(['regression', 'tagging'] as const)(
  'carries %s over: frozen below a new head, and trained further',
  { timeout: 180_000 },
  async (task) => {
    const { report, runs } = await reportOf({ kind: 'portability', data: [`${task}-1`, `${task}-2`] });
    const rows = rowsIn(report, 'transfer');
    expect(rows).toHaveLength(8);
    for (const { cells, runs: own } of rows) {
      const run = runs.get(own[0] ?? 0);
      const former = runs.get(run?.plan.refines ?? 0);
      expect([former?.datasetName, run?.datasetName]).toEqual([cells['from'], cells['data']]);
      expect(mean(cells['score'])).toBeCloseTo(run?.result?.test?.[measures[task]] ?? Number.NaN, 9);
      expect(Number.isFinite(mean(cells['gain']))).toBe(true);
      if (cells['how'] !== 'trained further') expect(run?.result?.trainableParameters).toBe(tasks[task].head);
    }
  },
);

it('tests a task of numbers again, by its own head, after another', { timeout: 180_000 }, async () => {
  const data = ['regression-1', 'regression-2'];
  const training = { maxSteps: 4, batchSize: 8, maxLength: 16 };
  const generalText = join(studio.home, 'general.txt');
  await writeFile(generalText, 'The river runs through the old town.\nIts capital is a port.\n');
  const { report, runs } = await reportOf({
    kind: 'forgetting',
    model: 'Starter',
    data,
    learningRates: [0.001],
    training,
    generalText,
  });
  const rows = rowsIn(report, 'former');
  expect(rows).toHaveLength(6);
  for (const { method, cells, runs: own } of rows) {
    const later = runs.get(own[0] ?? 0);
    const first = cells['task'] === cells['after'] ? later : runs.get(later?.plan.refines ?? 0);
    expect([first?.plan.method.type, first?.datasetName]).toEqual([method, cells['task']]);
    const learned = first?.result?.test?.pearson ?? Number.NaN;
    // The run answers by standard scores, and the test again by the head that has taken them in: equal but for rounding.
    if (first === later) expect(mean(cells['score'])).toBeCloseTo(learned, 3);
    else expect(mean(cells['change'])).toBeCloseTo(100 * (mean(cells['score']) - learned), 0);
  }
});

it('refuses texts to write, which have no head', async () => {
  const path = join(studio.home, 'texts.csv');
  await writeFile(path, ['text', ...tinyRows(40).map(({ text }) => text)].join('\n'));
  for (const name of ['texts-1', 'texts-2'])
    await studio.finished(
      await studio.handlers['datasets.import'](
        importRequestSchema.parse({
          projectId,
          task: 'generation',
          columns: { form: 'text', text: 'text' },
          name,
          path,
        }),
      ),
    );
  for (const kind of ['portability', 'forgetting'])
    await expect(
      studio.handlers['studies.start']({
        projectId,
        study: smallStudy({ kind, model: 'Starter', data: ['texts-1', 'texts-2'] }),
        goOn: false,
      }),
    ).rejects.toThrow(/"texts-1" is for writing text, which needs no head/);
});
