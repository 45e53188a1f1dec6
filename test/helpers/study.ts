/** A studio with the tiny model and data to make small studies of. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report, Study } from '../../electron/contract/entities.js';
import { studySchema } from '../../electron/contract/study.js';
import { openTestStudio, type TestStudio } from './studio.js';
import { makeTinyModel, tinyRows } from './tiny-model.js';

/** Opens a studio at `home` (or a new folder) with a project, the model "tiny" and the data set "rows". */
export async function studioWithRows(home?: string): Promise<{ studio: TestStudio; projectId: number }> {
  const studio = await openTestStudio(home);
  const { handlers } = studio;
  const projectId = (await handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await handlers['models.add']({ folder: await makeTinyModel(join(studio.home, 'tiny')), name: 'tiny' });
  const file = join(studio.home, 'rows.csv');
  await writeFile(file, ['text,topic', ...tinyRows(200).map(({ text, label }) => `"${text}",${label}`)].join('\n'));
  const job = await handlers['datasets.import']({
    projectId,
    name: 'rows',
    path: file,
    reading: {},
    task: 'classification',
    textColumn: 'text',
    pairColumn: null,
    labelColumn: 'topic',
    validation: 0.2,
    test: 0.3,
    splitColumn: null,
    seed: 1,
    badRows: 'stop',
  });
  await studio.finished(job);
  return { studio, projectId };
}

export const smallStudy = (change: object = {}) =>
  studySchema.parse({
    kind: 'quality',
    model: 'tiny',
    data: ['rows'],
    methods: [{ type: 'lora' }, { type: 'head' }],
    seeds: [1, 2],
    learningRates: [0.003, 0.02],
    training: { maxSteps: 30, batchSize: 8, maxLength: 16 },
    device: 'cpu',
    ...change,
  });

/** Waits until a study is no longer under way. */
export async function studyEnded({ handlers, waitFor }: TestStudio, id: number): Promise<Study> {
  const listening = waitFor('study', (study) => study.id === id && study.state !== 'running');
  const now = await handlers['studies.get']({ id });
  return now.state === 'running' ? listening : now;
}

/** What a report tells apart from when, on which machine and by which run numbers it was made. */
export function timeless({ verdicts, tables, figures, notes, protocol, question, provenance }: Report) {
  const timed = new Set(['seconds', 'bytes']);
  return {
    question,
    protocol,
    notes: notes.map((note) => note.replace(/Run \d+/g, 'Run')),
    verdicts: verdicts.map(({ kind, text }) => ({ kind, text })),
    figures,
    tables: tables.map(({ columns, rows, ...table }) => {
      const kept = columns.filter(({ unit }) => unit === null || !timed.has(unit));
      return {
        ...table,
        columns: kept,
        rows: rows.map(({ method, cells }) => [method, kept.map(({ key }) => cells[key])]),
      };
    }),
    study: provenance.study,
    data: provenance.data,
    model: provenance.model,
    runs: provenance.runs.map(({ id: _id, ...run }) => run),
  };
}
