/** Takes a result of such a project back as a finished run: its files checked, its parameters read and proved, its test rows paired with ours. */
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Dataset, Run, RunResult, Scores, SplitName } from '../../contract/entities.js';
import { scoresSchema, splitNames, stepMetricSchema, validationMetricSchema } from '../../contract/entities.js';
import { StudioError } from '../../contract/errors.js';
import { objectiveTable } from '../../contract/objectives.js';
import type { Plan } from '../../contract/plan.js';
import { openModel, planParameters } from '../../engine/index.js';
import { datasets, metrics, models, runs } from '../../storage/index.js';
import { trainedFileName } from '../../trainer/protocol.js';
import { changed, now, runFolder, type Context } from '../context.js';
import { throwIfAborted, type JobHandle } from '../jobs.js';
import { learnedObjective, plannedObjective } from '../objective.js';
import { namesOf } from '../plan.js';
import { resolvePlan } from '../runs.js';
import { modelsByWeights } from '../transfer/index.js';
import { answersOf, type TestAnswers } from './answers.js';
import { LinesHash, lineOf, resultSchema, setupSchema, usedRows, type Setup } from './format.js';
import { provedParameters } from './prove.js';

/** Measures that are told there and counted here may differ by what floats are rounded by. */
const SAME_MEASURE = 1e-3;

interface Read {
  readonly folder: string;
  readonly setup: Setup;
  readonly result: ReturnType<typeof resultSchema.parse>;
  /** SHA-256 of result.json. */
  readonly hash: string;
}

const wrong = (folder: string, why: string, remedy: string) =>
  new StudioError('bad-file', `${folder}: ${why}`, remedy, { file: folder });

function unreadable(folder: string, file: string, { issues: [issue] }: z.ZodError): StudioError {
  return wrong(
    folder,
    `${file} does not read as it should (${issue?.path.map(String).join('.')}: ${issue?.message}).`,
    'Take it back as train.py wrote it; an older app may not read what a newer one exported.',
  );
}

async function jsonIn(path: string): Promise<{ readonly value: unknown; readonly hash: string }> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new StudioError(
      'bad-file',
      `${path} is not there, or cannot be read.`,
      'Choose the folder that train.py wrote (result), or the project that holds it, after train.py has ended.',
      { file: path },
      { cause: error },
    );
  });
  const hash = createHash('sha256').update(bytes).digest('hex');
  try {
    return { value: JSON.parse(bytes.toString('utf8')), hash };
  } catch (error) {
    throw wrong(
      path,
      `it is not JSON (${error instanceof Error ? error.message : String(error)}).`,
      'Copy the folder whole.',
    );
  }
}

/** @param chosen folder of the result, or of the project that holds it */
async function readResult(chosen: string): Promise<Read> {
  const own = join(chosen, 'result', 'result.json');
  const folder = (await stat(own).catch(() => null)) ? join(chosen, 'result') : chosen;
  const told = await jsonIn(join(folder, 'result.json'));
  const made = await jsonIn(join(folder, 'setup.json'));
  const result = resultSchema.safeParse(told.value);
  const setup = setupSchema.safeParse(made.value);
  if (!result.success) throw unreadable(folder, 'result.json', result.error);
  if (!setup.success) throw unreadable(folder, 'setup.json', setup.error);
  if (result.data.setup !== made.hash)
    throw wrong(folder, 'setup.json is not the one that the result was made with.', 'Copy the folder whole.');
  return { folder, setup: setup.data, result: result.data, hash: told.hash };
}

/** The data set here whose rows are those that it was trained and tested on. */
async function sameRows(context: Context, projectId: number, { data, drawn }: Setup): Promise<Dataset> {
  const sets = await datasets.listDatasets(context.database, projectId);
  const fits = async (set: Dataset) => {
    for (const split of splitNames) if (!(await sameSplit(context, set, split, data[split], drawn))) return false;
    return true;
  };
  for (const set of [...sets].sort((a, b) => Number(b.name === data.name) - Number(a.name === data.name)))
    if (await fits(set)) return set;
  const named = sets.some(({ name }) => name === data.name);
  throw new StudioError(
    'not-found',
    `The project has no data set with the rows that the result was trained and tested on ("${data.name}").${named ? ' The one of that name holds other rows.' : ''}`,
    'Open the project that it was exported from, or import the same data with the same splits.',
    { data: data.name },
  );
}

