/** A trained method merged into its base: the plain model as one list of tensors. */
import { EngineError } from '../errors.js';
import { frozenBuilder, type Builder, type ParameterSpec } from '../models/builder.js';
import { internals } from '../models/folder.js';
import { architectureOf } from '../models/registry.js';
import type { TensorToWrite } from '../safetensors/index.js';
import { buildCheckpoint } from '../objectives/index.js';
import type { BaseModelInfo, MethodSpec, NamedTensors, ObjectiveSpec, Tensor } from '../types.js';
import { transposed } from './arithmetic.js';
import { chooseMethod } from './choose.js';
import type { MergeContext } from './method.js';

export interface HeadInfo {
  /** Class that transformers loads the classifier with: "BertForSequenceClassification". */
  readonly classifierClass: string;
  /** And its language model: "BertForMaskedLM". */
  readonly languageModelClass: string;
  /** Modules of the head, as the checkpoint names them. */
  readonly modules: readonly string[];
  /** Prefix of the base's tensors in a checkpoint with a head: "bert.". */
  readonly prefix: string;
}

/** How an architecture's classifier is called and named. */
export function describeHead(model: BaseModelInfo): HeadInfo {
  const { classifierClass, languageModelClass, headModules, prefix } = architectureOf(model.architecture);
  return { classifierClass, languageModelClass, modules: headModules, prefix };
}

/** The change that a method makes to one tensor, whatever way its checkpoint stores it; null leaves it as it is. */
type Change = (name: string, seen: Tensor) => Tensor | null;

/** The base's own parameters, in a model as an objective's checkpoint has it. */
function forward(model: BaseModelInfo, objective: ObjectiveSpec, widened: number): Builder {
  const { architecture, config: own } = internals(model);
  const config = { ...own, intermediateSize: own.intermediateSize + widened };
  const b = frozenBuilder();
  buildCheckpoint(b, { architecture, config }, objective);
  return b;
}

/** A tensor in its checkpoint's name, by `read` and changed when its turn comes. */
function changedTensor(
  b: Builder,
  { name, shape }: Pick<ParameterSpec, 'name' | 'shape'>,
  read: (name: string) => Promise<Tensor>,
  change: Change,
): TensorToWrite {
  const data = async () => {
    const stored = await read(name);
    // Methods see every weight as [out, in].
    const turned = b.transposed.has(name);
    const changed = change(name, turned ? transposed(stored) : stored);
    return (changed ? (turned ? transposed(changed) : changed) : stored).data;
  };
  return { name, shape, dtype: 'F32', data };
}

/** Every tensor of an objective's model. */
function changedTensors(
  model: BaseModelInfo,
  objective: ObjectiveSpec,
  has: (name: string) => boolean,
  read: (name: string) => Promise<Tensor>,
  change: Change,
  widened = 0,
): TensorToWrite[] {
  const b = forward(model, objective, widened);
  return [...b.parameters.values()].map((spec) => {
    if (!has(spec.name))
      throw new EngineError(
        'bad-model',
        `${model.folder}: the weights do not hold ${spec.name}, so the merged model would lack it.`,
        'Use a base model that holds it.',
        { folder: model.folder, tensor: spec.name },
      );
    return changedTensor(b, spec, read, change);
  });
}

/** What a method's merge gives for one tensor, and how many units it adds to each feed-forward layer. */
function mergeOf(model: BaseModelInfo, spec: MethodSpec, objective: ObjectiveSpec, trained: NamedTensors) {
  const { method, options } = chooseMethod(spec);
  const { architecture, read } = internals(model);
  const refusal = whyUnmergeable(model, spec);
  if (refusal !== null)
    throw new EngineError('bad-input', refusal, 'Export it in its own format or as ONNX.', { method: spec.type });
  return {
    read: async (name: string) => trained.get(name) ?? (await read(name)),
    change: (name: string, seen: Tensor) =>
      method.merge?.(name, seen, trained, options, { architecture, objective }) ?? null,
    widened: method.widens?.(options, contextOf(model)) ?? 0,
  };
}

/**
 * Every tensor of the model that an objective trains (of the language model, where a verbalizer answers) in checkpoint names, read
 * and merged when its turn comes, as float32.
 * Throws EngineError: 'bad-input' for a method that does not merge, 'bad-model' where neither the base nor the trained parameters hold a tensor.
 */
export function mergedTensors(
  model: BaseModelInfo,
  spec: MethodSpec,
  objective: ObjectiveSpec,
  trained: NamedTensors,
): TensorToWrite[] {
  const { read, change, widened } = mergeOf(model, spec, objective, trained);
  const { find } = internals(model);
  const has = (name: string) => trained.has(name) || find(name) !== undefined;
  return changedTensors(model, objective, has, read, change, widened);
}

/**
 * The base with a finished run's result in place, as float32: what a further round stands on. It holds all that the base's
 * checkpoint has of encoder and language model, and a language-model head that the run made. The task's head (with a pooler that the base
 * lacked) is left out, since it goes on by itself; `keepsHead`: the run trained none, so the checkpoint's own stays.
 * Throws EngineError 'bad-input' for a method that does not merge.
 */
