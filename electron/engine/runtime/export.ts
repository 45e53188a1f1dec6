/** What leaves the engine: parameter plans and an ONNX model for inference. */
import { EngineError } from '../errors.js';
import { Builder } from '../models/builder.js';
import { prepare, requireTrainable, weightsOf, type Setup, type SetupOptions } from './setup.js';
import { readerOf } from './reader.js';
import { chooseMethod } from '../peft/index.js';
import { mergedConfig, mergedTensors, whyUnmergeable } from '../peft/merge.js';
import { buildInference, isLanguage } from '../objectives/index.js';
import { writeOnnx } from '../onnx/writer.js';
import type { NamedTensors } from '../types.js';

export interface ParameterPlan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  /** `head`: on top of the base for the task; `added`: by the method. */
  readonly part: 'base' | 'added' | 'head';
}

/** `steps`: of the whole run; 0 where nothing has to train. */
type PlanOptions = SetupOptions & { readonly steps?: number };

/** Every parameter of the forward pass with its part; no weight is read. Throws EngineError, 'bad-input' where nothing would train. */
export function planParameters(options: PlanOptions): readonly ParameterPlan[] {
  return planOf(options, prepare(options));
}

/** The same of a setup at hand. */
export function planOf(options: PlanOptions, setup: Setup): readonly ParameterPlan[] {
  requireTrainable(options, setup);
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
 * An ONNX model for inference: input_ids, attention_mask and token_type_ids (where the model has them), int64
 * [batch, sequence], to logits [batch, labels], of tags [batch, sequence, labels], of answers start_logits and end_logits
 * [batch, sequence]. Weights are inside. Methods that merge are merged.
 */
export async function exportOnnx(options: SetupOptions & { readonly parameters: NamedTensors }): Promise<Uint8Array> {
  const spec = readerOf(options, options.parameters);
  const setup = prepare({ ...options, method: spec });
  const { method } = chooseMethod(spec);
  const values: NamedTensors = new Map(options.parameters);
  const { objective } = options;
  if (isLanguage(objective))
    throw new EngineError(
      'bad-input',
      'A language model cannot be exported as ONNX.',
      'Export a merged folder instead.',
    );
  if (objective.type === 'classification' && objective.verbalizer)
    throw new EngineError(
      'bad-input',
      'A run that answers by a verbalizer has no ONNX export: the file could not say which tokens of a prompt are read.',
      "Export it in the studio's own format, or merged.",
      { path: 'verbalizer' },
    );
  const merges =
    method.merge !== undefined &&
    whyUnmergeable(setup.info, spec) === null &&
    Object.keys(mergedConfig(setup.info, spec)).length === 0;
  if (merges) {
    const merged = mergedTensors(setup.info, options.method, objective, options.parameters);
    for (const { name, shape, data } of merged)
      values.set(name, { shape, data: typeof data === 'function' ? await data() : data });
  }
  const hooks = merges ? {} : setup.hooks;
  const b = new Builder({
    hooks,
    trains: () => false,
    carries: setup.carries,
    training: false,
    packed: false,
    modelDropout: null,
    resolve: (g, spec) => g.parameter(spec.name, spec.shape, false),
  });
  for (const [name, value] of Object.entries(buildInference(b, setup.model, objective))) b.g.output(name, value);
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
