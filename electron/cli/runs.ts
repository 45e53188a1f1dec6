/** `run`, `resume` and `compare`. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Comparison, ComparisonRow, Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { measureSchema, measureTable, shownMeasure, type Measure } from '../contract/measures.js';
import { objectiveTable } from '../contract/objectives.js';
import { namingFile } from '../contract/problem-of.js';
import { deviceIdSchema } from '../contract/plan.js';
import { parseMatrix, parsePlan, planKeys } from '../studio/plan.js';
import type { Command } from './command.js';
import { percent, table, whole } from './output.js';
import { findDataset, findModel, project, type Session } from './session.js';
import { exitCodeOf, failureOf, watchRuns } from './watch.js';

/** @throws the system's error for what cannot be read; StudioError 'bad-file' for what is not JSON */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(namingFile(path));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StudioError(
      'bad-file',
      `${path} is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
      'See the plan in the help.',
      { path },
      { cause: error },
    );
  }
}

const run: Command = {
  name: 'run',
  arguments: 'PLAN.json',
  positionals: [1, 1],
  about: 'Trains one plan. Ctrl-C saves a checkpoint and pauses.',
  options: { init: { value: 'FOLDER', about: 'Exported adapter or merged folder to start from' } },
  details: planKeys,
  async run(input, session) {
    const plan = parsePlan(await readJson(input.positional(0)));
    const { id: projectId } = await project(session);
    const model = await findModel(session, plan.model);
    await findDataset(session, projectId, plan.data);
    const init = input.text('init');
    const [ended] = await watchRuns(session, () =>
      session.handlers['runs.start']({
        projectId,
        plans: [{ ...plan, model: model.name }],
        initFolder: init === null ? null : resolve(init),
      }),
    );
    return ended === undefined ? 1 : exitCodeOf(ended);
  },
};

const resume: Command = {
  name: 'resume',
  arguments: 'RUN',
  positionals: [1, 1],
  about: 'Goes on with a run that was paused or cut off, from its last checkpoint.',
  options: {
    device: {
      value: 'DEVICE',
      about: 'Where it goes on; default: the device that it was on',
      choices: deviceIdSchema.options,
    },
  },
  async run(input, session) {
    const id = input.id(0);
    const device = deviceIdSchema.optional().parse(input.text('device') ?? undefined);
    const [ended] = await watchRuns(session, async () => [await session.handlers['runs.resume']({ id, device })]);
    return ended === undefined ? 1 : exitCodeOf(ended);
  },
};

const compare: Command = {
  name: 'compare',
  arguments: '[RUN…]',
  positionals: [0, 1000],
  about: 'Compares finished runs with full fine-tuning; with --plan trains methods × seeds first.',
  options: {
    plan: { value: 'MATRIX.json', about: 'Plan with "methods" and "seeds" to train and compare' },
    measure: {
      value: 'MEASURE',
      about: 'What differences are in; default the first that the objective has',
      choices: measureSchema.options,
    },
    zone: { value: 'POINTS', about: 'Difference in points that counts as none; default 1' },
  },
  async run(input, session) {
    const file = input.text('plan');
    if (file === null && input.positionals.length === 0)
      throw new StudioError(
        'bad-input',
        'compare needs runs or --plan MATRIX.json.',
        'See peft-studio compare --help.',
      );
    const zone = input.number('zone', 0.01, 50) ?? 1;
    const known = await Promise.all(
      input.positionals.map((_, index) => session.handlers['runs.get']({ id: input.id(index) })),
    );
    const trained = file === null ? [] : await trainMatrix(session, file);
    if (trained.some(({ state }) => state === 'paused')) {
      session.out.note(
        `When they are finished, compare them with: peft-studio compare ${trained.map(({ id }) => id).join(' ')}`,
      );
      return 130;
    }
    const failed = trained.filter(({ state }) => state !== 'finished');
    for (const run of failed)
      session.out.event(
        { event: 'failed', run: run.id, message: failureOf(run).message, hint: failureOf(run).hint },
        `Run ${run.id} (${run.methodName}, seed ${run.seed}) is ${run.state}: ${failureOf(run).message}`,
      );
    const all = [...known, ...trained.filter(({ state }) => state === 'finished')];
    const [first] = all;
    if (first === undefined)
      throw failed[0] ? failureOf(failed[0]) : new StudioError('bad-input', 'There is nothing to compare.');
    const unfinished = known.find(({ state }) => state !== 'finished');
    if (unfinished)
      throw new StudioError(
        'conflict',
        `Run ${unfinished.id} is ${unfinished.state}; only finished runs can be compared.`,
        `Leave it out, or go on with: peft-studio resume ${unfinished.id}`,
        { run: unfinished.id },
      );
    const other = all.find(({ modelId, datasetId }) => modelId !== first.modelId || datasetId !== first.datasetId);
    if (other)
      throw new StudioError(
        'bad-input',
        `Runs ${first.id} and ${other.id} differ in base model or data set and cannot be compared.`,
        'Compare runs of one base model on one data set.',
      );
    const comparison = await session.handlers['compare.runs']({
      projectId: first.projectId,
      datasetId: first.datasetId,
      modelId: first.modelId,
      runIds: all.map(({ id }) => id),
      measure: measureSchema.nullable().parse(input.text('measure')),
      zone,
    });
    session.out.event({ event: 'comparison', ...comparison }, describe(comparison));
    if (failed.length > 0)
      throw new StudioError(
        'bad-data',
        `${failed.length} of ${trained.length} runs did not finish; the comparison is of the others.`,
        failed.map((run) => `peft-studio resume ${run.id}`).join('; '),
      );
    return 0;
  },
};

async function trainMatrix(session: Session, file: string): Promise<Run[]> {
  const matrix = parseMatrix(await readJson(file));
  const { id: projectId } = await project(session);
  const model = await findModel(session, matrix.model);
  await findDataset(session, projectId, matrix.data);
  const ended = await watchRuns(session, () =>
    session.handlers['runs.startMatrix']({ projectId, matrix: { ...matrix, model: model.name } }),
  );
  return ended;
}

/** "43.1 % (41.0 %–45.2 %)"; a dash for what was not measured. */
function scored(row: ComparisonRow, measure: Measure): string {
  const of = row[measure] ?? null;
  if (of === null) return '–';
  const { mean, interval } = of;
  const { unit } = measureTable[measure];
  const words = (value: number) => `${shownMeasure(measure, value)}${unit === '' ? '' : ` ${unit}`}`;
  return interval ? `${words(mean)} (${words(interval.low)}–${words(interval.high)})` : words(mean);
}

function describe({ rows, sentences, notes, method, model, dataset, testRows, objective }: Comparison): string {
  const { measures } = objectiveTable[objective];
  const names = measures.map((measure) => measureTable[measure].name);
  const cells = (row: ComparisonRow) => [
    row.setting ? `${row.methodName}, ${row.setting}` : row.methodName,
    row.seeds.length,
    ...measures.map((measure) => scored(row, measure)),
    percent(row.share),
    row.secondsPerStep?.mean.toFixed(3) ?? 'elsewhere',
    row.peakMemoryBytes === null ? 'elsewhere' : whole(row.peakMemoryBytes / 1e6),
    (row.checkpointBytes / 1e6).toFixed(2),
  ];
  return [
    `${model} on ${dataset}, ${whole(testRows)} test rows`,
    '',
    table(['method', 'seeds', ...names, 'trained', 's/step', 'peak MB', 'size MB'], rows.map(cells)),
    '',
    ...sentences.map(({ text }) => text),
    ...(sentences.length > 0 ? [''] : []),
    ...notes,
    method,
  ].join('\n');
}

export const runCommands: readonly Command[] = [run, resume, compare];
