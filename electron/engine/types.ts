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
  /** 1 for real tokens, 0 for padding. */
  readonly attentionMask: Int32Array;
  readonly tokenTypeIds: Int32Array;
  /** Classification: [batch] class indices. Masked LM: [batch, sequence], -100 where no loss is taken. */
  readonly labels: Int32Array;
  /** Loss weight of each row [batch] (class weights); null for 1. */
  readonly weights: Float32Array | null;
}

export type ObjectiveSpec =
  { readonly type: 'classification'; readonly labels: readonly string[] } | { readonly type: 'masked-lm' };

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
  readonly architecture: string; // "bert", "roberta", "distilbert"
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

export interface TrainerOptions {
  readonly model: BaseModelInfo;
  readonly method: MethodSpec;
  /** Which stage of a method that trains in stages, from 0; left out: all that any stage trains. */
  readonly stage?: number;
  readonly objective: ObjectiveSpec;
  readonly optimizer: OptimizerSpec;
  /** null keeps the base's own dropout rates, 0 switches them off. */
  readonly modelDropout: number | null;
  readonly seed: number;
  readonly device: DeviceId;
  readonly threads?: number;
  /**
   * Start values by parameter name (those that the method trains or adds), for instance from an exported adapter or of the
   * stage before; others are initialized. What another stage trains keeps its value here.
   */
  readonly initial?: NamedTensors;
  /** Token ids of a text without special tokens, for methods that start from one. */
  readonly tokenize?: (text: string) => Promise<readonly number[]>;
}

export interface StepResult {
  /** Mean loss over the step's batches before the update (weighted mean where rows carry weights). */
  readonly loss: number;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
}

export interface EngineTrainer {
  readonly trainable: readonly ParameterInfo[];
  readonly trainableParameters: number;
  /** Base and added parameters and the head together. */
  readonly totalParameters: number;
  /** Bytes of optimizer state (moments). */
  readonly optimizerBytes: number;
  /** One optimizer step over one or more micro-batches (gradient accumulation). Synchronous work inside: run it in the trainer process. */
  step(batches: readonly Batch[], learningRate: number): Promise<StepResult>;
  /** Forward without dropout. Classification: logits [batch, labels]. */
  predict(batch: Batch): Promise<Float32Array>;
  /** Loss without dropout over one batch: sum and weight, so that means over many batches are exact. */
  evaluate(batch: Batch): Promise<{ lossSum: number; weightSum: number; logits: Float32Array }>;
  /** Trained parameters by name, and the others that are not the base's own: copies, or with `live` the trainer's own memory, which the next step changes. */
  parameters(live?: boolean): NamedTensors;
  /** Everything a resumed run needs besides the data position: parameters, moments, step count. Copies, or with `live` the trainer's own memory, which the next step changes. */
  saveState(live?: boolean): NamedTensors;
  loadState(state: NamedTensors): void;
  /** Puts parameters back (the best checkpoint), leaving moments alone. */
  loadParameters(parameters: NamedTensors): void;
  dispose(): Promise<void>;
}

export interface PredictorOptions {
  readonly model: BaseModelInfo;
  readonly method: MethodSpec;
  readonly objective: ObjectiveSpec;
  /** Trained parameters by name; empty for the untrained base with a fresh head. */
  readonly parameters: NamedTensors;
  readonly tokenize?: (text: string) => Promise<readonly number[]>;
  readonly seed: number;
  readonly device: DeviceId;
  readonly threads?: number;
}

export interface EnginePredictor {
  /** Classification: logits [batch, labels]. */
  predict(batch: Batch): Promise<Float32Array>;
  dispose(): Promise<void>;
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
    | 'stairs'
    | 'frame'
    | 'bowtie'
    | 'ring'
    | 'pentagon';
  readonly colour: string;
  readonly summary: string;
  /** Markdown: what it does, when to use it, the paper. */
  readonly help: string;
  readonly options: z.ZodType;
  readonly learningRate: number;
  readonly exports: readonly ('peft' | 'adapterhub' | 'merged' | 'onnx')[];
  /** Setting as tables show it: "r 8, query value". */
  describe(options: MethodSpec): string;
}
