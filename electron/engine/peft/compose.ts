/**
 * Adapters made of others, without training: LoRAs added and subtracted (task arithmetic, Ilharco et al. 2023, arXiv:2212.04089),
 * adapters of any one kind averaged, and finished adapters put into a method that takes several (stack, fusion). Results are
 * methods and tensors like those of a run.
 */
import { EngineError } from '../errors.js';
import type { MethodSpec, NamedTensors, Tensor } from '../types.js';
import { below, beside, mapped } from './arithmetic.js';
import { chooseMethod } from './choose.js';
import { isLoraPart, loraPairs, loraScale, type LoraPair } from './lora.js';
import { markedParts } from './parts.js';

/** An adapter as it is planned: nothing is read to know whether it fits. */
export interface AdapterShape {
  readonly method: MethodSpec;
  /** All tensors of the run, the head's included. */
  readonly parameters: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  /** Below zero subtracts; `stack` and `fusion` leave it out of account. */
  readonly weight: number;
  /** How messages call it: "run 12"; left out: "adapter 2". */
  readonly name?: string;
}

export interface WeightedAdapter extends AdapterShape {
  readonly parameters: NamedTensors;
}

export interface ComposedAdapter {
  readonly method: MethodSpec;
  readonly parameters: NamedTensors;
}

/** Ways to make one adapter of several. */
export type CompositionKind = 'average' | 'add' | 'stack' | 'fusion';

export interface CompositionSpec {
  readonly kind: CompositionKind;
  /**
   * Of `add`: `cat` is exact and as wide as all together; `linear` adds A and B each by itself, which keeps the rank and is not the
   * sum of the updates. Both as Hugging Face peft's add_weighted_adapter. Left out: cat.
   */
  readonly how?: 'cat' | 'linear';
  /** The adapter whose head is taken; left out: of `average` the mean of all, of the others the first one's. */
  readonly head?: number;
  /** Other options of a method that takes finished adapters by its own (`stack`, `fusion`). */
  readonly options?: Readonly<Record<string, unknown>>;
}

const refuse = (message: string, hint: string | null) => new EngineError('bad-input', message, hint);
const nameOf = (part: AdapterShape, index: number) => part.name ?? `adapter ${index + 1}`;
const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function checkWeights(parts: readonly AdapterShape[]): AdapterShape {
  const [first] = parts;
  if (!first) throw refuse('There is nothing to compose.', 'Name at least one adapter.');
  const bad = parts.find(({ weight }) => !Number.isFinite(weight) || weight === 0);
  if (bad) throw refuse(`A weight of ${bad.weight} is not possible.`, 'Use a number other than 0; below 0 subtracts.');
  return first;
}

function requireHead(parts: readonly AdapterShape[], head: number): void {
  if (!parts[head]) throw refuse(`There is no adapter ${head + 1} to take the head from.`, null);
}

/** Throws EngineError 'bad-input' where two adapters do not have the same tensors of the same shapes; `names`: which to look at. */
function requireAlike(parts: readonly AdapterShape[], names: (name: string) => boolean, hint: string): void {
  const [first, ...others] = parts.map(
    ({ parameters }) => new Map([...parameters].filter(([name]) => names(name)).map(([name, t]) => [name, t.shape])),
  );
  for (const [index, other] of others.entries()) {
    const odd = [...(first ?? []), ...other].find(([name]) => first?.get(name)?.join() !== other.get(name)?.join());
    if (!odd) continue;
    const words = (shape: readonly number[] | undefined) => (shape ? `is [${shape.join(', ')}]` : 'is missing');
    throw refuse(
      `${odd[0]} ${words(first?.get(odd[0]))} in ${nameOf(parts[0] as AdapterShape, 0)} and ${words(other.get(odd[0]))} in ${nameOf(parts[index + 1] as AdapterShape, index + 1)}.`,
      hint,
    );
  }
}

const ofOneKind = 'Compose adapters of one base, one method and the same options.';

/** Σ wᵢ·xᵢ of tensors of one shape. */
function weightedSum(tensors: readonly Tensor[], weights: readonly number[]): Tensor {
  const [first] = tensors as [Tensor];
  const sums = new Float64Array(first.data.length);
  tensors.forEach(({ data }, index) => {
    const weight = weights[index] as number;
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + weight * (data[i] as number);
  });
  return { shape: first.shape, data: Float32Array.from(sums) };
}

/** Width of each LoRA's update: what `cat` adds up. */
function rankOf({ parameters }: AdapterShape): number {
  const down = (end: string) => [...parameters].find(([name]) => name.endsWith(end))?.[1].shape[0] ?? 0;
  return down('.lora_A.weight') + down('.pissa_A.weight');
}

