/** What an architecture is: config in, forward graph out. One file an architecture, all of this shape. */
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';
import type { Rotary } from './rotary.js';

/** A linear layer of the base as methods see it. */
export interface LinearSite {
  /** Module path as in the checkpoint: "bert.encoder.layer.0.attention.self.query". */
  readonly module: string;
  readonly layer: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Left out: it has one. */
  readonly bias?: boolean;
  /** The checkpoint stores the weight as [in, out] (GPT-2); Builder.weight gives it as [out, in] either way. */
  readonly transposed?: boolean;
}

/** The end of an attention or feed-forward block, where output and residual meet. */
export interface BlockSite {
  readonly block: 'attention' | 'ffn';
  readonly layer: number;
  /** Module that holds a bottleneck adapter there, as AdapterHub names it. */
  readonly adapterModule: string;
  readonly width: number;
  /** What the block's own layers see, [n, width]: the residual, or in a pre-norm model its norm. */
  readonly input: Value;
}

/** Where an adapter sits: after attention and feed-forward layer, after the latter, or beside it. */
export type AdapterPlacement = 'houlsby' | 'pfeiffer' | 'parallel';

/** Which rows of the last hidden state are read: every token's, or each sequence's first or last token's. */
export type Reach = 'all' | 'first' | 'last';

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
  /** Width of all key heads together; query heads may be more (grouped-query attention). */
  readonly width: number;
  readonly layers: number;
  /** Key heads. */
  readonly heads: number;
  /** Module paths of the projections that make its keys and values. */
  readonly keyModule: string;
  readonly valueModule: string;
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
  /** Virtual keys and values that every token of a layer attends to. */
  readonly prefix?: {
    readonly tokens: number;
    /** The text's positions begin behind it, as transformers has it for past keys and values; otherwise it takes none. */
    readonly positions?: boolean;
    keysValues(b: Builder, site: AttentionSite): PastKeyValues;
  };
  /** What a linear layer sees instead of x [n, in]. */
  input?(b: Builder, site: LinearSite, x: Value): Value;
  /** What a linear layer multiplies by instead of its own W [out, in], which `own` gives; null leaves it as it is. */
  weight?(b: Builder, site: LinearSite, own: () => Value): Value | null;
  /** y = Wx + b of a linear layer: x [n, in], y [n, out]. */
  linear?(b: Builder, site: LinearSite, x: Value, y: Value): Value;
  /** What a block gives instead of its output, before normalize(output + residual): LayerNorm, or in a pre-norm model nothing; all [n, width]. */
  block?(b: Builder, site: BlockSite, output: Value, residual: Value, normalize: (x: Value) => Value): Value;
  /** The same of an adapter that may be fused with others: where it sits, and what it adds. */
  readonly adapter?: {
    readonly placement: AdapterPlacement;
    /** s·up(act(down(x))) without dropout: x [n, width] to [n, width]. */
    up(b: Builder, site: BlockSite, x: Value): Value;
  };
  /** What leaves a layer, instead of its output [n, width]. */
  layer?(b: Builder, site: LayerSite, output: Value): Value;
  /** It looks at all tokens of a text in every layer, so a classifier's last layer computes them all; no left-to-right model has them. */
  readonly wholeTexts?: boolean;
  /** A scalar that is added to the mean loss; called after the forward pass is built. */
  penalty?(b: Builder): Value | null;
}

/** What every architecture reads from config.json. */
export interface ModelConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediateSize: number;
  readonly activation: 'gelu' | 'gelu_tanh' | 'relu' | 'silu';
  readonly positions: number;
  readonly attentionDropout: number;
}

/** Dimensions and rates of an encoder. */
export interface EncoderConfig extends ModelConfig {
  readonly tokenTypes: number;
  readonly layerNormEpsilon: number;
  readonly hiddenDropout: number;
  readonly classifierDropout: number;
  /** RoBERTa counts positions from here + 1. */
  readonly paddingIndex: number;
}

