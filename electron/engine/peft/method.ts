/** What a PEFT method is: one file of this shape, registered by itself. */
import type { z } from 'zod';
import type { Architecture, Hooks, ModelConfig } from '../models/types.js';
import type {
  BaseModelInfo,
  MethodDescription,
  MethodSpec,
  NamedTensors,
  ParameterInfo,
  StagePlan,
  Tensor,
  ObjectiveSpec,
} from '../types.js';
import type { AdapterHubFormat } from './adapterhub.js';
import type { HubSetup } from './hub-setup.js';

export interface MethodContext {
  readonly architecture: Architecture;
}

/** Which stage on which model is asked about. */
export interface StagePlace {
  /** Counted from 0; 0 for methods without stages. */
  readonly stage: number;
  /** Layers of the model. */
  readonly layers: number;
}

/** What a tensor is merged for. */
export interface MergedContext extends MethodContext {
  readonly objective: ObjectiveSpec;
}
export interface MergeContext extends MethodContext {
  readonly layers: number;
  readonly config: ModelConfig;
  /** The objective whose head goes on by itself, in a further round, above what is merged; null where head and all are merged. */
  readonly below: ObjectiveSpec['type'] | null;
}

/** What hooks may look at. */
export interface HookContext extends MethodContext {
  readonly config: ModelConfig;
}

/** What a method does between the steps of a training, and remembers. */
export interface StepWatch {
  /** Trained tensors whose gradients it reads. */
  readonly observed: readonly string[];
  /** Its memory, by name: part of every checkpoint, so that a resumed run goes on to the same numbers. */
  readonly state: NamedTensors;
  /**
   * Called after the update of step `step` (counted from 1). `parameters` are the trained tensors in the trainer's own memory,
   * which it may change; `gradients` are the observed ones of this step, as the optimizer saw them (clipped).
   */
  afterStep(step: number, parameters: NamedTensors, gradients: NamedTensors): void;
}

/** The search for the words of a real prompt (runtime/search.ts), in the place of training. */
export interface WordingSearch {
  /** Tokens of the wording; null for as many as the text has. */
  readonly tokens: number | null;
  /** The text that it starts from; null for words drawn with the seed. */
  readonly text: string | null;
  /** Exchanges that are tried at a position, and positions of a step. */
  readonly candidates: number;
  readonly positions: number;
}

/** What a peft codec may look at beside its own options and tensors. */
export interface PeftContext extends MethodContext {
  readonly model: BaseModelInfo;
  /** The shortest names that choose exactly these modules by peft's rule (equal, or ending in "." and the name). */
  targetNames(modules: ReadonlySet<string>): string[];
}

/**
 * How a method stands in a Hugging Face peft folder. The folder's common part (tensor prefixes, the task's head, labels, the
 * keys that every adapter_config.json has, checks of names and shapes against the base) is electron/interchange/peft.ts.
 * `O`: the method's options; `C`: the method's own keys of adapter_config.json.
 */
export interface PeftFormat<O = unknown, C = unknown> {
  /** `peft_type` of adapter_config.json that this method reads: "LORA". One method a type. */
  readonly peftType: string;
  /** What follows a module's path in the names of the file's tensors: "lora_A.weight". */
  readonly moduleTensors?: readonly string[];
  /** Whole names of tensors that belong to no module, as in the file: "prompt_embeddings", "base_model.vera_A". */
  readonly modelTensors?: readonly string[];
  /** peft wraps no module for prompts, so the head's names begin with "base_model." and not with "base_model.model.". */
  readonly promptLearning?: boolean;
  /** The method's own keys; a message says what is not supported ("DoRA is not supported"). */
  readonly config: z.ZodType<C>;
  /**
   * Its own keys of adapter_config.json (`peft_type` among them where it differs from `peftType`) and its tensors: those of a
   * module as "path.lora_A.weight", others as in `modelTensors`. `trained`: all that it added, without the head. `note`: what
   * whoever loads the folder must know beyond that, a sentence for its README.
   * Throws EngineError 'bad-input' for options that peft does not have.
   */
  write(
    options: O,
    trained: NamedTensors,
    context: PeftContext,
  ): { readonly config: Readonly<Record<string, unknown>>; readonly tensors: NamedTensors; readonly note?: string };
  /**
   * The method and its parameters by the engine's names; `tensors` as `write` gives them, module paths as in the base. Their
   * names and shapes are checked afterwards against what the method adds to this base.
   * Throws EngineError 'bad-file' naming key or tensor.
   */
  read(
    config: C,
    tensors: NamedTensors,
    context: PeftContext,
  ): { readonly method: MethodSpec; readonly parameters: NamedTensors };
  /**
   * Keys that differ from those of `write` where peft is to train the method from its start, or why peft cannot. Left out: none
   * differ.
   */
  start?(options: O): PeftStart;
}