/** The method of LoRAs that are added. Throws EngineError 'bad-input' where they cannot be. */
function addedLora(parts: readonly AdapterShape[], how: 'cat' | 'linear'): MethodSpec {
  const first = checkWeights(parts);
  const modulesOf = ({ parameters }: AdapterShape) =>
    [...parameters.keys()].flatMap((name) => /^(.*)\.lora_A\.weight$/.exec(name)?.[1] ?? []);
  for (const [index, part] of parts.entries()) {
    if (part.method.type !== 'lora')
      throw refuse(
        `${sentence(nameOf(part, index))}: "${part.method.type}" adds no low-rank update of the plain kind.`,
        'Add LoRAs, or average adapters.',
      );
    if ([...part.parameters.keys()].some((name) => name.endsWith('.lora_magnitude_vector')))
      throw refuse(
        `${sentence(nameOf(part, index))}: DoRA measures lengths, which do not add up.`,
        'Merge it, or train LoRA without DoRA.',
      );
    const [modules, own] = [modulesOf(first), modulesOf(part)];
    const odd = modules.find((module) => !own.includes(module)) ?? own.find((module) => !modules.includes(module));
    if (odd !== undefined)
      throw refuse(
        `${sentence(nameOf(part, index))} and ${nameOf(first, 0)} do not both act on ${odd}.`,
        'Add LoRAs with the same target modules.',
      );
  }
  if (how === 'linear')
    requireAlike(parts, isLoraPart, 'For the linear way, add LoRAs of one rank; the exact way takes any.');
  const rank = how === 'linear' ? rankOf(first) : parts.reduce((sum, part) => sum + rankOf(part), 0);
  const { targetModules } = first.method;
  return { type: 'lora', rank, alpha: rank, ...(targetModules === undefined ? {} : { targetModules }) };
}

/** LoRAs added with weights: the update of each layer is Σ wᵢ·sᵢ·Bᵢ·Aᵢ. Task arithmetic: weight 1 adds a task, -1 takes it away. */
function addLoras(
  parts: readonly WeightedAdapter[],
  how: 'cat' | 'linear',
  others: (part: readonly WeightedAdapter[]) => NamedTensors,
): ComposedAdapter {
  const method = addedLora(parts, how);
  const loras = parts.map((part) => ({
    pairs: loraPairs(part.parameters),
    // Weight times the adapter's own scale.
    factor: part.weight * loraScale(part.method),
  }));
  const combine = how === 'cat' ? concatenated : summed;
  const parameters = others(parts);
  for (const module of loras[0]?.pairs.keys() ?? []) {
    const { down, up } = combine(
      loras.map(({ pairs, factor }) => ({ ...(pairs.get(module) as LoraPair), factor })),
      module,
    );
    parameters.set(`${module}.lora_A.weight`, down).set(`${module}.lora_B.weight`, up);
  }
  return { method, parameters };
}

type Factor = LoraPair & { readonly factor: number };

/** A: each scaled and one below the other; B side by side. Throws EngineError where the widths differ. */
function concatenated(factors: readonly Factor[], module: string): LoraPair {
  const [first, ...others] = factors.map(({ down, up, factor }) => ({
    down: mapped(down, (value) => factor * value),
    up,
  }));
  return others.reduce((all, one) => {
    if (all.down.shape[1] !== one.down.shape[1] || all.up.shape[0] !== one.up.shape[0])
      throw refuse(`The adapters are of bases of other widths at ${module}.`, 'Add LoRAs of one base.');
    return { down: below(all.down, one.down), up: beside(all.up, one.up) };
  }, first as LoraPair);
}

/** √|f| on each side, the sign on A. */
function summed(factors: readonly Factor[]): LoraPair {
  const root = factors.map(({ factor }) => Math.sqrt(Math.abs(factor)));
  const signed = root.map((value, i) => value * Math.sign((factors[i] as Factor).factor));
  return {
    down: weightedSum(
      factors.map(({ down }) => down),
      signed,
    ),
    up: weightedSum(
      factors.map(({ up }) => up),
      root,
    ),
  };
}

/** They matter to a training or its start only, or show in the tensors' names. */
const ofTraining = ['dropout', 'initialization', 'initText', 'targetModules'];

/** What an adapter computes by. */
function settingOf(spec: MethodSpec): string {
  const { method, options } = chooseMethod(spec);
  const entries = Object.entries(method.whole?.(options) ?? (options as MethodSpec));
  return JSON.stringify(Object.fromEntries(entries.filter(([key]) => !ofTraining.includes(key)).sort()));
}