async function sameSplit(
  context: Context,
  set: Dataset,
  split: SplitName,
  known: Setup['data']['train'],
  drawn: Setup['drawn'],
): Promise<boolean> {
  if (known === null) return set.rows[split] === 0;
  if (drawn === null || split !== 'train' ? set.rows[split] !== known.rows : set.rows[split] < known.rows) return false;
  const hash = new LinesHash();
  for await (const row of usedRows(context, set, split, drawn)) hash.add(lineOf(row));
  return hash.hex === known.hash;
}

/** The plan as it was trained, on what is here. */
async function planOf(
  context: Context,
  projectId: number,
  { folder, setup, result }: Read,
  dataset: Dataset,
): Promise<{ plan: Plan; modelId: number; trainable: number }> {
  const known = await modelsByWeights(context, [setup.model.weights], () => setup.model.name);
  const modelId = known.get(setup.model.weights) ?? 0;
  const { name } = await models.getModel(context.database, modelId);
  const asked = typeof result.plan === 'object' && result.plan !== null ? result.plan : {};
  const resolved = await resolvePlan(context, projectId, { ...asked, model: name, data: dataset.name });
  const { plan } = resolved;
  if (JSON.stringify(plan.method) !== JSON.stringify(setup.method) || plan.objective !== setup.objective)
    throw wrong(folder, 'the plan names another method or objective than was trained.', 'Export the project again.');
  if (setup.drawn && setup.drawn.seed !== plan.training.seed)
    throw wrong(folder, 'its training rows were drawn by another seed.', 'Export a project for each seed.');
  return { plan, modelId, trainable: resolved.trainable };
}

/** @throws StudioError 'bad-file' where the measures told there are not those of the answers told there */
function requireSame(folder: string, { scores }: TestAnswers, told: Readonly<Record<string, number | null>>): void {
  for (const measure of [...objectiveTable[scores.objective ?? 'classification'].measures, 'loss'] as const) {
    const [own, theirs] = [scores[measure] ?? null, told[measure] ?? null];
    if (
      own === theirs ||
      (own !== null && theirs !== null && Math.abs(own - theirs) <= SAME_MEASURE * Math.max(1, Math.abs(own)))
    )
      continue;
    throw wrong(
      folder,
      `its answers give a ${measure} of ${own}, and result.json says ${theirs}.`,
      'Take it back as train.py wrote it.',
    );
  }
}