export type PeftStart = { readonly config: Readonly<Record<string, unknown>> } | { readonly reason: string };

export interface PeftMethod<O = unknown, C = unknown> extends Omit<
  MethodDescription,
  'options' | 'describe' | 'exports' | 'searches'
> {
  /** Formats beside the studio's own. */
  readonly exports: readonly Exclude<MethodDescription['exports'][number], 'studio'>[];
  /** Options with defaults; unknown keys are refused. */
  readonly options: z.ZodType<O>;
  /** Setting as tables show it: "r 8, query value". */
  describe(options: O): string;
  /** The options with what stands for those left out, where that depends on others; left out: nothing does. */
  whole?(options: O): Readonly<Record<string, unknown>>;
  /** Its stages on a model of so many layers; left out: it trains in one. Throws EngineError 'bad-input' where they do not fit. */
  stages?(options: O, layers: number): StagePlan;
  /** Does a parameter of the base train (in a stage)? The task's head always does. */
  trains(name: string, options: O, place: StagePlace): boolean;
  /** What of the base it trains, in words, if a base may lack it: "biases". */
  readonly needs?: string;
  /** Factor of the plan's (or the stage's) learning rate for a trainable parameter; left out: 1. */
  rate?(name: string, options: O, place: StagePlace): number;
  /** Positions of the model that its virtual tokens take from the text; left out: none. */
  positions?(options: O): number;
  /**
   * The method that reads what a finished run keeps, where that is computed (`Builder.keep`) from what trained. Left out or null:
   * a run keeps what it trained.
   */
  kept?(options: O): MethodSpec | null;
  /** Where it hooks into the forward pass. */
  hooks(options: O, context: HookContext): Hooks;
  /**
   * Looks at every step of a training of `steps` steps and may change what trains; most methods leave it out.
   * Throws EngineError 'bad-input' for options that do not fit so many steps.
   */
  watch?(options: O, trained: readonly ParameterInfo[], steps: number): StepWatch;
  /** Nothing trains: a wording is searched for. Such a method always answers by a verbalizer. */
  search?(options: O): WordingSearch;
  /** Why these options do not merge; null, or left out: they do. */
  unmergeable?(options: O, context: MergeContext): string | null;
  /** Units that a merged model has more in each feed-forward layer; left out: none. */
  widens?(options: O, context: MergeContext): number;
  /** The merged value of a tensor of base or head, or null where the method leaves it (methods that merge only). */
  merge?(name: string, base: Tensor, trained: NamedTensors, options: O, context: MergedContext): Tensor | null;
  /**
   * How a merge is taken out again: `update`: what was added is subtracted; `factor`: what was multiplied is divided; or why it
   * cannot be, in a sentence. Left out: what it merged stands in the place of the base's own values.
   */
  undo?(options: O): 'update' | 'factor' | { readonly reason: string };
  /** Reads and writes Hugging Face peft folders; methods that export 'peft' have it. */
  readonly peft?: PeftFormat<O, C>;
  /** Reads and writes folders of AdapterHub's library; methods that export 'adapterhub' have it, or the next. */
  readonly adapterhub?: AdapterHubFormat<O>;
  /** Of a method over finished adapters: the library's composition of them. */
  readonly hubSetup?: HubSetup<O>;
}

const methods = new Map<string, PeftMethod>();

export function registerMethod<O, C = unknown>(method: PeftMethod<O, C>): void {
  if (methods.has(method.type)) throw new Error(`Method ${method.type} is registered twice.`);
  if (method.exports.includes('peft') !== (method.peft !== undefined))
    throw new Error(`Method ${method.type} exports 'peft' exactly if it has a peft format.`);
  if (method.exports.includes('adapterhub') !== ((method.adapterhub ?? method.hubSetup) !== undefined))
    throw new Error(`Method ${method.type} exports 'adapterhub' exactly if it has an AdapterHub format or setup.`);
  const other = registeredMethods().find(({ peft }) => peft && peft.peftType === method.peft?.peftType);
  if (other) throw new Error(`Methods ${other.type} and ${method.type} both read ${method.peft?.peftType}.`);
  methods.set(method.type, method as PeftMethod);
}

export function registeredMethods(): readonly PeftMethod[] {
  return [...methods.values()];
}

export function findMethod(type: string): PeftMethod | undefined {
  return methods.get(type);
}
