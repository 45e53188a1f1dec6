/** The engine's public vocabulary. The app sees the engine through `engine/index.ts` only. */
import type { z } from 'zod';

export type DeviceId = 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';

/** A named float32 tensor in memory, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
export type NamedTensors = Map<string, Tensor>;

/** One (micro-)batch, padded to `sequence`. All arrays are row-major [batch, sequence] unless said otherwise. */
export interface Batch {
  readonly size: number;
  readonly sequence: number;
  readonly inputIds: Int32Array;
  /**
   * 1 for real tokens, 0 for padding. For causal LM a row may hold several examples, numbered 1, 2, … in their order: no token sees
   * another example's, and positions begin anew.
   */
  readonly attentionMask: Int32Array;
  readonly tokenTypeIds: Int32Array;
  /**
   * Classification: [batch] class indices, with a verbalizer [texts]. Masked and causal LM and token classification: [batch, sequence],
   * -100 where no loss is taken. Causal LM: of a token itself, which the one before it has to give, so that an example's first token has
   * a label only behind virtual tokens. Question answering: [batch, 2], the positions of the answer's first and last token.
   */
  readonly labels: Int32Array;
  /** Regression: [batch]. Multi-label: [batch, labels], 1 for a label that the text has, else 0. */
  readonly targets?: Float32Array | null;
  /** Loss weight of each row [batch] (class weights), with a verbalizer of each text [texts]; null for 1. */
  readonly weights: Float32Array | null;
  /** Classification by a verbalizer: the cell, row · sequence + position, of each text's slots: [texts, slots]. */
  readonly reads?: Int32Array | null;
  /** Prompt search: the position of the wording's first token in each row [batch]. */
  readonly wording?: Int32Array | null;
}

/** A batch without what is to be learned of it. */
export type BatchTexts = Pick<Batch, 'size' | 'sequence' | 'inputIds' | 'attentionMask' | 'tokenTypeIds'>;

/** Classification by words: a label's score is what the language model gives its word, so there is no head. */
export interface VerbalizerSpec {
  /** Places of a text at which words are read. */
  readonly slots: number;
  /** The word of each label, in order: its tokens, each with the slot at which it is read. */
  readonly words: readonly (readonly { readonly slot: number; readonly token: number }[])[];
  /** How the log-probabilities of a word's tokens become the label's score. */
  readonly score: 'mean' | 'sum';
}

export type ObjectiveSpec =
  /** By a head, or by a verbalizer. */
  | { readonly type: 'classification'; readonly labels: readonly string[]; readonly verbalizer?: VerbalizerSpec | null }
  /** A number of each text. */
  | { readonly type: 'regression' }
  /** Any of these of each text. */
  | { readonly type: 'multi-label'; readonly labels: readonly string[] }
  /** A tag of each token that has a label. */
  | { readonly type: 'token-classification'; readonly labels: readonly string[] }
  /** Where in the text the answer begins and ends. */
  | { readonly type: 'question-answering' }
  | { readonly type: 'masked-lm' }
  /** Each token from those before it. */
  | { readonly type: 'causal-lm' };

export interface OptimizerSpec {
  readonly type: 'adamw' | 'sgd';
  readonly weightDecay: number;
  readonly beta1?: number; // 0.9
  readonly beta2?: number; // 0.999
  readonly epsilon?: number; // 1e-8
  readonly momentum?: number; // sgd, 0
  /** Largest global norm of the gradient; null for no clipping. */
  readonly gradientClip: number | null;
}

export interface MethodSpec {
  readonly type: string;
  readonly [option: string]: unknown;
}

