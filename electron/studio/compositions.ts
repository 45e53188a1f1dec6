/** Compositions: finished adapters made into one, as a run that starts from them and, being whole, takes no steps. */
import { basename, resolve } from 'node:path';
import type { CallRequest, Handlers } from '../contract/calls.js';
import type { BaseModel, Dataset, Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { labelsIn } from '../contract/learned.js';
import { objectiveTable, taskTable, type Objective } from '../contract/objectives.js';
import { problemOf } from '../contract/problem-of.js';
import type { Composition, MethodOptions, Plan } from '../contract/plan.js';
import {
  composedMethod,
  keptMethod,
  listMethods,
  openModel,
  planParameters,
  searchesWording,
  validateMethod,
  type AdapterShape,
  type BaseModelInfo,
} from '../engine/index.js';
import { isHead, loadAdapter } from '../interchange/index.js';
import { datasets, runs } from '../storage/index.js';
import type { TrainTask } from '../trainer/protocol.js';
import { standsOn } from './bases.js';
import { runFolder, type Context } from './context.js';
import { answersByHead, learnedObjective, plannedObjective } from './objective.js';
import { namesOf, namesParts } from './plan.js';
import { requireFinished } from './served.js';

export type CompositionCalls = Pick<Handlers, 'compositions.check' | 'compositions.start'>;
type Request = CallRequest<'compositions.check'>;

interface Part {
  readonly shape: AdapterShape & { readonly name: string };
  readonly from: number | string;
  /** "LoRA, r 8, query value, seed 1". */
  readonly title: string;
  /** Of the head, in order; null where an exported folder does not say. */
  readonly labels: readonly string[] | null;
  /** What the head is for; null where an exported folder does not say. */
  readonly objective: Objective | null;
}

const refuse = (message: string, hint: string) =>
  new StudioError('bad-input', message, hint, { path: 'composition.parts' });

const searchedOnly = (what: string) =>
  refuse(
    `${what} searched for a wording and trained no adapter.`,
    'Write its wording into the template of the others’ label words instead.',
  );

/** A run of this project that may be part of a composition on a base. Throws StudioError with the reason where it may not. */
async function partOfRun(context: Context, projectId: number, id: number, model: BaseModel, info: BaseModelInfo) {
  const run = await runs.getRun(context.database, id);
  if (run.projectId !== projectId)
    throw refuse(
      `Run ${id} belongs to another project.`,
      'Choose runs of this project, or export it and name the folder.',
    );
  requireFinished(run);
  if (searchesWording(run.plan.method)) throw searchedOnly(`Run ${id}`);
  if (run.modelId !== model.id)
    throw refuse(
      `Run ${id} stands on ${run.modelName}, not on ${model.name}.`,
      'Compose adapters of one base model only: their numbers mean nothing on another.',
    );
  const former = await standsOn(context, run);
  if (former)
    throw refuse(
      `Run ${id} stands on the result of run ${former.id}, not on ${model.name} alone.`,
      'Compose runs of first rounds, or export it merged and add that folder as a base model.',
    );
  const dataset = await datasets.getDataset(context.database, run.datasetId);
  const objective = learnedObjective(run.plan, dataset);
  const method = keptMethod(run.plan.method);
  const planned = planParameters({ model: info, method, objective: plannedObjective(objective), steps: 0 });
  const parameters = new Map(
    planned.filter(({ trainable, part }) => trainable || part === 'added').map((it) => [it.name, it]),
  );
  return {
    method,
    parameters,
    labels: labelsIn(objective),
    objective: run.plan.objective,
    title: `${run.methodName}, ${run.setting}, seed ${run.seed}`,
    name: `run ${id}`,
  };
}

async function partOfFolder(folder: string, info: BaseModelInfo) {
  const { kind, method, parameters, labels, problem, wording } = await loadAdapter(resolve(folder), info);
  if (wording !== undefined) throw searchedOnly(folder);
  if (kind === 'merged')
    throw refuse(
      `${folder} is a whole model, not an adapter.`,
      'Add it as a base model, or name the folder of an exported adapter.',
    );
  const objective: Objective | null = problem ?? (labels === null ? null : 'classification');
  return { method, parameters, labels, objective, title: basename(folder), name: basename(folder) };
}

async function findPart(
  context: Context,
  projectId: number,
  { from, weight }: { readonly from: number | string; readonly weight: number },
  model: BaseModel,
  info: BaseModelInfo,
): Promise<Part> {
  const { labels, objective, title, ...shape } =
    typeof from === 'number' ? await partOfRun(context, projectId, from, model, info) : await partOfFolder(from, info);
  return { shape: { ...shape, weight }, from, title, labels, objective };
}

/** Throws StudioError where one of these has no head, or one that answers something else than the data set asks for. */
function requireHeads(
  parts: readonly Part[],
  { dataset, asked, info }: { readonly dataset: Dataset; readonly asked: Objective; readonly info: BaseModelInfo },
): void {
  const without = parts.find(({ shape }) => ![...shape.parameters.keys()].some((name) => isHead(info, name)));
  if (without)
    throw refuse(
      `${sentence(without.shape.name)} has no head: it answers by label words, or writes.`,
      'Take the head of another part, or compose without: with a verbalizer, or as a model that writes.',
    );
  const strange = parts.find(({ objective }) => objective !== null && objective !== asked);
  if (strange)
    throw refuse(
      `The head of ${strange.shape.name} has learned ${strange.objective}, the plan's is to learn ${asked}.`,
      'Take the head of a run on this data set.',
    );
  const other = parts.find(({ labels }) => labels !== null && labels.join('\0') !== dataset.labels.join('\0'));
  if (other)
    throw refuse(
      `The head of ${other.shape.name} tells ${listed(other.labels ?? [])} apart, the data set ${dataset.name} ${listed(dataset.labels)}.`,
      'Take the head of a run on this data set.',
    );
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const listed = (labels: readonly string[]) => (labels.length > 6 ? `${labels.length} labels` : labels.join(', '));

/** A part without its head, for what answers without. */
const headless = (part: Part, info: BaseModelInfo): Part => ({
  ...part,
  shape: {
    ...part.shape,
    parameters: new Map([...part.shape.parameters].filter(([name]) => !isHead(info, name))),
  },
});

/** Whose head a composition has: null for the mean of all, or for one that is trained anew. */
function headOf({ kind, head, parts }: Composition): number | null {
  switch (kind) {
    case 'average':
      return head;
    case 'add':
      return head ?? 0;
    case 'stack':
      return head ?? parts.length - 1;
    case 'fusion':
      return null;
  }
}

/** A composition that a plan says, or that its method's adapters name. */
function statedComposition({ method, composition }: Plan): Composition | null {
  if (composition) return composition;
  if (!namesParts(method)) return null;
  const { type } = method;
  if (type !== 'stack' && type !== 'fusion') return null;
  const parts = method.adapters.map((from) => ({ from, weight: 1, name: '' }));
  return { kind: type, how: 'cat', head: null, parts };
}

/**
 * A plan whose composition is looked up: its method follows from the parts, which are named as they are now.
 * Throws StudioError or EngineError 'bad-input', 'not-found' or 'conflict' with the reason where the parts do not fit.
 */
export async function composedPlan(
  context: Context,
  projectId: number,
  plan: Plan,
  model: BaseModel,
  dataset: Dataset,
): Promise<Plan> {
  const stated = statedComposition(plan);
  if (stated === null) return plan;
  const info = await openModel(model.folder);
  const byHead = answersByHead(plan);
  const parts: Part[] = [];
  for (const part of stated.parts) {
    const found = await findPart(context, projectId, part, model, info);
    parts.push(byHead ? found : headless(found, info));
  }
  const head = headOf(stated);
  const heads = stated.kind === 'fusion' || !byHead ? [] : head === null ? parts : parts.slice(head, head + 1);
  requireHeads(heads, { dataset, asked: plan.objective, info });
  const method = composedMethod(
    { kind: stated.kind, how: stated.how, options: plan.method, ...(head === null ? {} : { head }) },
    parts.map(({ shape }) => shape),
    (name) => isHead(info, name),
  );
  return {
    ...plan,
    method: validateMethod(method),
    composition: {
      ...stated,
      head,
      parts: parts.map(({ from, title, shape }) => ({ from, weight: shape.weight, name: title })),
    },
  };
}

/** The composition as the trainer takes it; nothing for other plans. */
export async function compositionOf(
  context: Context,
  { composition }: Pick<Plan, 'composition'>,
): Promise<Pick<TrainTask, 'composition'>> {
  if (!composition) return {};
  const { kind, how, head } = composition;
  const parts = [];
  for (const { from, weight } of composition.parts)
    parts.push(
      typeof from === 'number'
        ? {
            name: `run ${from}`,
            folder: runFolder(context.home, from),
            method: (await runs.getRun(context.database, from)).plan.method,
            weight,
          }
        : { name: basename(from), folder: resolve(from), method: null, weight },
    );
  return { composition: { kind, how, head, parts } };
}

/** Why a run may not go yet: another one that is made of it has not read it. */
export async function usedBy(context: Context, { id, projectId }: Run): Promise<{ blocked?: string }> {
  const waiting = (await runs.listRuns(context.database, projectId)).find(
    ({ plan, state, step }) =>
      plan.composition?.parts.some(({ from }) => from === id) &&
      step === 0 &&
      !['finished', 'cancelled', 'failed'].includes(state),
  );
  return waiting ? { blocked: `Run ${waiting.id}, which is made of it, has not read it yet.` } : {};
}

/** The run whose plan a composition takes over: the one whose head it has, or the first. */
async function leadingRun(context: Context, { parts, head, kind }: Request): Promise<Run | null> {
  const ids = parts.flatMap(({ from }) => (typeof from === 'number' ? [from] : []));
  const own = kind === 'stack' ? ids.at(-1) : ids[0];
  const id = typeof head === 'number' ? head : own;
  return id === undefined ? null : runs.getRun(context.database, id);
}

async function planOf(context: Context, request: Request): Promise<Plan> {
  const { projectId, kind, how, parts, head, top, data, training } = request;
  const lead = await leadingRun(context, request);
  if (!lead)
    throw refuse(
      'At least one part has to be a run of this project.',
      'Choose a finished run for the base and the data.',
    );
  const at = head === null ? null : parts.findIndex(({ from }) => from === head);
  if (at === -1)
    throw refuse(
      `The head is to come from ${typeof head === 'number' ? `run ${head}` : String(head)}, which is no part of the composition.`,
      'Choose one of the parts.',
    );
  const sets = await datasets.listDatasets(context.database, projectId);
  const dataset = data === null ? sets.find(({ id }) => id === lead.datasetId) : sets.find(({ name }) => name === data);
  if (!dataset)
    throw new StudioError('not-found', `data: the project has no data set "${data ?? lead.datasetName}".`, null, {
      path: 'data',
    });
  const goesOn = objectiveTable[lead.plan.objective].task === dataset.task;
  const method: MethodOptions = { type: kind, ...(kind === 'stack' ? { top } : {}) };
  const trains = kind === 'fusion' || top !== null;
  const rate = listMethods().find(({ type }) => type === (top ?? method).type)?.learningRate;
  return {
    model: lead.modelName,
    data: dataset.name,
    objective: goesOn ? lead.plan.objective : taskTable[dataset.task].objective,
    verbalizer: goesOn ? wordsFor(lead.plan.verbalizer, dataset) : null,
    method,
    composition: { kind, how, head: at, parts: parts.map((part) => ({ ...part, name: '' })) },
    training: {
      ...lead.plan.training,
      maxSteps: trains || training.epochs !== undefined ? null : 0,
      ...(trains && rate !== undefined ? { learningRate: rate } : {}),
      ...Object.fromEntries(Object.entries(training).filter(([, value]) => value !== undefined)),
    },
    readTest: true,
    device: lead.plan.device,
  };
}

/** Label words on a data set that may have other labels: those that it lacks are left out. */
const wordsFor = (verbalizer: Plan['verbalizer'], { labels }: Dataset): Plan['verbalizer'] =>
  verbalizer && {
    ...verbalizer,
    words: Object.fromEntries(Object.entries(verbalizer.words).filter(([label]) => labels.includes(label))),
  };

interface Resolved {
  readonly plan: Plan;
  /** Numbers that a finished run of it keeps. */
  readonly kept: number;
}

/** @param resolvePlan checks a plan and looks up what it names; `start` makes its runs and puts them in the queue */
export function compositionCalls(
  context: Context,
  resolvePlan: (projectId: number, value: unknown) => Promise<Resolved>,
  start: (projectId: number, plans: readonly unknown[], initFolder: string | null) => Promise<Run[]>,
): CompositionCalls {
  return {
    'compositions.check': async (request) => {
      try {
        const { plan, kept } = await resolvePlan(request.projectId, await planOf(context, request));
        return {
          possible: true,
          reason: null,
          hint: null,
          ...namesOf(plan),
          datasetName: plan.data,
          parameters: kept,
          trains: plan.training.maxSteps !== 0,
        };
      } catch (error) {
        const { code, message, hint } = problemOf(error);
        if (code === 'internal') throw error;
        const nothing = { methodName: '', setting: '', datasetName: null, parameters: 0, trains: false };
        return { possible: false, reason: message, hint, ...nothing };
      }
    },
    'compositions.start': async (request) => {
      const [run] = await start(request.projectId, [await planOf(context, request)], null);
      if (!run) throw new StudioError('internal', 'The composition made no run.');
      return run;
    },
  };
}
