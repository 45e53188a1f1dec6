/** A studio with the tiny model and data to make small studies of. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report, Study } from '../../electron/contract/entities.js';
import { studySchema } from '../../electron/contract/study.js';
import { openTestStudio, type TestStudio } from './studio.js';
import { makeTinyModel, tinyLabels, tinyRows } from './tiny-model.js';

/** Opens a studio at `home` (or a new folder) with a project, the model "tiny" and the data set "rows". */
export async function studioWithRows(home?: string): Promise<{ studio: TestStudio; projectId: number }> {
  const studio = await openTestStudio(home);
  const { handlers } = studio;
  const projectId = (await handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await handlers['models.add']({ folder: await makeTinyModel(join(studio.home, 'tiny')), name: 'tiny' });
  const lines = tinyRows(200).map(({ text, label }) => `"${text}",${label}`);
  await importRows(studio, projectId, { name: 'rows', label: 'topic', lines });
  return { studio, projectId };
}

/** A second task on texts of the same kind: is a row of the first topic? */
export const importHalves = (studio: TestStudio, projectId: number): Promise<void> =>
  importRows(studio, projectId, {
    name: 'halves',
    label: 'half',
    lines: tinyRows(200, 2).map(({ text, label }) => `"${text}",${label === tinyLabels[0] ? 'first' : 'other'}`),
  });

async function importRows(
  studio: TestStudio,
  projectId: number,
  { name, label, lines }: { readonly name: string; readonly label: string; readonly lines: readonly string[] },
): Promise<void> {
  const file = join(studio.home, `${name}.csv`);
  await writeFile(file, [`text,${label}`, ...lines].join('\n'));
  const job = await studio.handlers['datasets.import']({
    projectId,
    name,
    path: file,
    reading: {},
    task: 'classification',
    textColumn: 'text',
    pairColumn: null,
    labelColumn: label,
    validation: 0.2,
    test: 0.3,
    splitColumn: null,
    seed: 1,
    badRows: 'stop',
  });
  await studio.finished(job);
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
