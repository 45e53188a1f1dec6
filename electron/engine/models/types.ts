/** What an architecture is: config in, forward graph out. One file an architecture, all of this shape. */
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';

/** A linear layer of the base as methods see it. */
export interface LinearSite {
  /** Module path as in the checkpoint: "bert.encoder.layer.0.attention.self.query". */
  readonly module: string;
  readonly layer: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** The end of an attention or feed-forward block, where output and residual meet. */
export interface BlockSite {
  readonly block: 'attention' | 'ffn';
  readonly layer: number;
  /** Module that holds a bottleneck adapter there, as AdapterHub names it. */
  readonly adapterModule: string;
  readonly width: number;
}

/** Which rows of the last hidden state are read: every token's, or each sequence's first token's. */
export type Reach = 'all' | 'first';

/** The embeddings of a model. */
export interface EmbeddingSite {
  /** Name of the word embeddings [vocabulary, width]. */
  readonly table: string;
  readonly vocabularySize: number;
  readonly width: number;
}

/** One layer's attention. */
export interface AttentionSite {
  /** Module path of the attention: "bert.encoder.layer.0.attention.self". */
  readonly module: string;
  readonly layer: number;
  /** Width of all key heads together. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** What the layer's projections see: [rows, hidden]. */
  readonly input: Value;
}

/** Keys and values that come before a layer's own: [tokens, 1 or batch, width]. */
export interface PastKeyValues {
  readonly keys: Value;
  readonly values: Value;
}

/** The end of a whole layer. */
export interface LayerSite {
  /** Module path of the layer: "bert.encoder.layer.0". */
  readonly module: string;
  readonly layer: number;
  readonly layers: number;
  readonly width: number;
}

/** Where PEFT methods hook into a forward pass. A method implements what it needs. */
export interface Hooks {
  /** Virtual tokens before every text, with positions and attention of their own: [tokens, width]. */
  readonly prompt?: { readonly tokens: number; embeddings(b: Builder, site: EmbeddingSite): Value };
  /** Virtual keys and values that every token of a layer attends to; they take no position. */
  readonly prefix?: { readonly tokens: number; keysValues(b: Builder, site: AttentionSite): PastKeyValues };
  /** What a linear layer sees instead of x [n, in]. */
  input?(b: Builder, site: LinearSite, x: Value): Value;
  /** y = Wx + b of a linear layer: x [n, in], y [n, out]. */
  linear?(b: Builder, site: LinearSite, x: Value, y: Value): Value;
  /** Replaces LayerNorm(output + residual) of a block; all [n, width]. null leaves it as it is. */
  block?(b: Builder, site: BlockSite, output: Value, residual: Value, normalize: (x: Value) => Value): Value | null;
  /** What leaves a layer, instead of its output [n, width]. */
  layer?(b: Builder, site: LayerSite, output: Value): Value;
  /** A scalar that is added to the mean loss; called after the forward pass is built. */
  penalty?(b: Builder): Value | null;
}

/** Dimensions and rates of an encoder, read from config.json. */
export interface EncoderConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediateSize: number;
  readonly activation: 'gelu' | 'gelu_tanh' | 'relu' | 'silu';
  readonly positions: number;
  readonly tokenTypes: number;
  readonly layerNormEpsilon: number;
  readonly hiddenDropout: number;
  readonly attentionDropout: number;
  readonly classifierDropout: number;
  /** RoBERTa counts positions from here + 1. */
  readonly paddingIndex: number;
}

export interface Architecture {
  /** `model_type` of config.json. */
  readonly type: string;
  /** Prefix of the base's tensors in a checkpoint with a head: "bert."; a bare checkpoint leaves it out. */
  readonly prefix: string;
  /** Linear layers that LoRA takes by default, as in peft. */
  readonly defaultTargets: readonly string[];
  /** Modules that train with every method (peft's modules_to_save for SEQ_CLS). */
  readonly headModules: readonly string[];
  /** Linear layer that reads what leaves the last layer for a class; left out where a norm stands between. */
  readonly reader?: string;
  /** Class that transformers loads a merged classifier with. */
  readonly classifierClass: string;
  /** Throws EngineError 'bad-model' naming the key of config.json and what is allowed. */
  readConfig(config: Readonly<Record<string, unknown>>): EncoderConfig;
  /** Longest sequence in tokens. */
  maxLength(config: EncoderConfig): number;
  /** Last hidden state of what `reach` asks for: [rows, hidden], or [batch, hidden] of the first tokens. */
  encode(b: Builder, config: EncoderConfig, reach: Reach): Value;
  /** Logits [batch, labels] from the last hidden state of the first tokens [batch, hidden]. */
  classify(b: Builder, config: EncoderConfig, first: Value, labels: number): Value;
  /** Vocabulary logits [n, vocabulary] of chosen rows [n, hidden]. */
  predictTokens(b: Builder, config: EncoderConfig, rows: Value): Value;
}
