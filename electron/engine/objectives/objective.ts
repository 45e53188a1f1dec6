/** What an objective is: the loss over a batch as graph, and the targets that the graph takes. One file an objective, all of this shape. */
import type { Dim } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import type { Architecture, ModelConfig } from '../models/types.js';
import type { ObjectiveSpec } from '../types.js';
import type { Placed } from './placed.js';

export interface ObjectiveGraph {
  /** null where they never stand in memory together (causal LM). */
  readonly logits: Value | null;
  /** Σ wᵢ·ℓᵢ, a scalar. */
  readonly lossSum: Value;
  /** Causal LM: ℓᵢ of each token with a label. */
  readonly losses: Value | null;
}

export interface Model {
  readonly architecture: Architecture;
  readonly config: ModelConfig;
}

/** A tensor that the graph takes besides the text. */
export interface Target {
  readonly data: Int32Array | Float32Array;
  readonly shape: readonly number[];
}

export interface Targets {
  /** By the inputs' names; integers go in as int64. */
  readonly tensors: Readonly<Record<string, Target>>;
  /** Σ w over what counts: the mean loss is the sum divided by it. */
  readonly weight: number;
  /** Of the inputs' own dimensions. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** What limits a batch's targets besides the batch itself. */
export interface TargetLimits {
  readonly vocabularySize: number;
  /** Virtual tokens before each text. */
  readonly virtual: number;
}

export interface Objective<S extends ObjectiveSpec> {
  /** A row of a batch may hold several examples. */
  readonly packs: boolean;
  /** The architecture has to predict tokens this way (models/types.ts); an objective with a head of its own trains on any. */
  readonly language: boolean;
  /** Forward pass and loss over the standard inputs. Throws EngineError 'bad-input' where method or model do not allow it. */
  graph(b: Builder, model: Model, spec: S): ObjectiveGraph;
  /** The forward pass as a checkpoint of it has it: with these parameters and no others. */
  checkpoint(b: Builder, model: Model, spec: S): void;
  /** The outputs of an ONNX file by their names, where they are not the `logits` of the graph. */
  inference?(b: Builder, model: Model, spec: S): Readonly<Record<string, Value>>;
  /** Throws EngineError 'bad-input' where labels do not fit the batch or are out of range. */
  targets(placed: Placed, spec: S, limits: TargetLimits): Targets;
}

/** Inputs `labels` int64 [n] and `weights` [n]. */
export const labelInputs = ({ g }: Builder, n: Dim) =>
  [g.input('labels', 'int64', [n]), g.input('weights', 'float32', [n])] as const;

/** The last hidden states of the rows that have a label. */
export const rowsWithLabel = (b: Builder, { architecture, config }: Model): Value =>
  b.g.gather(architecture.encode(b, config, 'all'), b.g.input('label_rows', 'int64', ['labelled']), true);

/** The language model as its checkpoint has it. */
export function languageModel(b: Builder, { architecture, config }: Model): void {
  architecture.predictTokens(b, config, architecture.encode(b, config, 'all'));
}
