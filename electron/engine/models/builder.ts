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
  /** What another parameter of a drawn start begins with: `size` values. */
  drawn(name: string, size: number, start: DrawnStart): Float32Array;
  /** Token ids of a text; `special` with the tokenizer's own tokens around it. Throws EngineError where no tokenizer is at hand. */
  tokenize(text: string, special: boolean): Promise<readonly number[]>;
  /** What a linear layer of the frozen base gives for a sequence of token ids: [ids, out]. */
  activations(ids: readonly number[], module: string): Promise<Tensor>;
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
  /** Frozen at a value that is not the checkpoint's: another stage trains it. */
  readonly carried: boolean;
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
  /** Does a frozen parameter of the base have a value of its own? Left out: none has. */
  readonly carries?: (name: string) => boolean;
  /** Dropout is built in while training only. */
  readonly training: boolean;
  /** Padding has no rows in hidden states (rows.ts); the graph then takes `token_cells`. */
  readonly packed: boolean;
  /** For generation, one text at a time: keys and values of earlier tokens are fed, those of these tokens given (`presents`). */
  readonly cached?: boolean;
  /** Frozen weights are fed at each run instead of lying in the model. */
  readonly fed?: boolean;
  /** So many layers, counted from the first, are not computed: what they give is fed (`frozen_hidden`). */
  readonly skippedLayers?: number;
  /** Overrides the base's own rates; null keeps them. */
  readonly modelDropout: number | null;
  /** Gives the value that stands for a trainable, an added or a carried parameter (packed parameters are slices). */
  readonly resolve?: (g: Graph, spec: ParameterSpec) => Value;
}

export class Builder {
  readonly g = new Graph();
  readonly parameters = new Map<string, ParameterSpec>();
  readonly dropouts: DropoutSite[] = [];
  /** Module paths of the linear layers that methods may hook into, in their order. */
  readonly linears: string[] = [];
  /** What a finished run keeps instead of the parameters that it is computed from, by name. */
  readonly kept = new Map<string, Value>();
  /** Keys and values of this pass's tokens [length, batch, width] where earlier ones are fed, by layer and part: "0.key". */
  readonly presents = new Map<string, Value>();
  /** The input of the first layer and the end of each. */
  readonly layerEnds: Value[] = [];
  /** The table of word embeddings and what the tokens of the text read from it [tokens, width]. */
  words: { readonly table: string; readonly read: Value } | undefined;
  /** Names of the base's weights that lie [in, out]. */
  readonly transposed = new Set<string>();
  readonly #values = new Map<string, Value>();
  /** Mark of the part of a composition that is being built. */
  #part: string | null = null;

  constructor(readonly options: BuilderOptions) {}

  get hooks(): Hooks {
    return this.options.hooks;
  }

  /** A tensor of the base model or its head. `initializer` serves where the checkpoint does not hold it. */
  base(name: string, shape: readonly number[], initializer: Initializer = { normal: 0.02 }): Value {
    const trainable = this.options.trains(name);
    const carried = !trainable && (this.options.carries?.(name) ?? false);
    return this.#parameter({ name, shape, trainable, added: false, carried, initializer });
  }

  /** A tensor that a method adds; it trains unless it is `fixed` (a random projection, say), and is saved with the rest. */
  added(name: string, shape: readonly number[], initializer: Initializer, { fixed = false } = {}): Value {
    const part = this.#part;
    return this.#parameter({
      name: name + (part ?? ''),
      shape,
      trainable: part === null && !fixed,
      added: true,
      carried: false,
      initializer,
    });
  }

  /** A finished adapter inside another method: what `work` adds ends in `mark`, stays as it is and has no dropout. */
  within<T>(mark: string, work: () => T): T {
    const outer = this.#part;
    this.#part = mark;
    try {
      return work();
    } finally {
      this.#part = outer;
    }
  }

  #parameter(spec: ParameterSpec): Value {
    const known = this.#values.get(spec.name);
    if (known) return known;
    const value =
      (spec.trainable || spec.added || spec.carried) && this.options.resolve
        ? this.options.resolve(this.g, spec)
        : this.g.parameter(spec.name, spec.shape, spec.trainable || (this.options.fed ?? false));
    this.parameters.set(spec.name, spec);
    this.#values.set(spec.name, value);
    return value;
  }

  /** y = xWᵀ + b with W [out, in] as checkpoints store it; x [n, in]. */
  dense(module: string, x: Value, inFeatures: number, outFeatures: number): Value {
    return this.#affine({ module, inFeatures, outFeatures }, x);
  }

  #affine(site: Omit<LinearSite, 'layer'>, x: Value): Value {
    const y = this.g.matmul(x, this.#stored(site), { transB: !site.transposed });
    return this.#withBias(site, y);
  }

  #withBias({ module, outFeatures, bias = true }: Omit<LinearSite, 'layer'>, y: Value): Value {
    return bias ? this.g.add(y, this.base(`${module}.bias`, [outFeatures], 'zeros')) : y;
  }

  #stored({ module, inFeatures, outFeatures, transposed }: Omit<LinearSite, 'layer'>): Value {
    const name = `${module}.weight`;
    if (transposed) this.transposed.add(name);
    return this.base(name, transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures]);
  }

  /** The base's weight of a linear layer as [out, in], however its checkpoint stores it. */
  weight(site: LinearSite): Value {
    const stored = this.#stored(site);
    return site.transposed ? this.g.transpose(stored, [1, 0]) : stored;
  }

  /** A dense layer that methods may hook into. */
  linear(site: LinearSite, x: Value): Value {
    this.linears.push(site.module);
    const input = this.hooks.input?.(this, site, x) ?? x;
    const weight = this.hooks.weight?.(this, site, () => this.weight(site));
    const y = weight ? this.#withBias(site, this.g.matmul(input, weight, { transB: true })) : this.#affine(site, input);
    return this.hooks.linear?.(this, site, input, y) ?? y;
  }

  /** Notes the input of the first layer or the end of a layer, and gives what the next one begins with. */
  endLayer(hidden: Value): Value {
    const { skippedLayers = 0 } = this.options;
    const fed = skippedLayers > 0 && this.layerEnds.length === skippedLayers;
    const end = fed ? this.g.input('frozen_hidden', 'float32', hidden.type.shape) : hidden;
    this.layerEnds.push(end);
    return end;
  }

  /** Tokens that a method puts before every text. */
  get virtualTokens(): number {
    return this.hooks.prompt?.tokens ?? 0;
  }

  /** Positions that come before the text's. */
  get positionsBefore(): number {
    return this.virtualTokens + this.prefixPositions;
  }

  /** Of these, those that a prefix of keys and values takes. */
  get prefixPositions(): number {
    const { prefix } = this.hooks;
    return prefix?.positions ? prefix.tokens : 0;
  }

  /** Names a computed value that a finished run keeps, as the method that `PeftMethod.kept` gives reads it. */
  keep(name: string, value: Value): Value {
    this.kept.set(name, value);
    return value;
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
    if (!this.options.training || dropped === 0 || this.#part !== null) return null;
    const input = `dropout.${this.dropouts.length}`;
    this.dropouts.push({ input, shape, rate: dropped / 256 });
    return { mask: this.g.input(input, 'bool', shape), scale: 256 / (256 - dropped) };
  }
}

/** A builder of the base alone, all of it frozen: for looking at a forward pass, or running it as it is. */
export function frozenBuilder(hooks: Hooks = {}): Builder {
  return new Builder({ hooks, trains: () => false, training: false, packed: false, modelDropout: null });
}
