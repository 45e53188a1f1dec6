/** What training and predicting share: the method chosen, the parameters planned, the weights found. */
import { basename } from 'node:path';
import { EngineError } from '../errors.js';
import { Builder, type BuilderOptions, type ParameterSpec, type StartSource } from '../models/builder.js';
import { internals, type OpenedModel } from '../models/folder.js';
import type { Hooks } from '../models/types.js';
import { buildObjective, type ObjectiveGraph } from '../objectives/index.js';
import type { WeightSource } from '../onnx/writer.js';
import { packParameters, shapeOfBucket, type Bucket, type BucketEntry, type BucketValues } from '../optim/buckets.js';
import { chooseMethod } from '../peft/index.js';
import type { StagePlace } from '../peft/method.js';
import type { BaseModelInfo, MethodSpec, NamedTensors, ObjectiveSpec } from '../types.js';
import { activationSource } from './activations.js';
import { initialize, uniformOf } from './random.js';
import type { Feeds, Runtime } from './session.js';

export interface Setup {
  readonly info: BaseModelInfo;
  readonly model: OpenedModel;
  readonly objective: ObjectiveSpec;
  readonly hooks: Hooks;
  readonly trains: (name: string) => boolean;
  /** Does a frozen parameter of the base start from a given value (see ParameterSpec.carried)? */
  readonly carries: (name: string) => boolean;
  /** Factor of the learning rate of a trainable parameter. */
  readonly rate: (name: string) => number;
  /** Every parameter of the forward pass, base, added and head, in the order of use. */
  readonly parameters: readonly ParameterSpec[];
  /** Module paths of the linear layers that methods may hook into, in their order. */
  readonly linears: readonly string[];
  /** The table of word embeddings where nothing but the tokens of the text reads from it. */
  readonly wordTable: string | null;
}

export interface SetupOptions {
  readonly model: BaseModelInfo;
  readonly method: MethodSpec;
  /** Counted from 0; left out: all that any stage trains. */
  readonly stage?: number;
  readonly objective: ObjectiveSpec;
}

/** Validates a method against a model and plans its parameters; no tensor is read. Throws EngineError. */
export function prepare(
  { model: info, method: spec, stage, objective }: SetupOptions,
  given: NamedTensors = new Map(),
): Setup {
  const model = internals(info);
  const { method, options } = chooseMethod(spec);
  const isHead = (name: string) => model.architecture.headModules.some((module) => name.startsWith(`${module}.`));
  const all = (method.stages?.(options, info.layers).stages ?? [null]).map((_, at) => ({
    stage: at,
    layers: info.layers,
  }));
  const now = stage === undefined ? all : all.slice(stage, stage + 1);
  const last = now.at(-1);
  if (!last) throw new EngineError('bad-input', `${method.title} has ${all.length} stages, none of number ${stage}.`);
  // What the checkpoint lacks (a pooler, a masked-LM head) starts fresh and has to learn.
  const trainsAt = (name: string, places: readonly StagePlace[]) =>
    isHead(name) || model.find(name) === undefined || places.some((place) => method.trains(name, options, place));
  const trains = (name: string) => trainsAt(name, now);
  const carries = (name: string) => given.has(name) && trainsAt(name, all);
  const hooks = method.hooks(options, { architecture: model.architecture, config: model.config });
  const rate = (name: string) => method.rate?.(name, options, last) ?? 1;
  const setup = { info, model, objective, hooks, trains, carries, rate };
  const { b } = build(setup, { training: false, packed: true, modelDropout: null });
  // A text has two tokens of the tokenizer's own and at least one word.
  if (b.positionsBefore + 3 > info.maxLength)
    throw new EngineError(
      'bad-input',
      `method.numVirtualTokens: ${b.positionsBefore} virtual tokens leave no room for a text among the ${info.maxLength} positions of the model.`,
      `Use at most ${info.maxLength - 3}.`,
      { path: 'method.numVirtualTokens' },
    );
  const parameters = [...b.parameters.values()];
  if (objective.type === 'classification' && objective.verbalizer) requireLanguageHead(info, model, parameters);
  if (method.needs && !parameters.some(({ name }) => all.some((place) => method.trains(name, options, place))))
    throw new EngineError(
      'bad-input',
      `method: ${method.title} trains ${method.needs}, and this ${info.architecture} model has none.`,
      'Choose another method, LoRA for instance.',
      { path: 'method.type' },
    );
  if (Object.keys(hooks).length > 0 && !parameters.some((parameter) => parameter.added)) {
    const modules = [
      ...new Set(
        parameters
          .filter(
            ({ name, shape }) =>
              name.startsWith(model.architecture.prefix) && name.endsWith('.weight') && shape.length === 2,
          )
          .map(({ name }) => name.split('.').at(-2)),
      ),
    ];
    throw new EngineError(
      'bad-input',
      `method: ${method.title} found nothing to attach to in this ${info.architecture} model.`,
      `Choose targetModules among: ${modules.join(', ')}.`,
      { path: 'method.targetModules' },
    );
  }
  return { ...setup, parameters, linears: b.linears, wordTable: wordTableOf(b) };
}

