/**
 * How methods stand in folders of AdapterHub's library (adapters 1.x). The folder's common part (adapter and head, each with its
 * file, the adapter's name) is electron/interchange/adapterhub.ts.
 */
import { z } from 'zod';
import type { BaseModelInfo, MethodSpec, NamedTensors } from '../types.js';
import { activationNames, placements, type AdapterOptions, type Placement } from './adapter.js';
import type { PeftContext } from './method.js';

/** What a codec may look at beside its own options and tensors. */
export type HubContext = Pick<PeftContext, 'architecture' | 'model'>;

/** `O`: the method's options. Tensors carry the adapter's name "task". */
export interface AdapterHubFormat<O = unknown> {
  /** Is a configuration this method's, whatever its values? One method says yes. */
  recognizes(config: Readonly<Record<string, unknown>>): boolean;
  /** Reads a configuration as the method it stands for; a message says what is not supported. */
  readonly config: z.ZodType<MethodSpec>;
  /** The library's configuration of these options on a base model. */
  write(options: O, model: BaseModelInfo): Readonly<Record<string, unknown>>;
  /** What whoever loads the folder must know beyond that, a sentence for its README. */
  readonly note?: string;
  /** The tensors as the library names and shapes them, and back; left out where they are the engine's own. */
  readonly tensors?: {
    /** Throws EngineError 'bad-input' where a tensor is missing. */
    toFile(trained: NamedTensors, options: O, context: HubContext): NamedTensors;
    /** Throws EngineError 'bad-file' for a tensor of another base. */
    fromFile(tensors: NamedTensors, method: MethodSpec, context: HubContext): NamedTensors;
  };
}

/** Keys of a bottleneck that change the computation, at the value this program computes. */
const fixed = {
  adapter_residual_before_ln: false,
  cross_adapter: false,
  inv_adapter: null,
  ln_after: false,
  ln_before: false,
  residual_before_ln: true,
} as const;

/** Keys the library writes that do not matter without the parts above. */
const inert = {
  init_weights_seed: null,
  inv_adapter_reduction_factor: null,
  leave_out: [],
  stochastic_depth: 0.0,
} as const;

/** The library's defaults of the keys of Compacter's layers. */
export const phmDefaults = {
  factorized_phm_W: true,
  factorized_phm_rule: false,
  hypercomplex_nonlinearity: 'glorot-uniform',
  learn_phm: true,
  phm_bias: true,
  phm_c_init: 'normal',
  phm_dim: 4,
  phm_init_range: 0.0001,
  phm_layer: false,
  phm_rank: 1,
  shared_W_phm: false,
  shared_phm_rule: true,
} as const;

/** The keys by which the library's placements differ: DoubleSeqBnConfig, SeqBnConfig, ParBnConfig. */
const places = {
  houlsby: { is_parallel: false, mh_adapter: true, output_adapter: true, original_ln_before: false },
  pfeiffer: { is_parallel: false, mh_adapter: false, output_adapter: true, original_ln_before: true },
  parallel: { is_parallel: true, mh_adapter: false, output_adapter: true, original_ln_before: false },
} as const;

export interface HubAdapter extends AdapterOptions {
  readonly reductionFactor: number;
}

/** A bottleneck's configuration; `more` overrules keys beyond placement and size. */
export function hubAdapterConfig(o: HubAdapter, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    ...fixed,
    ...inert,
    ...phmDefaults,
    ...places[o.placement],
    original_ln_after: true,
    dropout: o.dropout,
    init_weights: o.placement === 'parallel' ? 'mam_adapter' : 'bert',
    non_linearity: o.activation,
    reduction_factor: o.reductionFactor,
    scaling: o.scaling,
    use_gating: false,
    ...more,
  };
}

/** Keys that must have one value, or be left out. */
export const literals = (values: Readonly<Record<string, boolean | number | string | null>>) =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      z.literal(value, `only ${JSON.stringify(value)} is supported`).optional(),
    ]),
  );

/** What a bottleneck's configuration may hold, whoever it belongs to. */
export const hubAdapterShape = {
  ...literals(fixed),
  original_ln_after: z.literal(true, 'only true is supported'),
  leave_out: z.array(z.number()).max(0, 'leaving layers out is not supported').optional(),
  stochastic_depth: z.literal(0, 'dropping whole adapters is not supported').optional(),
  is_parallel: z.boolean().default(false),
  mh_adapter: z.boolean(),
  output_adapter: z.boolean(),
  original_ln_before: z.boolean(),
  non_linearity: z.enum(activationNames),
  reduction_factor: z.number('must be one number').positive(),
  scaling: z.union([z.number(), z.literal('learned')], 'only a number or "learned" is supported').default(1),
  dropout: z.number().default(0),
} as const;

const hubAdapter = z.object(hubAdapterShape);

/** The adapter's own options from its configuration; an issue where it sits as none of the three do. */
export function readHubAdapter(config: z.output<typeof hubAdapter>, context: z.RefinementCtx): HubAdapter {
  const placement = placements.find((candidate: Placement) =>
    Object.entries(places[candidate]).every(([key, value]) => config[key as keyof typeof config] === value),
  );
  if (placement === undefined) {
    context.addIssue({
      code: 'custom',
      message: "the adapter sits neither as Houlsby's, nor as Pfeiffer's, nor as parallel ones do",
    });
    return z.NEVER;
  }
  return {
    placement,
    reductionFactor: config.reduction_factor,
    activation: config.non_linearity,
    scaling: config.scaling,
    dropout: config.dropout,
  };
}
