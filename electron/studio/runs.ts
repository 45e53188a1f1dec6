/** Runs: started, watched, stopped, resumed, deleted. */
import { searchSteps } from '../contract/applies.js';
import type { Handlers } from '../contract/calls.js';
import type { BaseModel, Dataset, Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { hasHead } from '../contract/objectives.js';
import type { Plan } from '../contract/plan.js';
import { verbalizerSchema, type FullVerbalizer } from '../contract/verbalizer.js';
import { completeVerbalizer, openTokenizer, openVerbalizer } from '../data/index.js';
import {
  isDecoder,
  openModel,
  planParameters,
  positionsOf,
  searchesWording,
  type BaseModelInfo,
  type ParameterPlan,
} from '../engine/index.js';
import { datasets, metrics, models, runs } from '../storage/index.js';
import { composedPlan, compositionCalls, usedBy, type CompositionCalls } from './compositions.js';
import { changed, now, runFolder, type Context } from './context.js';
import { bytesBelow, requireSpace } from './files.js';
import { learnedObjective, plannedObjective, usualObjective } from './objective.js';
import { expandMatrix, namesOf, parseMatrix, parsePlan } from './plan.js';
import type { RunQueue } from './queue.js';
import { forgetResult, refinedPlan, requireUnrefined, whyKept } from './refinements.js';
import { requireLanguage } from './watch.js';
import { removeWithFolders } from './removals.js';

type Group = CompositionCalls &
  Pick<
    Handlers,
    | 'runs.list'
    | 'runs.get'
    | 'runs.history'
    | 'runs.validations'
    | 'runs.start'
    | 'runs.startMatrix'
    | 'runs.pause'
    | 'runs.resume'
    | 'runs.cancel'
    | 'runs.removal'
    | 'runs.remove'
  >;

/** Throws StudioError 'not-found'. */
export async function modelNamed({ database }: Context, wanted: string): Promise<BaseModel> {
  const known = await models.listModels(database);
  const model = known.find(({ name, folder }) => name === wanted || folder === wanted);
  if (model) return model;
  throw new StudioError(
    'not-found',
    `model: there is no base model "${wanted}".`,
    `Known: ${known.map(({ name }) => name).join(', ')}. Add a folder first.`,
    { path: 'model' },
  );
}

/** Throws StudioError 'not-found'. */
export async function datasetNamed({ database }: Context, projectId: number, wanted: string): Promise<Dataset> {
  const sets = await datasets.listDatasets(database, projectId);
  const dataset = sets.find(({ name }) => name === wanted);
  if (dataset) return dataset;
  throw new StudioError(
    'not-found',
    `data: the project has no data set "${wanted}".`,
    sets.length ? `It has: ${sets.map(({ name }) => name).join(', ')}.` : 'Import data first.',
    { path: 'data' },
  );
}

interface Resolved {
  readonly plan: Plan;
  readonly modelId: number;
  readonly datasetId: number;
  readonly trainable: number;
  /** Numbers that a finished run keeps: what trains, and finished adapters that it is made of. */
  readonly kept: number;
}

/** A checked plan with its model and data found. Throws StudioError naming the key. */
export async function resolvePlan(context: Context, projectId: number, value: unknown): Promise<Resolved> {
  const asked = parsePlan(value);
  const model = await modelNamed(context, asked.model);
  const dataset = await datasetNamed(context, projectId, asked.data);
  const info = await openModel(model.folder);
  const stated = { ...asked, objective: asked.objective ?? usualObjective(info, dataset) };
  const composed = searching(await composedPlan(context, projectId, stated, model, dataset));
  const verbalizer =
    composed.verbalizer && dataset.task === 'classification'
      ? completeVerbalizer(composed.verbalizer, factsOf(info, dataset, composed))
      : composed.verbalizer;
  const objective = learnedObjective({ ...composed, verbalizer }, dataset);
  const { plan, base } =
    composed.refines === undefined
      ? { plan: composed, base: info }
      : await refinedPlan(
          context,
          projectId,
          { ...composed, refines: composed.refines },
          model,
          plannedObjective(objective),
        );
  const virtual = positionsOf(plan.method);
  const limit = model.maxLength - virtual;
  if (plan.training.maxLength > limit)
    throw new StudioError(
      'bad-input',
      `training.maxLength: ${model.name} takes at most ${model.maxLength} tokens${virtual > 0 ? `, ${virtual} of them virtual ones of this method` : ''}.`,
      limit >= 4 ? `Use ${limit} or less.` : 'Use fewer virtual tokens.',
      { path: 'training.maxLength', limit },
    );
  if (plan.watch) requireLanguage(info);
  if (!hasHead(plan.objective)) checkLanguage(plan);
  if (plan.objective !== 'classification') checkWithoutClasses(plan);
  if (objective.type === 'classification' && objective.verbalizer)
    await checkWords(base, objective.verbalizer, dataset);
  const parameters = planParameters({
    model: base,
    method: plan.method,
    objective: plannedObjective(objective),
    ...(plan.training.maxSteps === 0 ? { steps: 0 } : {}),
  });
  const count = (of: readonly ParameterPlan[]) =>
    of.reduce((sum, { shape }) => sum + shape.reduce((a, d) => a * d, 1), 0);
  return {
    plan: { ...plan, verbalizer },
    modelId: model.id,
    datasetId: dataset.id,
    trainable: count(parameters.filter(({ trainable }) => trainable)),
    kept: count(parameters.filter(({ trainable, part }) => trainable || part === 'added')),
  };
}

const factsOf = (model: BaseModelInfo, { labels, pairColumn }: Dataset, { method }: Pick<Plan, 'method'>) => ({
  labels,
  paired: pairColumn !== null,
  decoder: isDecoder(model),
  searched: searchesWording(method),
});

/** A search for a wording always answers by label words, and is validated often. */
function searching(plan: Plan): Plan {
  if (!searchesWording(plan.method)) return plan;
  const { training } = plan;
  if (plan.objective !== 'classification')
    throw new StudioError(
      'bad-input',
      'objective: prompt wording is searched for by how well labels are told apart.',
      'Set objective to "classification", on a data set with labels.',
      { path: 'objective' },
    );
  return {
    ...plan,
    verbalizer: plan.verbalizer ?? verbalizerSchema.parse({}),
    training: { ...training, validateEverySteps: training.validateEverySteps ?? searchSteps },
  };
}

/** Throws StudioError where the model's tokenizer cannot spell the words, before anything is queued. */
async function checkWords(model: BaseModelInfo, verbalizer: FullVerbalizer, { labels }: Dataset): Promise<void> {
  await openVerbalizer(await openTokenizer(model.folder, model), verbalizer, { labels, decoder: isDecoder(model) });
}

/** Refuses what means nothing without a head. */
function checkLanguage({ method }: Plan): void {
  if (method.type === 'head')
    throw new StudioError(
      'bad-input',
      'method.type: "head" trains a classifier on the frozen base; a language model has none, so nothing would train.',
      'Choose LoRA, prefix tuning or another method that changes the base, or full fine-tuning.',
      { path: 'method.type' },
    );
}

/** Refuses what means nothing where no row has one class. */
function checkWithoutClasses({ objective, training }: Plan): void {
  if (training.classWeights !== null)
    throw new StudioError(
      'bad-input',
      `training.classWeights: there are no classes with the objective ${objective}.`,
      'Leave it out.',
      { path: 'training.classWeights' },
    );
}

/** Parameters and two moments, two checkpoints and the best, and the final file. */
export const diskBytes = (trainable: number) => trainable * 4 * (2 * 3 + 2);

export function runCalls(context: Context, queue: RunQueue): Group {
  const { database } = context;

  async function start(projectId: number, plans: readonly unknown[], initFolder: string | null): Promise<Run[]> {
    const resolved: Resolved[] = [];
    for (const plan of plans) resolved.push(await resolvePlan(context, projectId, plan));
    await requireSpace(context.home, Math.max(...resolved.map(({ trainable }) => diskBytes(trainable))), 'The run');
    const ids = await database.transaction(async (sql) => {
      const made: number[] = [];
      for (const { plan, modelId, datasetId } of resolved)
        made.push(
          await runs.insertRun(sql, {
            projectId,
            modelId,
            datasetId,
            plan,
            initFolder,
            ...namesOf(plan),
            createdAt: now(),
            worker: context.presence.id,
          }),
        );
      return made;
    });
    const started = await Promise.all(ids.map((id) => runs.getRun(database, id)));
    for (const run of started) context.emit('run', run);
    changed(context, 'projects');
    queue.take(ids);
    return started;
  }

  const refuse = (run: Run, what: string) =>
    new StudioError(
      'conflict',
      `Run ${run.id} is ${run.state} and cannot be ${what}.`,
      run.state === 'finished' ? 'Start its plan again for another run.' : 'Wait until it has stopped.',
      { state: run.state },
    );

  async function whyBlocked(run: Run): Promise<{ blocked?: string }> {
    const kept = await whyKept(context, run);
    return kept === null ? usedBy(context, run) : { blocked: kept };
  }

  /** Throws StudioError 'conflict' for a run that another process trains or has in its queue. */
  async function requireOurs(run: Run): Promise<void> {
    if (!['queued', 'preparing', 'running'].includes(run.state)) return;
    const worker = await runs.workerOf(database, run.id);
    if (worker === null || worker === context.presence.id || !(await context.presence.isAlive(worker))) return;
    throw new StudioError(
      'conflict',
      `Run ${run.id} belongs to another PEFT Studio that is at work in this data folder (its window or a command).`,
      'Pause or cancel it there, or wait until it has ended.',
      { state: run.state },
    );
  }

  return {
    ...compositionCalls(context, (projectId, value) => resolvePlan(context, projectId, value), start),
    'runs.list': async ({ projectId }) => (await runs.listRuns(database, projectId)).map((run) => queue.decorate(run)),
    'runs.get': async ({ id }) => queue.decorate(await runs.getRun(database, id)),
    'runs.history': async ({ id, afterStep, points }) => {
      await runs.getRun(database, id);
      return metrics.readHistory(database, id, afterStep, points ?? null);
    },
    'runs.validations': async ({ id, points }) => {
      await runs.getRun(database, id);
      return metrics.readValidations(database, id, points);
    },
    'runs.start': ({ projectId, plans, initFolder }) => start(projectId, plans, initFolder),
    'runs.startMatrix': ({ projectId, matrix }) => start(projectId, expandMatrix(parseMatrix(matrix)), null),
    'runs.pause': async ({ id }) => {
      const run = await runs.getRun(database, id);
      await requireOurs(run);
      if (run.state === 'queued') return queue.change(id, { state: 'paused' });
      if (!queue.isActive(id)) throw refuse(run, 'paused');
      queue.ask(id, 'pause');
      return queue.decorate(run);
    },
    'runs.resume': async ({ id, device }) => {
      // How it ended must stand in the database before it can go on.
      await context.unwritten.retry();
      const run = await runs.getRun(database, id);
      await requireOurs(run);
      // A queued one may be left from a process that ended: whoever resumes it takes it up.
      if (!['queued', 'paused', 'interrupted', 'failed', 'cancelled'].includes(run.state)) throw refuse(run, 'resumed');
      if (device !== undefined) {
        // One that cannot train is refused now, and the run stays as it is.
        await context.devices.resolve(device);
        await runs.chooseDevice(database, id, device);
      }
      const resumed = await queue.change(id, { state: 'queued', problem: null });
      await queue.adopt([id]);
      return resumed;
    },
    'runs.cancel': async ({ id }) => {
      const run = await runs.getRun(database, id);
      if (queue.isActive(id)) {
        queue.ask(id, 'cancel');
        return queue.decorate(run);
      }
      await requireOurs(run);
      if (!['queued', 'paused', 'interrupted'].includes(run.state)) throw refuse(run, 'cancelled');
      return queue.change(id, { state: 'cancelled', endedAt: now() });
    },
    'runs.removal': async ({ id }) => {
      const run = await runs.getRun(database, id);
      const bytes = await bytesBelow(runFolder(context.home, id));
      return {
        title: `Delete run ${id}, ${run.methodName}, seed ${run.seed}?`,
        lines: [
          'Its settings, curves and test answers.',
          'Its trained parameters and checkpoints. Exported folders stay.',
        ],
        bytes,
        ...(await whyBlocked(run)),
      };
    },
    'runs.remove': async ({ id }) => {
      const run = await runs.getRun(database, id);
      if (queue.isActive(id)) throw new StudioError('conflict', `Run ${id} is under way.`, 'Cancel it first.');
      await requireOurs(run);
      await requireUnrefined(context, run);
      await removeWithFolders(context, [runFolder(context.home, id)], () => runs.deleteRun(database, id));
      await forgetResult(context, run);
      changed(context, 'runs', run.projectId);
      changed(context, 'projects');
      return { done: true };
    },
  };
}