function wordTableOf({ words, g }: Builder): string | null {
  const table = words?.read.node.inputs[0];
  const reads = g.nodes.reduce((sum, { inputs }) => sum + inputs.filter((value) => value === table).length, 0);
  return words && reads === 1 ? words.table : null;
}

/** A verbalizer reads what the checkpoint's language model has learned: fresh weights in its place would answer noise. */
function requireLanguageHead(info: BaseModelInfo, model: OpenedModel, parameters: readonly ParameterSpec[]): void {
  const lacking = parameters.find(({ name, added }) => !added && !model.find(name));
  if (lacking)
    throw new EngineError(
      'bad-input',
      `verbalizer: ${basename(info.folder)} has no language-model head (its weights do not hold ${lacking.name}), so it cannot say which word fits.`,
      `Classify by a head (verbalizer null), or add a checkpoint that was saved with it (${model.architecture.languageModelClass}).`,
      { path: 'verbalizer', tensor: lacking.name },
    );
}

/** Throws EngineError 'bad-input' where nothing would train: head only without a head. A run of no steps needs nothing to train. */
export function requireTrainable(
  { method: spec, steps }: Pick<SetupOptions, 'method'> & { readonly steps?: number },
  { parameters, objective }: Setup,
): void {
  const { method } = chooseMethod(spec);
  if (method.search || steps === 0 || parameters.some(({ trainable }) => trainable)) return;
  const byWords = objective.type === 'classification';
  throw new EngineError(
    'bad-input',
    `method: ${byWords ? 'with a verbalizer' : 'where a model learns to write'} there is no head, and ${method.title} trains nothing else.`,
    byWords
      ? 'Choose another method, or classify by a head (verbalizer null).'
      : 'Choose another method, LoRA for instance.',
    { path: 'method.type' },
  );
}

/** The forward pass with its loss. */
export function build(
  setup: Omit<Setup, 'parameters' | 'linears' | 'wordTable'>,
  options: Pick<BuilderOptions, 'training' | 'packed' | 'modelDropout' | 'resolve' | 'fed' | 'skippedLayers'>,
): { b: Builder } & ObjectiveGraph {
  const b = new Builder({ hooks: setup.hooks, trains: setup.trains, carries: setup.carries, ...options });
  return { b, ...buildObjective(b, setup.model, setup.objective) };
}

/** Frozen weights, by the place where they lie. */
export function weightsOf(setup: Setup): (name: string) => WeightSource {
  return (name) => {
    const entry = setup.model.find(name);
    if (!entry) throw new EngineError('bad-model', `${setup.info.folder}: the weights do not hold ${name}.`);
    return { file: basename(entry.path), offset: entry.offset, length: entry.length, dtype: entry.dtype };
  };
}

export interface StartOptions {
  readonly seed: number;
  /** Values by name that go before everything else. */
  readonly given: NamedTensors;
  readonly tokenize?: StartSource['tokenize'];
}

/** What the start of each parameter may look at, by the parameter's name. */
function sourcesOf(setup: Setup, { seed, tokenize }: StartOptions): (name: string) => StartSource {
  const activations = activationSource({ folder: setup.info.folder, model: setup.model, weights: weightsOf(setup) });
  return (name) => {
    const draw = uniformOf(name, seed);
    return {
      read: (tensor) => setup.model.read(tensor),
      uniform: (count) => Float32Array.from({ length: count }, (_, i) => draw(i)),
      drawn: (other, size, start) => initialize(other, size, start, seed),
      activations,
      tokenize:
        tokenize ??
        (() =>
          Promise.reject(
            new EngineError('bad-input', 'A start from a text needs the base model’s tokenizer.', 'Start at random.'),
          )),
    };
  };
}