/** A parameter tensor of the base model, named as in its safetensors file. */
export interface ParameterInfo {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A base model read from a Hugging Face folder. Weights stay in their files. */
export interface BaseModelInfo {
  readonly folder: string;
  readonly architecture: string; // "bert", "llama"
  readonly parameters: readonly ParameterInfo[];
  readonly totalParameters: number;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  /** Longest usable sequence in tokens. */
  readonly maxLength: number;
  readonly bytes: number;
  readonly config: Readonly<Record<string, unknown>>;
}

export type Tokenize = (text: string, special: boolean) => Promise<readonly number[]>;

/** What a search for a wording needs of the tokenizer and of the prompt around the wording. */
export interface WordingDoor {
  /** Token ids of a text where the wording stands. */
  ids(text: string): Promise<readonly number[]>;
  /** The text of each list of tokens if it gives just these tokens when typed in, whatever text follows; null otherwise. */
  spell(lists: readonly (readonly number[])[]): Promise<readonly (string | null)[]>;
  /** A token as people read it. */
  word(token: number): Promise<string>;
}

export interface TrainerOptions {
  readonly model: BaseModelInfo;
  readonly method: MethodSpec;
  /** Which stage of a method that trains in stages, from 0; left out: all that any stage trains. */
  readonly stage?: number;
  readonly objective: ObjectiveSpec;
  readonly optimizer: OptimizerSpec;
  /** null keeps the base's own dropout rates, 0 switches them off. */
  readonly modelDropout: number | null;
  /**
   * The base's weights are also held in the order that the processor's kernels like, which is quicker (the default); false holds
   * them once.
   */
  readonly packWeights?: boolean;
  /**
   * On the CPU, training steps compute the products with the base's frozen matrices in 8 bits, as LLM.int8() does (Dettmers et al.
   * 2022); false by default. What trains, and all that is measured between steps, stays float32.
   */
  readonly loadIn8bit?: boolean;
  /** What a layer computes on its way is let go and computed anew for the backward pass (Chen et al. 2016); false by default. */
  readonly gradientCheckpointing?: boolean;
  /**
   * What the layers below all that trains or drops give for a text is computed once and kept, up to so many bytes; 0, the default,
   * computes it in each step.
   */
  readonly keepFrozenBytes?: number;
  readonly seed: number;
  readonly device: DeviceId;
  readonly threads?: number;
  /** Steps of the whole run; methods whose schedule depends on it need it. */
  readonly steps?: number;
  /**
   * Start values by parameter name (those that the method trains or adds), for instance from an exported adapter or of the
   * stage before; others are initialized. What another stage trains keeps its value here.
   */
  readonly initial?: NamedTensors;
  /** Token ids of a text, with or without the tokenizer's own tokens around it, for methods that start from one. */
  readonly tokenize?: Tokenize;
  /** For methods that search for a wording. */
  readonly wording?: WordingDoor;
}

/** An exchange of one token that a search tried: its position from 0, the new token, the loss on the step's rows. */
export interface TriedWording {
  readonly position: number;
  readonly word: string;
  readonly loss: number;
}

/** What a step of a search did. */
export interface SearchStep {
  /** As it stands after the step. */
  readonly wording: string;
  readonly accepted: (TriedWording & { readonly replaced: string }) | null;
  readonly tried: readonly TriedWording[];
}

export interface StepResult {
  readonly search?: SearchStep;
  /** Mean loss over the step's batches before the update (weighted mean where rows carry weights). */
  readonly loss: number;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
}

/** Losses of one batch. */
export interface Evaluation {
  /** Sum and weight, so that means over many batches are exact. */
  readonly lossSum: number;
  readonly weightSum: number;
  /**
   * Classification and multi-label: [batch, labels]. Regression: [batch, 1]. Masked LM and token classification: [tokens with a label, vocabulary or labels], row by row.
   * Question answering: [batch, 2, sequence], of the answer's first and last token, padding at -1e9. Causal LM: empty, they never stand
   * in memory together.
   */
  readonly logits: Float32Array;
  /** Causal LM: -log p of each token with a label, row by row; empty for others. */
  readonly tokenLosses?: Float32Array;
}

export interface EngineTrainer {
  readonly trainable: readonly ParameterInfo[];
  readonly trainableParameters: number;
  /** Base and added parameters and the head together. */
  readonly totalParameters: number;
  /** Bytes of optimizer state (moments); of word embeddings the rows that were used so far have any. */
  readonly optimizerBytes: number;
  /** What it may grow to. */
  readonly mostOptimizerBytes: number;
  /** One optimizer step over one or more micro-batches (gradient accumulation). Synchronous work inside: run it in the trainer process. */
  step(batches: readonly Batch[], learningRate: number): Promise<StepResult>;
  /** With `keepFrozenBytes`: computes what the frozen layers give for a batch's texts, and keeps it; `keptBytes` is what is held so far. */
  keep?(batch: Batch): Promise<void>;
  readonly keptBytes?: number;
  /** Forward without dropout: the logits of `evaluate`. */
  predict(batch: Batch): Promise<Float32Array>;
  /** Loss without dropout over one batch. */
  evaluate(batch: Batch): Promise<Evaluation>;
  /** Brings back what a device keeps between steps: needed before `parameters` and `saveState`, which throw otherwise; free on the CPU. */
  settle?(): Promise<void>;
  /** Trained parameters by name, and the others that are not the base's own: copies, or with `live` the trainer's own memory, which the next step changes. */
  parameters(live?: boolean): NamedTensors;
  /** What a finished run keeps: the parameters without those networks that only computed others while training. */
  result(): Promise<NamedTensors>;
  /** Everything a resumed run needs besides the data position: parameters, moments, step count. Copies, or with `live` the trainer's own memory, which the next step changes. */
  saveState(live?: boolean): NamedTensors;
  loadState(state: NamedTensors): void | Promise<void>;
  /** Puts parameters back (the best checkpoint), leaving moments alone. */
  loadParameters(parameters: NamedTensors): void | Promise<void>;
  /** Of a search: the wording as it stands. */
  wording?(): string;
  dispose(): Promise<void>;
}

export interface PredictorOptions {
  readonly model: BaseModelInfo;
  readonly method: MethodSpec;
  readonly objective: ObjectiveSpec;
  /** Trained parameters by name; empty for the untrained base with a fresh head. */
  readonly parameters: NamedTensors;
  readonly tokenize?: Tokenize;
  readonly seed: number;
  readonly device: DeviceId;
  readonly threads?: number;
  /** Holds the frozen weights once for all predictors of this opened model, whatever their methods and labels (on the CPU). */
  readonly shareBase?: boolean;
}

export interface EngineClassifier {
  /** The logits of `Evaluation`. */
  predict(batch: Batch): Promise<Float32Array>;
  dispose(): Promise<void>;
}

export interface EnginePredictor extends EngineClassifier {
  /**
   * A predictor over other parameters of the same method, options and labels, on the same session; both may be asked in turns.
   * Throws EngineError 'bad-input'.
   */
  another(parameters: NamedTensors): Promise<EnginePredictor>;
  /** The session goes with the last predictor on it. */
  dispose(): Promise<void>;
}

/** How the next token is chosen; by default the likeliest. */
export interface SamplingOptions {
  /** 0 takes the likeliest token; above, logits are divided by it and a token is drawn. */
  readonly temperature: number;
  /** Draws among this many likeliest; null for all. */
  readonly topK: number | null;
  /** Draws among the likeliest whose probabilities first reach this sum; null for all. */
  readonly topP: number | null;
  /** Above 1, tokens that stand in the text already lose. */
  readonly repetitionPenalty: number;
}

export interface GenerateOptions extends Partial<SamplingOptions> {
  readonly maxNewTokens: number;
  /** Of the draws; the same seed gives the same text. */
  readonly seed?: number;
  /** Tokens that end the text, such as the end-of-text token; they are not part of it. */
  readonly stopTokens?: readonly number[];
  /** Ends the text after a token, for stop words: sees all that was added. */
  readonly stop?: (tokens: readonly number[]) => boolean | Promise<boolean>;
  readonly signal?: AbortSignal;
}

export interface Generated {
  readonly reason: 'stop' | 'length' | 'aborted';
  readonly tokens: readonly number[];
}

export type GeneratorOptions = Omit<PredictorOptions, 'objective'>;

export interface EngineGenerator {
  /** Streams the tokens that follow a prompt of token ids. Throws EngineError 'bad-input'. */
  generate(prompt: readonly number[], options: GenerateOptions): AsyncGenerator<number, Generated>;
  /**
   * A generator over other parameters of the same method and options, on the same session: the base is not read again, and both may
   * be asked in turns. Throws EngineError 'bad-input'.
   */
  another(parameters: NamedTensors): Promise<EngineGenerator>;
  /** The session goes with the last generator on it. */
  dispose(): Promise<void>;
}

/** A predictor that also tells the loss where labels are given. */
export interface EngineScorer extends EnginePredictor {
  evaluate(batch: Batch): Promise<Evaluation>;
}

export interface SelfTestReport {
  readonly device: DeviceId;
  readonly status: 'passed' | 'failed' | 'unavailable';
  /** Largest relative difference of training steps' losses, gradient norms and logits from the CPU's. */
  readonly difference: number | null;
  /** Of a LoRA step of MiniLM's width, two layers, 8 × 64 tokens; null where it was not measured to its end. */
  readonly secondsPerStep: number | null;
  /** Why the device is not to be used, or why it passed and was not timed. */
  readonly reason: string | null;
}

/** One stage of a method that trains in stages: other parameters train, by an optimizer and a schedule of its own. */
export interface MethodStage {
  /** What trains, in words: "embeddings, blocks 5 to 6 of 6, head". */
  readonly trains: string;
  /** Passes over the training split; null for an equal share of the plan's. */
  readonly epochs: number | null;
  /** Factor of the plan's learning rate. */
  readonly rate: number;
  /** About how long a step takes, in forward passes: for the time left. */
  readonly cost: number;
}

export interface StagePlan {
  readonly stages: readonly MethodStage[];
  /** After a stage in which no validation was the best so far: go on, end the run, or go on from the best parameters. */
  readonly whenWorse: 'continue' | 'stop' | 'back';
}

/** What the app may know of a PEFT method; the method's own file holds the rest. */
export interface MethodDescription {
  readonly type: string;
  readonly title: string;
  /**
   * Where lists show it: parts of the base model itself, LoRA and relatives, adapters, prompts and prefixes, hybrids of them,
   * and what takes the adapters of finished runs by its option `adapters`.
   */
  readonly family: 'base' | 'lora' | 'adapter' | 'prompt' | 'hybrid' | 'composition';
  readonly marker:
    | 'diamond'
    | 'circle'
    | 'triangle'
    | 'square'
    | 'triangle-down'
    | 'plus'
    | 'hexagon'
    | 'hourglass'
    | 'star'
    | 'cross'
    | 'stairs'
    | 'frame'
    | 'bowtie'
    | 'ring'
    | 'pentagon'
    | 'triangle-left'
    | 'triangle-right'
    | 'trapezoid'
    | 'house'
    | 'chevron'
    | 'bubble';
  readonly colour: string;
  readonly summary: string;
  /** Markdown: what it does, when to use it, the paper. */
  readonly help: string;
  readonly options: z.ZodType;
  readonly learningRate: number;
  /** It searches for a wording: nothing trains, so a learning rate means nothing. */
  readonly searches: boolean;
  /** `studio`: the studio's own folder, which every method has. */
  readonly exports: readonly ('peft' | 'adapterhub' | 'studio' | 'merged' | 'onnx')[];
  /** Setting as tables show it: "r 8, query value". */
  describe(options: MethodSpec): string;
}
