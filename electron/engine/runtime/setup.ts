/** What training and predicting share: the method chosen, the parameters planned, the weights found. */
import { basename } from 'node:path';
import { EngineError } from '../errors.js';
import { Builder, type BuilderOptions, type ParameterSpec } from '../models/builder.js';
import { internals, type OpenedModel } from '../models/folder.js';
import type { Hooks } from '../models/types.js';
import { buildObjective, type ObjectiveGraph } from '../objectives/objective.js';
import type { WeightSource } from '../onnx/writer.js';
import { packParameters, type Bucket, type BucketEntry } from '../optim/buckets.js';
import { chooseMethod } from '../peft/index.js';
import type { BaseModelInfo, MethodSpec, NamedTensors, ObjectiveSpec } from '../types.js';
import { initialize } from './random.js';

export interface Setup {
  readonly info: BaseModelInfo;
  readonly model: OpenedModel;
  readonly objective: ObjectiveSpec;
  readonly hooks: Hooks;
  readonly trains: (name: string) => boolean;
  /** Every parameter of the forward pass, base, added and head, in the order of use. */
  readonly parameters: readonly ParameterSpec[];
}

export interface SetupOptions {
  readonly model: BaseModelInfo;
  readonly method: MethodSpec;
  readonly objective: ObjectiveSpec;
}

/** Validates a method against a model and plans its parameters; no tensor is read. Throws EngineError. */
export function prepare({ model: info, method: spec, objective }: SetupOptions): Setup {
  const model = internals(info);
  const { method, options } = chooseMethod(spec);
  const isHead = (name: string) => model.architecture.headModules.some((module) => name.startsWith(`${module}.`));
  // What the checkpoint lacks (a pooler, a masked-LM head) starts fresh and has to learn.
  const trains = (name: string) => isHead(name) || model.find(name) === undefined || method.trains(name, options);
  const hooks = method.hooks(options, { architecture: model.architecture });
  const setup = { info, model, objective, hooks, trains };
  const { b } = build(setup, { training: false, packed: true, modelDropout: null });
  const parameters = [...b.parameters.values()];
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
  return { ...setup, parameters };
}

/** The forward pass with its loss. */
export function build(
  setup: Omit<Setup, 'parameters'>,
  options: Pick<BuilderOptions, 'training' | 'packed' | 'modelDropout' | 'resolve'>,
): { b: Builder } & ObjectiveGraph {
  const b = new Builder({ hooks: setup.hooks, trains: setup.trains, ...options });
  return { b, ...buildObjective(b, setup.model.architecture, setup.model.config, setup.objective) };
}

/** Frozen weights, by the place where they lie. */
export function weightsOf(setup: Setup): (name: string) => WeightSource {
  return (name) => {
    const entry = setup.model.find(name);
    if (!entry) throw new EngineError('bad-model', `${setup.info.folder}: the weights do not hold ${name}.`);
    return { file: basename(entry.path), offset: entry.offset, length: entry.length, dtype: entry.dtype };
  };
}

/** The trainable parameters and their values. */
export class ParameterStore {
  readonly buckets: readonly Bucket[];
  readonly #data: ReadonlyMap<string, Float32Array>;

  constructor(readonly specs: readonly ParameterSpec[]) {
    this.buckets = packParameters(specs);
    this.#data = new Map(this.buckets.map(({ name, size }) => [name, new Float32Array(size)]));
  }

  get size(): number {
    return this.buckets.reduce((sum, bucket) => sum + bucket.size, 0);
  }

  /** The memory of a bucket. */
  valuesOf(bucket: string): Float32Array {
    return this.#data.get(bucket) as Float32Array;
  }

  *entries(): Generator<{ entry: BucketEntry; view: Float32Array }> {
    for (const bucket of this.buckets) {
      const data = this.valuesOf(bucket.name);
      for (const entry of bucket.entries) yield { entry, view: data.subarray(entry.offset, entry.offset + entry.size) };
    }
  }

  /** Values given, else the checkpoint's, else a seeded start. */
  async start(setup: Setup, seed: number, given: NamedTensors): Promise<void> {
    this.assertKnown(given);
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
      else view.set(initialize(entry.name, entry.size, spec.initializer, seed));
    }
  }

  assertKnown(given: NamedTensors): void {
    const names = new Set(this.specs.map((spec) => spec.name));
    for (const name of given.keys()) {
      if (!names.has(name))
        throw new EngineError(
          'bad-input',
          `The start values hold ${name}, which does not train here.`,
          'Use the method and options that the values were trained with.',
          { name },
        );
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
