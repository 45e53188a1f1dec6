/** Plans, matrices, studies and reports as JSON, as the command takes them. */
import { join } from 'node:path';
import fc from 'fast-check';
import { readJson } from '../../../electron/cli/runs.js';
import { reportSchema } from '../../../electron/contract/entities.js';
import { studyWithin } from '../../../electron/contract/study.js';
import { StudioError } from '../../../electron/contract/errors.js';
import { listMethods } from '../../../electron/engine/index.js';
import { askedIn } from '../../../electron/studio/plan-file.js';
import { parseMatrix, parsePlan, parseStudy } from '../../../electron/studio/plan.js';
import { everyFigure } from '../../fixtures/reports/every-figure.js';
import type { FileSet, Subject } from '../subject.js';

const only = (value: unknown): FileSet => new Map([['plan.json', Buffer.from(JSON.stringify(value))]]);
const made = fc
  .oneof(fc.json(), fc.string({ unit: 'binary' }))
  .map((text) => new Map([['plan.json', Buffer.from(text)]]));
const training = { epochs: 1, batchSize: 8, learningRate: 0.001, seed: 1, optimizer: 'adamw', schedule: 'linear' };

/** As the window takes a file that is dropped on it; what it takes for rows counts as refused. */
function askedInWindow(value: unknown): unknown {
  const asked = askedIn(value);
  if (asked === null) throw new StudioError('bad-file', 'It is no plan and no study.', 'It may hold rows.');
  return asked;
}

export const planSubject: Subject = {
  name: 'plan',
  share: 8,
  seeds: async () => {
    const methods = listMethods()
      .filter(({ family }) => family !== 'composition')
      .map(({ type }) => ({ type }));
    return [
      ...methods.map((method) => only({ model: 'tiny', data: 'rows', method, training })),
      only({
        model: 'tiny',
        data: 'rows',
        methods: methods.slice(0, 3),
        seeds: [1, 2],
        training,
        overrides: { lora: { learningRate: 0.1 } },
      }),
      only({
        model: 'tiny',
        data: 'rows',
        method: { type: 'lora', rank: 4 },
        objective: 'classification',
        verbalizer: { template: '{text} is {mask}', words: { a: 'b' } },
      }),
      only({ kind: 'quality', model: 'tiny', data: ['rows'], methods, seeds: [1], learningRates: [0.1], training }),
    ];
  },
  made,
  async read(folder) {
    const path = join(folder, 'plan.json');
    const failures: unknown[] = [];
    const parsers = [parsePlan, parseMatrix, (value: unknown) => parseStudy(studyWithin(value)), askedInWindow];
    for (const parse of parsers) {
      try {
        parse(await readJson(path));
      } catch (error) {
        if (!(error instanceof StudioError)) throw error;
        failures.push(error);
      }
    }
    if (failures.length === parsers.length) throw failures[0];
  },
};

/** The report that charts are tried with names no real options. */
const report = {
  ...everyFigure,
  provenance: { ...everyFigure.provenance, study: { ...everyFigure.provenance.study, methods: [{ type: 'head' }] } },
};

export const reportSubject: Subject = {
  name: 'report',
  share: 4,
  seeds: async () => [only(report), only({ report })],
  made,
  async read(folder) {
    const value = await readJson(join(folder, 'plan.json'));
    const parsed = reportSchema.safeParse(value);
    if (parsed.success) void parsed.data.title;
    parseStudy(studyWithin(value));
  },
};