/** Do two methods compute alike, so that one reads the other's values? */
export const sameSetting = (one: MethodSpec, other: MethodSpec): boolean => settingOf(one) === settingOf(other);

/** Throws EngineError 'bad-input' where an adapter computes by other options than the first one. */
function requireSameOptions(parts: readonly AdapterShape[]): void {
  const settings = parts.map(({ method }) => settingOf(method));
  const other = settings.findIndex((setting) => setting !== settings[0]);
  if (other > 0)
    throw refuse(
      `${sentence(nameOf(parts[other] as AdapterShape, other))} has other options than ${nameOf(parts[0] as AdapterShape, 0)}: ${settings[other]} against ${settings[0]}.`,
      'Average adapters of one method with the same options.',
    );
}

/** Weights brought to a sum of 1. Throws EngineError 'bad-input' where they add up to 0. */
function shares<T extends AdapterShape>(parts: readonly T[]): T[] {
  checkWeights(parts);
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) throw refuse('The weights add up to 0, so there is no average.', 'Use other weights.');
  return parts.map((part) => ({ ...part, weight: part.weight / total }));
}

/** Methods that take finished adapters by their options. */
const holds = (kind: CompositionKind): kind is 'stack' | 'fusion' => kind === 'stack' || kind === 'fusion';

/**
 * What a composition will be, from the shapes of its parts alone. `isHead`: is a tensor part of a task's head?
 * Throws EngineError 'bad-input' with the reason where these parts cannot be composed so.
 */
export function composedMethod(
  { kind, how = 'cat', head, options: more = {} }: CompositionSpec,
  parts: readonly AdapterShape[],
  isHead: (name: string) => boolean,
): MethodSpec {
  if (head !== undefined) requireHead(parts, head);
  if (holds(kind))
    return chooseMethod({ ...more, type: kind, adapters: parts.map((part) => part.method) }).options as MethodSpec;
  if (parts.length < 2)
    throw refuse('A composition needs at least two adapters.', 'Choose another one that has finished.');
  if (kind === 'add') return addedLora(parts, how);
  const [first] = shares(parts);
  if (head === undefined) requireAlike(parts, isHead, 'Say whose head to take: heads for other labels have no mean.');
  if (first?.method.type === 'lora') return addedLora(parts, 'cat');
  requireSameOptions(parts);
  requireAlike(parts, (name) => !isHead(name), ofOneKind);
  return chooseMethod((first as AdapterShape).method).options as MethodSpec;
}

/**
 * The composition with its tensors. Averages bring their weights to a sum of 1: of LoRAs they are those of their updates, of other
 * adapters those of each tensor, as AdapterHub's average_adapter. A fusion gets no head and no attention: these are trained.
 * Throws EngineError 'bad-input' as `composedMethod` does.
 */
export function composeAdapters(
  spec: CompositionSpec,
  parts: readonly WeightedAdapter[],
  isHead: (name: string) => boolean,
): ComposedAdapter {
  const method = composedMethod(spec, parts, isHead);
  const { kind, how = 'cat', head } = spec;
  const headOf = (index: number): NamedTensors =>
    new Map([...(parts[index] as WeightedAdapter).parameters].filter(([name]) => isHead(name)));
  const meanOf = (all: readonly WeightedAdapter[], names: (name: string) => boolean): NamedTensors =>
    new Map(
      [...(all[0] as WeightedAdapter).parameters.keys()].filter(names).map((name) => [
        name,
        weightedSum(
          all.map(({ parameters }) => parameters.get(name) as Tensor),
          all.map(({ weight }) => weight),
        ),
      ]),
    );
  if (holds(kind)) {
    const adapters = parts.map(({ parameters }, index) =>
      markedParts(new Map([...parameters].filter(([name]) => !isHead(name))), index),
    );
    const own = kind === 'fusion' ? new Map<string, Tensor>() : headOf(head ?? 0);
    return { method, parameters: new Map([...adapters.flatMap((tensors) => [...tensors]), ...own]) };
  }
  if (kind === 'add') return addLoras(parts, how, () => headOf(head ?? 0));
  const weighted = shares(parts);
  const heads = () => (head === undefined ? meanOf(weighted, isHead) : headOf(head));
  if (method.type === 'lora') return { ...addLoras(weighted, 'cat', heads), method };
  return { method, parameters: new Map([...meanOf(weighted, (name) => !isHead(name)), ...heads()]) };
}