/** Returns the new run's number; nothing of it stays if anything fails. Throws StudioError. */
export async function takeBack(
  context: Context,
  projectId: number,
  chosen: string,
  handle: JobHandle,
): Promise<{ runId: number }> {
  const { database, home, presence } = context;
  handle.progress(0, 3, 'Reading the result');
  const read = await readResult(resolve(chosen));
  const { folder, result, setup, hash } = read;
  const twin = (await runs.listRuns(database, projectId)).find((run) => run.result?.elsewhere?.result === hash);
  if (twin)
    throw new StudioError('conflict', `This result is here already, as run ${twin.id}.`, 'Delete that run first.', {
      run: twin.id,
    });
  const dataset = await sameRows(context, projectId, setup);
  const { plan, modelId, trainable } = await planOf(context, projectId, read, dataset);
  throwIfAborted(handle.signal);
  const answers =
    result.test && plan.readTest ? await answersOf(context, dataset, plan, result.test.logits, folder) : null;
  if (answers && result.test) requireSame(folder, answers, result.test.scores);
  const course = courseOf(read);
  const work = await mkdtemp(join(await presence.workFolder(), 'back-'));
  try {
    handle.progress(1, 3, 'Reading the parameters and answering test rows with them');
    const proof = await provedParameters(
      context,
      { plan, modelId, dataset, trained: join(folder, 'trained'), work, answers },
      handle.signal,
    );
    handle.progress(2, 3, 'Storing the run');
    const trained = join(work, trainedFileName);
    const told = runResult(read, {
      validation: course.validation,
      test: answers?.scores ?? null,
      trainableParameters: trainable,
      totalParameters: await totalOf(context, plan, modelId, dataset),
      checkpointBytes: (await stat(trained)).size,
      proof,
    });
    const names = namesOf(plan);
    const runId = await database.transaction(async (sql) => {
      const ended = now();
      const id = await runs.insertRun(sql, {
        projectId,
        modelId,
        datasetId: dataset.id,
        plan,
        initFolder: null,
        methodName: names.methodName,
        setting: [names.setting, 'trained elsewhere'].filter(Boolean).join(', '),
        createdAt: ended,
        worker: null,
      });
      await runs.updateRun(sql, id, {
        state: 'finished',
        step: told.steps,
        totalSteps: told.steps,
        startedAt: ended,
        endedAt: ended,
        validation: told.validation,
        result: told,
      });
      await metrics.restoreHistory(sql, id, { ...course.history, stages: [], log: logOf(read, plan, ended) });
      if (answers) await metrics.insertOutcomes(sql, id, answers.outcomes);
      await mkdir(runFolder(home, id), { recursive: true });
      await rename(trained, join(runFolder(home, id), trainedFileName));
      return id;
    });
    const run: Run = await runs.getRun(database, runId);
    context.emit('run', run);
    changed(context, 'projects');
    return { runId };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Numbers of the whole model with what was added to it. */
async function totalOf(context: Context, plan: Plan, modelId: number, dataset: Dataset): Promise<number> {
  const model = await openModel((await models.getModel(context.database, modelId)).folder);
  const objective = plannedObjective(learnedObjective(plan, dataset));
  return planParameters({ model, method: plan.method, objective, steps: 0 }).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}

type Known = Pick<RunResult, 'test' | 'validation' | 'trainableParameters' | 'totalParameters' | 'checkpointBytes'> & {
  readonly proof: NonNullable<RunResult['elsewhere']>['proof'];
};

function runResult({ result, hash }: Read, { proof, ...known }: Known): RunResult {
  return {
    ...known,
    bestStep: result.bestStep,
    steps: result.steps.length,
    stoppedEarly: result.stoppedEarly,
    // Not measured on this computer.
    secondsPerStep: null,
    tokensPerSecond: null,
    peakMemoryBytes: null,
    optimizerBytes: null,
    trainingSeconds: null,
    elsewhere: {
      device: result.device,
      processes: result.processes,
      precision: result.precision,
      versions: result.versions,
      secondsPerStep: result.secondsPerStep,
      trainingSeconds: result.trainingSeconds,
      peakMemoryBytes: result.peakMemoryBytes,
      result: hash,
      proof,
    },
  };
}

const courseSchema = z.object({ steps: z.array(stepMetricSchema), validations: z.array(validationMetricSchema) });

/** Steps and validations as a run here has them. @throws StudioError 'bad-file' where they are none */
function courseOf({ folder, result, setup }: Read): {
  readonly history: z.output<typeof courseSchema>;
  readonly validation: Scores | null;
} {
  const course = courseSchema.safeParse({
    steps: result.steps.map((step) => ({ ...step, tokensPerSecond: 0, memoryBytes: 0 })),
    validations: result.validations.map((scores) => ({ ...scores, objective: setup.objective })),
  });
  if (!course.success) throw unreadable(folder, 'result.json', course.error);
  const best = course.data.validations.findLast(({ best: is }) => is);
  return { history: course.data, validation: best ? scoresSchema.parse(best) : null };
}

function logOf({ result }: Read, plan: Plan, time: string) {
  const versions = Object.entries(result.versions).map(([name, version]) => `${name} ${version}`);
  const message = `Trained elsewhere: on ${result.device}, ${result.processes} ${result.processes === 1 ? 'process' : 'processes'}, by ${versions.join(', ')}; seed ${plan.training.seed}.`;
  return [{ time, level: 'plan', message }];
}