export function refinedTensors(
  model: BaseModelInfo,
  spec: MethodSpec,
  trained: NamedTensors,
  keepsHead: boolean,
): TensorToWrite[] {
  const tasks = { language: { type: 'masked-lm' }, text: { type: 'classification', labels: ['0', '1'] } } as const;
  const { read, change, widened } = mergeOf(model, spec, keepsHead ? tasks.language : tasks.text, trained);
  const { architecture, find } = internals(model);
  const language = forward(model, tasks.language, widened);
  const classifier = forward(model, tasks.text, widened);
  const isHead = (name: string) => architecture.headModules.some((module) => name.startsWith(`${module}.`));
  const ofLanguage = [...language.parameters.values()]
    .filter(({ name }) => find(name) ?? trained.has(name))
    .map((spec) => changedTensor(language, spec, read, change));
  const ofClassifier = [...classifier.parameters.values()].flatMap((spec) => {
    const stored = find(spec.name);
    if (!stored || language.parameters.has(spec.name) || (isHead(spec.name) && !keepsHead)) return [];
    // The checkpoint's own head may be for any number of labels.
    return [changedTensor(classifier, { name: spec.name, shape: stored.shape }, read, change)];
  });
  return [...ofLanguage, ...ofClassifier];
}

/** The first parameter of a base's language model that its checkpoint does not hold; null where it holds them all. */
export function missingOfLanguageModel(model: BaseModelInfo): string | null {
  const { find } = internals(model);
  return [...forward(model, { type: 'masked-lm' }, 0).parameters.keys()].find((name) => !find(name)) ?? null;
}

const contextOf = (model: BaseModelInfo, below: ObjectiveSpec['type'] | null = null): MergeContext => {
  const { architecture, config } = internals(model);
  return { architecture, config, layers: model.layers, below };
};

/**
 * Why a method does not merge into this base; null: it does. `below`: the objective whose head goes on by itself, in a further round, above
 * the merged base. Throws EngineError 'bad-input' for options that are not valid.
 */
export function whyUnmergeable(
  model: BaseModelInfo,
  spec: MethodSpec,
  below: ObjectiveSpec['type'] | null = null,
): string | null {
  const { method, options } = chooseMethod(spec);
  return method.exports.includes('merged')
    ? (method.unmergeable?.(options, contextOf(model, below)) ?? null)
    : `${method.title} does not merge into the base's weights.`;
}

/** Keys of config.json that a merged model has otherwise than its base. */
export function mergedConfig(model: BaseModelInfo, spec: MethodSpec): Readonly<Record<string, number>> {
  const { method, options } = chooseMethod(spec);
  const { architecture, config } = internals(model);
  const units = method.widens?.(options, contextOf(model)) ?? 0;
  return architecture.feedForward && units > 0
    ? { [architecture.feedForward.sizeKey]: config.intermediateSize + units }
    : {};
}

/** A tensor of the base by the engine's name, however its checkpoint calls it. Throws EngineError where it holds none. */
export const baseTensor = (model: BaseModelInfo, name: string): Promise<Tensor> => internals(model).read(name);

/** Why a merged method cannot be taken out of the weights again; null: it can. Throws EngineError 'bad-input' for a method that does not merge. */
export function whyMergedForGood(spec: MethodSpec): string | null {
  const { method, options } = chooseMethod(spec);
  const way = method.undo?.(options);
  if (way === undefined) return `${method.title} puts its values in the place of the base's own, which are lost there.`;
  return typeof way === 'string' ? null : way.reason;
}

/**
 * The tensors of a merged model with the method taken out again: those of the base but for rounding, under the trained head.
 * `merged` gives the merged values by checkpoint names.
 * Throws EngineError 'bad-input' where `whyMergedForGood` says why.
 */
export function unmergedTensors(
  model: BaseModelInfo,
  spec: MethodSpec,
  objective: ObjectiveSpec,
  trained: NamedTensors,
  merged: (name: string) => Promise<Tensor>,
): TensorToWrite[] {
  const { method, options } = chooseMethod(spec);
  const reason = whyMergedForGood(spec);
  if (reason !== null) throw new EngineError('bad-input', reason, 'Keep the base model.', { method: spec.type });
  const { architecture } = internals(model);
  const divides = method.undo?.(options) === 'factor';
  const made = (name: string, { shape, data }: Tensor) =>
    method.merge?.(name, { shape, data: new Float32Array(data.length).fill(divides ? 1 : 0) }, trained, options, {
      architecture,
      objective,
    });
  return changedTensors(
    model,
    objective,
    () => true,
    merged,
    (name, seen) => {
      const change = made(name, seen);
      if (!change) return null;
      const data = seen.data.map((value, i) =>
        divides ? value / (change.data[i] as number) : value - (change.data[i] as number),
      );
      return { shape: seen.shape, data };
    },
  );
}