/** Dimensions and rates of a decoder. */
export interface DecoderConfig extends ModelConfig {
  /** Key and value heads; each serves heads / keyHeads query heads. */
  readonly keyHeads: number;
  readonly headWidth: number;
  /** null: positions are learned embeddings. */
  readonly rotary: Rotary | null;
  readonly normEpsilon: number;
  /** Query and key heads are normalized each by itself. */
  readonly headNorm: boolean;
  /** Query, key and value have a bias; so has the attention's output; so have the feed-forward layers. */
  readonly projectionBias: boolean;
  readonly outputBias: boolean;
  readonly feedForwardBias: boolean;
  /** Factor of the attention scores, by layer. */
  readonly scales: readonly number[];
  /** How many tokens a layer's token sees, itself included; null for all before it. */
  readonly windows: readonly (number | null)[];
  readonly embeddingDropout: number;
  readonly residualDropout: number;
  /** The vocabulary's logits come from the word embeddings. */
  readonly tied: boolean;
}

export interface Architecture<C extends ModelConfig = ModelConfig> {
  /** `model_type` of config.json. */
  readonly type: string;
  /** Prefix of the base's tensors in a checkpoint with a head: "bert."; a bare checkpoint leaves it out. */
  readonly prefix: string;
  /** Linear layers that LoRA takes by default, as in peft. */
  readonly defaultTargets: readonly string[];
  /** Linear layers that (IA)³ scales by default, as in peft, and those of them that it scales at their input. */
  readonly scaledModules: { readonly targets: readonly string[]; readonly feedforward: readonly string[] };
  /** Modules that train with every method (peft's modules_to_save for SEQ_CLS, TOKEN_CLS and QUESTION_ANS). */
  readonly headModules: readonly string[];
  /**
   * Linear layers that read what leaves the last layer: for what is told of a whole text, for tags of its tokens, for answers in it, and
   * for the language model. Left out where a norm stands between.
   */
  readonly readers?: { readonly [K in 'text' | 'tags' | 'answers' | 'language']: string };
  /**
   * The feed-forward layers by the ends of their paths, and the key of config.json that is their width. Left out where what a
   * parallel adapter sees is not what they see.
   */
  readonly feedForward?: { readonly inner: string; readonly outer: string; readonly sizeKey: string };
  /** Class that transformers loads a merged classifier with. */
  readonly classifierClass: string;
  /** Class that transformers loads a merged language model with. */
  readonly languageModelClass: string;
  /** How it predicts tokens: masked ones, or each from those before it. Objectives with a head of their own train on any. */
  readonly language: 'masked-lm' | 'causal-lm';
  /** The token that a classifier reads: the last one where tokens see only what came before them. */
  readonly reads: 'first' | 'last';
  /** Throws EngineError 'bad-model' naming the key of config.json and what is allowed. */
  readConfig(config: Readonly<Record<string, unknown>>): C;
  /** Longest sequence in tokens. */
  maxLength(config: C): number;
  /** Last hidden state of what `reach` asks for: [rows, hidden], or [batch, hidden] of the first or last tokens. */
  encode(b: Builder, config: C, reach: Reach): Value;
  /** Logits [batch, labels] from the last hidden state of the tokens that a classifier reads [batch, hidden]. */
  classify(b: Builder, config: C, read: Value, labels: number): Value;
  /** Tag logits [n, labels] of chosen rows [n, hidden]. */
  tag(b: Builder, config: C, rows: Value, labels: number): Value;
  /** Logits [n, 2] of being an answer's first and its last token; those with the objective question-answering have it. */
  mark?(b: Builder, config: C, rows: Value): Value;
  /** Vocabulary logits [n, vocabulary] of chosen rows [n, hidden]. */
  predictTokens(b: Builder, config: C, rows: Value): Value;
  /** The table [vocabulary, hidden] whose products with a row are its logits; those with the objective causal-lm have it. */
  vocabularyTable?(b: Builder, config: C): Value;
}
