/** What leaves the engine: parameter plans, merged weights, an ONNX model for inference. */
import { build, prepare, weightsOf, type Setup, type SetupOptions } from './setup.js';
import { EngineError } from '../errors.js';
import { chooseMethod } from '../peft/index.js';
import { writeOnnx } from '../onnx/writer.js';
import type { NamedTensors, Tensor } from '../types.js';

export interface ParameterPlan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  /** `head`: on top of the base for the task; `added`: by the method. */
  readonly part: 'base' | 'added' | 'head';
}

/** Every parameter of the forward pass with its part; no weight is read. Throws EngineError. */
export function planParameters(options: SetupOptions): readonly ParameterPlan[] {
  const setup = prepare(options);
  const base = new Set(setup.info.parameters.map(({ name }) => name));
  return setup.parameters.map(({ name, shape, trainable, added }) => ({
    name,
    shape,
    trainable,
    part: added ? 'added' : base.has(name) || (!trainable && !added) ? 'base' : partOf(setup, name),
  }));
}

function partOf(setup: Setup, name: string): 'base' | 'head' {
  return setup.model.find(name) && name.startsWith(setup.model.architecture.prefix) ? 'base' : 'head';
}

/**
 * The model's weights with a method merged in, head included, named as transformers' classifier class has them.
 * Throws EngineError 'bad-input' for a method that does not merge.
 */
export async function* mergedWeights(
  options: SetupOptions & { readonly parameters: NamedTensors },
): AsyncGenerator<{ name: string } & Tensor> {
  const setup = prepare(options);
  const { method, options: chosen } = chooseMethod(options.method);
  const added = setup.parameters.filter((spec) => spec.added);
  if (added.length > 0 && !method.merge)
    throw new EngineError(
      'bad-input',
      `${method.title} does not merge into the base model.`,
      'Export it as an adapter or as ONNX.',
    );
  for (const spec of setup.parameters) {
    if (spec.added) continue;
    const base = options.parameters.get(spec.name) ?? (await setup.model.read(spec.name));
    const merged =
      method.merge?.(spec.name, base, options.parameters, chosen, { architecture: setup.model.architecture }) ?? base;
    yield { name: spec.name, shape: merged.shape, data: merged.data };
  }
}

/**
 * An ONNX model for inference: input_ids, attention_mask and token_type_ids (where the model has them), int64
 * [batch, sequence], to logits [batch, labels]. Weights are inside. Methods that merge are merged.
 */
export async function exportOnnx(options: SetupOptions & { readonly parameters: NamedTensors }): Promise<Uint8Array> {
  const setup = prepare(options);
  const { method } = chooseMethod(options.method);
  const values: NamedTensors = new Map(options.parameters);
  if (method.merge || setup.parameters.every((spec) => !spec.added))
    for await (const { name, ...tensor } of mergedWeights(options)) values.set(name, tensor);
  const hooks = method.merge ? {} : setup.hooks;
  const { b, logits } = build(
    { ...setup, hooks, trains: () => false },
    { training: false, modelDropout: null, resolve: (g, spec) => g.parameter(spec.name, spec.shape, false) },
  );
  b.g.output('logits', logits);
  for (const { name, added } of b.parameters.values())
    if (!values.has(name) && !added) values.set(name, await setup.model.read(name));
  const stored = weightsOf(setup);
  return writeOnnx(b.g, {
    target: 'cpu',
    weights: (name) => {
      const value = values.get(name);
      return value ? { data: value.data } : stored(name);
    },
  }).bytes;
}
