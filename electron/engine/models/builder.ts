/** Builds a forward graph: parameters by name, hooks of the method, seeded dropout. */
import type { Shape } from '../graph/dims.js';
import { Graph } from '../graph/graph.js';
import type { Value } from '../graph/ir.js';
import type { Tensor } from '../types.js';
import type { Hooks, LinearSite } from './types.js';

/** What computed start values may look at. */
export interface StartSource {
  /** A tensor of the base. Throws EngineError where the checkpoint does not hold it. */
  read(name: string): Promise<Tensor>;
  /** `count` uniform numbers in [0, 1), a function of the run's seed and the parameter's name. */
  uniform(count: number): Float32Array;
  /** Token ids of a text without special tokens. Throws EngineError where no tokenizer is at hand. */
  tokenize(text: string): Promise<readonly number[]>;
}

export type DrawnStart =
  | 'zeros'
  | 'ones'
  /** A square matrix with ones on its diagonal. */
  | 'identity'
  | { readonly constant: number }
  | { readonly normal: number }
  /** Between minus and plus this bound. */
  | { readonly uniform: number };

export type Initializer = DrawnStart | { readonly from: (source: StartSource) => Promise<Float32Array> };

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  /** Added by a method; otherwise it comes from the checkpoint or is part of the task's head. */
  readonly added: boolean;
  /** For parameters that no checkpoint holds. */
  readonly initializer: Initializer;
}

export interface DropoutSite {
  readonly input: string;
  readonly shape: Shape;
  readonly rate: number;
}

export interface BuilderOptions {
  readonly hooks: Hooks;
  /** Does a parameter of the base (or of its head) train? */
  readonly trains: (name: string) => boolean;
  /** Dropout is built in while training only. */
  readonly training: boolean;
  /** Padding has no rows in hidden states (rows.ts); the graph then takes `token_cells`. */
  readonly packed: boolean;
  /** Overrides the base's own rates; null keeps them. */
  readonly modelDropout: number | null;
  /** Gives the value that stands for a trainable or an added parameter (packed parameters are slices). */
  readonly resolve?: (g: Graph, spec: ParameterSpec) => Value;
}

export class Builder {
  readonly g = new Graph();
  readonly parameters = new Map<string, ParameterSpec>();
  readonly dropouts: DropoutSite[] = [];
  readonly #values = new Map<string, Value>();

  constructor(readonly options: BuilderOptions) {}

  get hooks(): Hooks {
    return this.options.hooks;
  }

  /** A tensor of the base model or its head. `initializer` serves where the checkpoint does not hold it. */
  base(name: string, shape: readonly number[], initializer: Initializer = { normal: 0.02 }): Value {
    return this.#parameter({ name, shape, trainable: this.options.trains(name), added: false, initializer });
  }

  /** A tensor that a method adds; it trains unless it is `fixed` (a random projection, say), and is saved with the rest. */
  added(name: string, shape: readonly number[], initializer: Initializer, { fixed = false } = {}): Value {
    return this.#parameter({ name, shape, trainable: !fixed, added: true, initializer });
  }

  #parameter(spec: ParameterSpec): Value {
    const known = this.#values.get(spec.name);
    if (known) return known;
    const value =
      (spec.trainable || spec.added) && this.options.resolve
        ? this.options.resolve(this.g, spec)
        : this.g.parameter(spec.name, spec.shape, spec.trainable);
    this.parameters.set(spec.name, spec);
    this.#values.set(spec.name, value);
    return value;
  }

  /** y = xWᵀ + b with W [out, in] as checkpoints store it; x [n, in]. */
  dense(module: string, x: Value, inFeatures: number, outFeatures: number): Value {
    const weight = this.base(`${module}.weight`, [outFeatures, inFeatures]);
    const bias = this.base(`${module}.bias`, [outFeatures], 'zeros');
    return this.g.add(this.g.matmul(x, weight, { transB: true }), bias);
  }

  /** A dense layer that methods may hook into. */
  linear(site: LinearSite, x: Value): Value {
    const input = this.hooks.input?.(this, site, x) ?? x;
    const y = this.dense(site.module, input, site.inFeatures, site.outFeatures);
    return this.hooks.linear?.(this, site, input, y) ?? y;
  }

  /** Tokens that a method puts before every text. */
  get virtualTokens(): number {
    return this.hooks.prompt?.tokens ?? 0;
  }

  layerNorm(module: string, x: Value, width: number, epsilon: number): Value {
    return this.g.layerNorm(
      x,
      this.base(`${module}.weight`, [width], 'ones'),
      this.base(`${module}.bias`, [width], 'zeros'),
      epsilon,
    );
  }

  /** The base's own dropout, with the user's override. */
  modelDropout(x: Value, rate: number): Value {
    return this.dropout(x, this.options.modelDropout ?? rate);
  }

  dropout(x: Value, rate: number): Value {
    const mask = this.dropoutMask(x.type.shape, rate);
    return mask ? this.g.dropout(x, mask.mask, mask.scale) : x;
  }

  /** A mask input of a shape, or null where nothing is dropped. Rates are kept in 256ths, so the scale is exact. */
  dropoutMask(shape: Shape, rate: number): { mask: Value; scale: number } | null {
    const dropped = Math.round(rate * 256);
    if (!this.options.training || dropped === 0) return null;
    const input = `dropout.${this.dropouts.length}`;
    this.dropouts.push({ input, shape, rate: dropped / 256 });
    return { mask: this.g.input(input, 'bool', shape), scale: 256 / (256 - dropped) };
  }
}
