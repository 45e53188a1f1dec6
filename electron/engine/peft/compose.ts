/**
 * Adapters made of others, without training: LoRAs added and subtracted (task arithmetic, Ilharco et al. 2023, arXiv:2212.04089),
 * and adapters of any one kind averaged. Results are methods and tensors like those of a run.
 */
import { EngineError } from '../errors.js';
import type { MethodSpec, NamedTensors, Tensor } from '../types.js';
import { below, beside, mapped } from './arithmetic.js';
import { chooseMethod } from './index.js';
import { loraPairs, loraScale, type LoraPair } from './lora.js';

export interface WeightedAdapter {
  readonly method: MethodSpec;
  /** All tensors of the run, the head's included. */
  readonly parameters: NamedTensors;
  /** Below zero subtracts. */
  readonly weight: number;
}

export interface ComposedAdapter {
  readonly method: MethodSpec;
  readonly parameters: NamedTensors;
}

const refuse = (message: string, hint: string | null) => new EngineError('bad-input', message, hint);

function checkParts(parts: readonly WeightedAdapter[]): WeightedAdapter {
  const [first] = parts;
  if (!first) throw refuse('There is nothing to compose.', 'Name at least one adapter.');
  const bad = parts.find(({ weight }) => !Number.isFinite(weight) || weight === 0);
  if (bad) throw refuse(`A weight of ${bad.weight} is not possible.`, 'Use a number other than 0; below 0 subtracts.');
  return first;
}

/** Throws EngineError 'bad-input' where two adapters do not have the same tensors of the same shapes; `names`: which to look at. */
function requireAlike(parts: readonly WeightedAdapter[], names: (name: string) => boolean): void {
  const [first, ...others] = parts.map(
    ({ parameters }) => new Map([...parameters].filter(([name]) => names(name)).map(([name, t]) => [name, t.shape])),
  );
  for (const [index, other] of others.entries()) {
    const odd = [...(first ?? []), ...other].find(([name]) => first?.get(name)?.join() !== other.get(name)?.join());
    if (!odd) continue;
    const words = (shape: readonly number[] | undefined) => (shape ? `is [${shape.join(', ')}]` : 'is missing');
    throw refuse(
      `${odd[0]} ${words(first?.get(odd[0]))} in adapter 1 and ${words(other.get(odd[0]))} in adapter ${index + 2}.`,
      'Compose adapters of one base, one method and the same options.',
    );
  }
}

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

const isLora = (name: string) => /\.(lora_[AB]\.weight|pissa_[AB]\.weight|lora_magnitude_vector)$/.test(name);

interface LoraPart {
  readonly pairs: ReadonlyMap<string, LoraPair>;
  /** Weight times the adapter's own scale. */
  readonly factor: number;
}

/**
 * LoRAs added with weights: the update of each layer is Σ wᵢ·sᵢ·Bᵢ·Aᵢ. Task arithmetic: weight 1 adds a task, -1 takes it away.
 * `cat` is exact and as wide as all together; `linear` adds A and B each by itself, which keeps the rank and is not the sum of
 * the updates. Both as Hugging Face peft's add_weighted_adapter. The head is the one of adapter `head`.
 * Throws EngineError 'bad-input' for other methods, DoRA, and adapters that do not have the same layers or, for `linear`, ranks.
 */
export function addLoras(parts: readonly WeightedAdapter[], how: 'cat' | 'linear' = 'cat', head = 0): ComposedAdapter {
  const first = checkParts(parts);
  const headPart = parts[head];
  if (!headPart) throw refuse(`There is no adapter ${head + 1} to take the head from.`, null);
  const loras = parts.map(({ method, parameters, weight }): LoraPart => {
    if (method.type !== 'lora')
      throw refuse(`"${method.type}" adds no low-rank update of the plain kind.`, 'Add LoRAs, or average adapters.');
    if ([...parameters.keys()].some((name) => name.endsWith('.lora_magnitude_vector')))
      throw refuse('DoRA measures lengths, which do not add up.', 'Merge it, or train LoRA without DoRA.');
    return { pairs: loraPairs(parameters), factor: weight * loraScale(method) };
  });
  const modules = [...(loras[0] as LoraPart).pairs.keys()];
  for (const [index, { pairs }] of loras.entries()) {
    const odd = modules.find((module) => !pairs.has(module)) ?? [...pairs.keys()].find((it) => !modules.includes(it));
    if (odd !== undefined)
      throw refuse(
        `Adapter ${index + 1} and adapter 1 do not both act on ${odd}.`,
        'Add LoRAs with the same target modules.',
      );
  }
  if (how === 'linear') requireAlike(parts, isLora);
  const combine = how === 'cat' ? concatenated : summed;
  const parameters: NamedTensors = new Map([...headPart.parameters].filter(([name]) => !isLora(name)));
  let rank = 0;
  for (const module of modules) {
    const { down, up } = combine(
      loras.map(({ pairs, factor }) => ({ ...(pairs.get(module) as LoraPair), factor })),
      module,
    );
    rank = down.shape[0] as number;
    parameters.set(`${module}.lora_A.weight`, down).set(`${module}.lora_B.weight`, up);
  }
  const { targetModules } = first.method;
  const targets = targetModules === undefined ? {} : { targetModules };
  return { method: { type: 'lora', rank, alpha: rank, ...targets }, parameters };
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

/** Throws EngineError 'bad-input' where an adapter's options differ from the first one's in more than dropout. */
function requireSameOptions(parts: readonly WeightedAdapter[]): void {
  const settings = parts.map(({ method }) =>
    JSON.stringify({ ...(chooseMethod(method).options as object), dropout: undefined }),
  );
  const other = settings.findIndex((setting) => setting !== settings[0]);
  if (other > 0)
    throw refuse(
      `Adapter ${other + 1} has other options than adapter 1: ${settings[other]} against ${settings[0]}.`,
      'Average adapters of one method with the same options.',
    );
}

/**
 * Adapters averaged with weights that are brought to a sum of 1, heads included (so their labels must be the same): LoRAs by their
 * updates (`addLoras`), others of one method and its options tensor by tensor, as AdapterHub's average_adapter.
 * Throws EngineError 'bad-input' for adapters that are not alike, and weights of sum 0.
 */
export function averageAdapters(parts: readonly WeightedAdapter[]): ComposedAdapter {
  const first = checkParts(parts);
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) throw refuse('The weights add up to 0, so there is no average.', 'Use other weights.');
  const shares = parts.map((part) => ({ ...part, weight: part.weight / total }));
  const lora = first.method.type === 'lora' ? addLoras(shares) : null;
  if (!lora) requireSameOptions(parts);
  const averaged = (name: string) => lora === null || !isLora(name);
  requireAlike(parts, averaged);
  const mean = (name: string) =>
    weightedSum(
      shares.map(({ parameters }) => parameters.get(name) as Tensor),
      shares.map(({ weight }) => weight),
    );
  const means = [...first.parameters.keys()].filter(averaged).map((name) => [name, mean(name)] as const);
  return { method: lora?.method ?? first.method, parameters: new Map([...(lora?.parameters ?? []), ...means]) };
}