/** The trainable parameters and those of other values than the base's that do not train, with their start values. Throws EngineError. */
export async function startStores(
  setup: Setup,
  options: StartOptions,
): Promise<{ trained: ParameterStore; fixed: ParameterStore }> {
  const trained = new ParameterStore(
    setup.parameters.filter(({ trainable }) => trainable),
    'trained',
    setup.rate,
  );
  const fixed = new ParameterStore(
    setup.parameters.filter(({ added, carried, trainable }) => (added || carried) && !trainable),
    'fixed',
  );
  const names = new Set([...trained.specs, ...fixed.specs].map((spec) => spec.name));
  for (const name of options.given.keys()) {
    if (!names.has(name))
      throw new EngineError(
        'bad-input',
        `The start values hold ${name}, which does not train here.`,
        'Use the method and options that the values were trained with.',
        { name },
      );
  }
  const sources = sourcesOf(setup, options);
  await trained.start(setup, options, sources);
  await fixed.start(setup, options, sources);
  return { trained, fixed };
}

/** Resolves parameters of both stores in a graph. */
export function resolver(trained: BucketValues, fixed: BucketValues): NonNullable<BuilderOptions['resolve']> {
  return (g, spec) => (spec.trainable ? trained : fixed).resolve(g, spec.name);
}

/** Parameters that are fed to the graph, and their values. */
export class ParameterStore {
  readonly buckets: readonly Bucket[];
  readonly #data: ReadonlyMap<string, Float32Array>;

  constructor(
    readonly specs: readonly ParameterSpec[],
    kind: 'trained' | 'fixed' = 'trained',
    rate: (name: string) => number = () => 1,
  ) {
    this.buckets = packParameters(specs, kind, rate);
    this.#data = new Map(this.buckets.map(({ name, size }) => [name, new Float32Array(size)]));
  }

  get size(): number {
    return this.buckets.reduce((sum, bucket) => sum + bucket.size, 0);
  }

  /** The memory of a bucket. */
  valuesOf(bucket: string): Float32Array {
    return this.#data.get(bucket) as Float32Array;
  }

  /** Tensors over this store's own memory: a session reads (and may overwrite) it in place. */
  feeds(ort: Runtime): Feeds {
    return Object.fromEntries(
      this.buckets.map((bucket) => [
        bucket.name,
        new ort.Tensor('float32', this.valuesOf(bucket.name), [...shapeOfBucket(bucket)]),
      ]),
    );
  }

  *entries(): Generator<{ entry: BucketEntry; view: Float32Array }> {
    for (const bucket of this.buckets) {
      const data = this.valuesOf(bucket.name);
      for (const entry of bucket.entries) yield { entry, view: data.subarray(entry.offset, entry.offset + entry.size) };
    }
  }

  /** Values given, else the checkpoint's, else the start that the parameter names. */
  async start(setup: Setup, { seed, given }: StartOptions, sources: (name: string) => StartSource): Promise<void> {
    const byName = new Map(this.specs.map((spec) => [spec.name, spec]));
    for (const { entry, view } of this.entries()) {
      const spec = byName.get(entry.name) as ParameterSpec;
      const own = given.get(entry.name);
      if (own) {
        this.#put(entry, view, own.shape, own.data);
        continue;
      }
      const stored = !spec.added && setup.model.find(entry.name) ? await setup.model.read(entry.name) : null;
      // A classifier for other labels is no start for this one.
      if (stored?.shape.join() === entry.shape.join()) view.set(stored.data);
      else if (typeof spec.initializer === 'object' && 'from' in spec.initializer)
        view.set(await spec.initializer.from(sources(spec.name)));
      else view.set(initialize(entry.name, entry.size, spec.initializer, seed));
    }
  }

  #put(entry: BucketEntry, view: Float32Array, shape: readonly number[], data: Float32Array): void {
    if (shape.join() !== entry.shape.join())
      throw new EngineError(
        'bad-input',
        `${entry.name} is [${shape.join(', ')}], but this run needs [${entry.shape.join(', ')}].`,
        'Use the method and options that the values were trained with.',
        { name: entry.name },
      );
    view.set(data);
  }

  /** All values by name: copies, or with `live` this store's own memory. */
  read(prefix = '', live = false): NamedTensors {
    const result: NamedTensors = new Map();
    for (const { entry, view } of this.entries())
      result.set(prefix + entry.name, { shape: entry.shape, data: live ? view : view.slice() });
    return result;
  }

  /** Throws EngineError 'bad-input' where a value is missing or of another shape. */
  write(values: NamedTensors, prefix = ''): void {
    for (const { entry, view } of this.entries()) {
      const value = values.get(prefix + entry.name);
      if (!value)
        throw new EngineError(
          'bad-input',
          `The saved state does not hold ${prefix}${entry.name}.`,
          'The checkpoint belongs to another plan.',
          { name: entry.name },
        );
      this.#put(entry, view, value.shape, value.data);
    }
  }
}
