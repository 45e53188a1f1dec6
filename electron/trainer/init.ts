/** Start values from a folder: a finished run's, an exported adapter, or a merged model. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import {
  describeHead,
  planParameters,
  validateMethod,
  type BaseModelInfo,
  type NamedTensors,
  type ObjectiveSpec,
  type ParameterPlan,
  type Tensor,
} from '../engine/index.js';
import { loadAdapter } from '../interchange/index.js';
import { readHashed } from './checkpoint.js';
import { composedParameters } from './compose.js';
import { marks, trainedFileName, type TrainTask } from './protocol.js';
import type { Learning } from './learning.js';
import { formerValues } from './refine.js';

export interface Start {
  readonly parameters: NamedTensors;
  /** What the user should know about how the start was taken. */
  readonly notes: readonly string[];
}

/** Options that change what an adapter computes; dropout may differ between two trainings. */
const sameOptions = ['rank', 'alpha', 'placement', 'reductionFactor', 'activation', 'numVirtualTokens'];

/**
 * Reads the values that the task's trainable parameters start from; none without a folder to start from.
 * A head for other labels is left out (the run gets a fresh one); whatever else does not fit is refused.
 * @throws StudioError `bad-input` for other options or, of a merged folder, base weights that this method would not train
 */
export async function startValues(
  task: TrainTask,
  model: BaseModelInfo,
  { objective }: Pick<Learning, 'objective'>,
): Promise<Start> {
  if (task.composition) return { parameters: await composedParameters(task, task.composition, model), notes: [] };
  const folder = task.initFolder;
  if (folder === null && !task.refinement) return { parameters: new Map(), notes: [] };
  const plan = planParameters({
    model,
    method: task.method,
    objective,
  });
  const { labels: own, byHead } = headOf(objective);
  const labels = own && JSON.stringify(own);
  /** Is a head of that objective and those labels, as JSON, one for this run? */
  const sameHead = (type: string | undefined, theirs: string | null | undefined) =>
    !byHead || ((type ?? 'classification') === objective.type && (labels === null || theirs === labels));
  const fits = (parameters: NamedTensors, sameLabels: boolean) =>
    !byHead ? withoutHead(parameters, model) : withFittingHead(parameters, plan, sameLabels);
  if (task.refinement) {
    const former = await formerValues(task.refinement, plan, model);
    return fits(former.parameters, former.objective !== null && sameHead(former.objective, former.labels));
  }
  if (folder === null) return { parameters: new Map(), notes: [] };
  const ownFile = join(folder, trainedFileName);
  if (await isFile(ownFile)) {
    const { tensors, metadata } = await readHashed(ownFile);
    return fits(tensors, sameHead(metadata.objective, metadata.labels));
  }
  const loaded = await loadAdapter(folder, model);
  // What a folder does not say is taken to fit; shapes are checked in any case.
  const sameLabels = sameHead(
    loaded.problem ?? (loaded.labels === null || marks(objective) ? objective.type : 'classification'),
    loaded.labels === null ? labels : JSON.stringify(loaded.labels),
  );
  if (loaded.wording !== undefined)
    throw new StudioError(
      'bad-input',
      `${folder} holds a wording and nothing that was trained.`,
      `Start from it with "method": {"type": "prompt-search", "initText": ${JSON.stringify(loaded.wording)}}.`,
      { field: 'method.initText', folder },
    );
  if (loaded.kind !== 'merged') {
    checkOptions(folder, loaded.method, validateMethod(task.method));
    return fits(loaded.parameters, sameLabels);
  }
  const trained = new Set(plan.filter(({ trainable }) => trainable).map(({ name }) => name));
  if (plan.some(({ trainable, part }) => part === 'base' && !trainable))
    await checkFrozen(folder, task, model, loaded.parameters, trained);
  return fits(new Map([...loaded.parameters].filter(([name]) => trained.has(name))), sameLabels);
}

/** The labels of an objective's head, and whether it has one. */
function headOf(objective: ObjectiveSpec): { readonly labels: readonly string[] | null; readonly byHead: boolean } {
  switch (objective.type) {
    case 'classification':
      return { labels: objective.labels, byHead: !objective.verbalizer };
    case 'multi-label':
    case 'token-classification':
      return { labels: objective.labels, byHead: true };
    case 'regression':
    case 'question-answering':
      return { labels: null, byHead: true };
    case 'causal-lm':
    case 'masked-lm':
      return { labels: null, byHead: false };
  }
}

/** A language model, and a verbalizer, have no use for the head of the start. */
function withoutHead(parameters: NamedTensors, model: BaseModelInfo): Start {
  const { modules } = describeHead(model);
  const kept = [...parameters].filter(([name]) => !modules.some((module) => name.startsWith(`${module}.`)));
  const notes =
    kept.length < parameters.size ? ['The start has a head, which this run has no use for and leaves out.'] : [];
  return { parameters: new Map(kept), notes };
}

function withFittingHead(parameters: NamedTensors, plan: readonly ParameterPlan[], sameLabels: boolean): Start {
  if (sameLabels) return { parameters, notes: [] };
  const head = new Set(plan.filter(({ part }) => part === 'head').map(({ name }) => name));
  const kept = [...parameters].filter(([name]) => !head.has(name));
  const notes =
    kept.length < parameters.size
      ? ['The start has a head for other labels, or for another task; this run gets a fresh head.']
      : ['The start has no head; this run gets a fresh one.'];
  return { parameters: new Map(kept), notes };
}

function checkOptions(
  folder: string,
  theirs: Readonly<Record<string, unknown>>,
  ours: Readonly<Record<string, unknown>>,
): void {
  for (const key of ['type', ...sameOptions]) {
    if (theirs[key] === undefined || ours[key] === undefined || theirs[key] === ours[key]) continue;
    throw new StudioError(
      'bad-input',
      `method.${key} is ${String(ours[key])}, but ${folder} was trained with ${String(theirs[key])}.`,
      `Set method.${key} to ${String(theirs[key])}, or start without this folder.`,
      { field: `method.${key}`, folder },
    );
  }
}

/** A merged folder's weights that stay frozen here must be the base's own, or the run would stand on a base it does not name. */
async function checkFrozen(
  folder: string,
  task: TrainTask,
  model: BaseModelInfo,
  merged: NamedTensors,
  trained: ReadonlySet<string>,
): Promise<void> {
  const base = (await loadAdapter(task.modelFolder, model)).parameters;
  for (const [name, tensor] of base) {
    const other = merged.get(name);
    if (trained.has(name) || other === undefined || equal(tensor, other)) continue;
    throw new StudioError(
      'bad-input',
      `${folder} holds a changed ${name}, which method "${task.method.type}" does not train.`,
      'Add the folder as a base model of its own and train on that, or choose full fine-tuning.',
      { folder, tensor: name },
    );
  }
}

/** float16 bases are merged in float32, so values are equal exactly or not at all. */
const equal = (left: Tensor, right: Tensor) =>
  left.data.length === right.data.length && left.data.every((value, index) => Object.is(value, right.data[index]));

const isFile = (path: string) =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
