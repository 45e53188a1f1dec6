/** Training: one graph holds forward, backward and optimizer; parameters and moments are overwritten in place. */
import { EngineError } from '../errors.js';
import type { DropoutSite } from '../models/builder.js';
import { shapeOfBucket, type Bucket, type BucketEntry } from '../optim/buckets.js';
import {
  clip,
  idleFactor,
  momentName,
  momentNames,
  nextName,
  partsOf,
  scalarsAt,
  update,
  valueName,
  type Part,
} from '../optim/update.js';
import { chooseMethod } from '../peft/index.js';
import type { StepWatch } from '../peft/method.js';
import type { Batch, EngineTrainer, NamedTensors, StepResult, TrainerOptions } from '../types.js';
import { DeviceState, keepsState, letGo } from './device-state.js';
import { DropoutMasks } from './dropout-masks.js';
import { Evaluator } from './evaluator.js';
import { feedBatch, ofMean, scalarFeeds, type BatchFeeds } from './feeds.js';
import { FrozenLayers, frozenLayersOf } from './frozen-layers.js';
import { keptParameters } from './kept.js';
import { requireWhole } from './reader.js';
import { createSearch } from './search.js';
import { floatsOf, GraphSession, runtime, scalarOf, type Feeds, type Runtime } from './session.js';
import { ParameterStore, prepare, requireTrainable, startStores, weightsOf, type Setup } from './setup.js';
import { differentiated, gathered, sumName } from './stage-graph.js';
import { UsedRows } from './used-rows.js';

/** `whole`: a step in one run. `gather`: gradients of a micro-batch are added up. `apply`: the update from what was added up. */
type Stage = 'whole' | 'gather' | 'apply';

interface StageSession {
  readonly session: GraphSession;
  readonly dropouts: readonly DropoutSite[];
  /** Output to the input that it is written over. */
  readonly inPlace: ReadonlyMap<string, string>;
}

/** Names of parameters in a saved state begin so. */
const ofParameter = 'parameter/';
const watchKey = (name: string) => `watch/${name}`;
const gradientName = (name: string) => `gradient of ${name}`;
/** Values updated together: their dozen temporaries fit a core's cache. A GPU wants few large kernels instead. */
const PART = 131_072;

class Trainer implements EngineTrainer {
  readonly #sessions = new Map<Stage, Promise<StageSession>>();
  readonly #state: Feeds = {};
  readonly #moments: readonly { readonly name: string; readonly store: ParameterStore }[];
  readonly #parts: ReadonlyMap<Bucket, readonly Part[]>;
  readonly #used: UsedRows | null;
  #evaluator: Promise<Evaluator> | undefined;
  readonly #masks: DropoutMasks;
  /** Where values and moments stay between steps, but for those of word embeddings; null where a step overwrites memory. */
  readonly #device: DeviceState | null;
  /** Steps of this stage: the optimizer is a stage's own. */
  #steps = 0;

  constructor(
    private readonly ort: Runtime,
    private readonly setup: Setup,
    private readonly store: ParameterStore,
    private readonly fixed: ParameterStore,
    private readonly options: TrainerOptions,
    private readonly watch: StepWatch | null,
    /** Layers that are computed once a text. */
    private readonly below: FrozenLayers | null,
  ) {
    // The first stage draws what a run without stages would.
    this.#masks = new DropoutMasks(ort, options.stage ? [options.seed, options.stage] : [options.seed]);
    const moments = momentNames[options.optimizer.type];
    const size = options.device === 'cpu' ? PART : Infinity;
    const words = store.buckets.find(
      (bucket) =>
        bucket.entries.length === 1 &&
        bucket.entries[0]?.name === setup.wordTable &&
        idleFactor(options.optimizer, bucket, 0) !== null,
    );
    this.#used = words ? new UsedRows(ort, words, store.valuesOf(words.name), moments, size) : null;
    const whole = store.specs.filter(({ name }) => name !== this.#used?.name);
    this.#moments = moments.map((name) => ({ name, store: new ParameterStore(whole, 'trained', setup.rate) }));
    Object.assign(this.#state, store.feeds(ort), fixed.feeds(ort));
    this.#parts = new Map(
      store.buckets.map((bucket) => [bucket, bucket === words ? this.#wordParts : partsOf(bucket, size)]),
    );
    const flat = (values: ParameterStore, { bucket, start, end }: Part) =>
      new ort.Tensor('float32', values.valuesOf(bucket.name).subarray(start, end), [end - start]);
    for (const part of [...this.#parts.values()].flat()) {
      if (part.bucket === words) continue;
      this.#state[valueName(part)] = flat(store, part);
      for (const { name, store: moments } of this.#moments) this.#state[momentName(part, name)] = flat(moments, part);
    }
    const wholes = [...this.#parts].flatMap(([bucket, [part]]) =>
      part ? [[valueName(part), { name: bucket.name, dims: shapeOfBucket(bucket) }] as const] : [],
    );
    // A method that watches steps reads and writes values after each.
    this.#device = keepsState(options.device) && !watch ? new DeviceState(ort, options.device, new Map(wholes)) : null;
  }

  get #wordParts() {
    return this.#used?.parts ?? [];
  }

  get trainable() {
    return this.store.specs.map(({ name, shape }) => ({ name, shape }));
  }
  get trainableParameters() {
    return this.store.size;
  }
  get totalParameters() {
    return this.setup.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, d) => a * d, 1), 0);
  }
  get optimizerBytes() {
    return this.#moments.reduce((sum, { store }) => sum + store.size * 4, this.#used?.momentBytes ?? 0);
  }
  get mostOptimizerBytes() {
    return this.#moments.length * this.store.size * 4;
  }

  #stage(stage: Stage): Promise<StageSession> {
    let session = this.#sessions.get(stage);
    if (!session) this.#sessions.set(stage, (session = this.#build(stage)));
    return session;
  }

  async #build(stage: Stage): Promise<StageSession> {
    const { optimizer, device, threads, modelDropout, packWeights, loadIn8bit } = this.options;
    const skippedLayers = this.below?.layers ?? 0;
    const parts = {
      setup: this.setup,
      store: this.store,
      fixed: this.fixed,
      used: this.#used,
      modelDropout,
      gradientCheckpointing: this.options.gradientCheckpointing ?? false,
      skippedLayers,
    };
    const { g, dropouts, gradients, pieces } = stage === 'apply' ? gathered(parts) : differentiated(parts);
    if (stage === 'gather') {
      for (const [bucket, gradient] of gradients)
        g.output(nextName(sumName(bucket)), g.add(g.input(sumName(bucket), 'float32', gradient.type.shape), gradient));
    } else {
      const { norm, factor } = clip(g, pieces, optimizer.gradientClip);
      g.output('norm', norm);
      for (const [bucket, gradient] of gradients) {
        const flat = bucket === this.#used?.bucket ? gradient : g.reshape(gradient, [bucket.size]);
        for (const { name, offset, size } of this.#observed(bucket))
          g.output(gradientName(name), g.mul(g.slice(flat, 0, offset, offset + size), factor));
        for (const part of this.#parts.get(bucket) as readonly Part[])
          update(g, optimizer, part, g.slice(flat, 0, part.start, part.end), factor);
      }
    }
    const inPlace = new Map(
      g.outputs.flatMap(({ name }) =>
        name.endsWith(nextName('')) ? [[name, name.slice(0, -nextName('').length)]] : [],
      ),
    );
    const ofWords = new Set<string | undefined>(Object.keys(this.#used?.feeds() ?? {}));
    const session = await GraphSession.create(g, {
      device,
      threads,
      packWeights,
      loadIn8bit,
      ...(this.#device ? { stays: (output) => inPlace.has(output) && !ofWords.has(inPlace.get(output)) } : {}),
      folder: this.setup.info.folder,
      weights: weightsOf(this.setup),
    });
    return { session, dropouts, inPlace };
  }

  /** Tensors of a bucket whose gradients the method reads. */
  #observed(bucket: Bucket): readonly BucketEntry[] {
    return bucket.entries.filter(({ name }) => this.watch?.observed.includes(name));
  }

  async #run(stage: Stage, feeds: Feeds, sizes: Readonly<Record<string, number>>, micro: number): Promise<Feeds> {
    const { session, dropouts, inPlace } = await this.#stage(stage);
    const masks = this.#masks.feeds(dropouts, sizes, [this.#steps, micro]);
    const all = { ...this.#state, ...this.#device?.feeds(), ...feeds, ...masks };
    const into: Feeds = {};
    for (const output of session.model.outputs) {
      const over = inPlace.get(output);
      into[output] = over === undefined ? this.#room(output) : (all[over] as Feeds[string]);
    }
    const result = await session.run(all, into, this.options.device);
    this.#device?.take(result, inPlace, this.#state);
    return result;
  }

  async settle(): Promise<void> {
    await this.#device?.bring(this.#state);
  }

  /** Memory of an output that overwrites nothing: a scalar, or a gradient that the method reads. */
  #room(output: string): Feeds[string] {
    const observed = this.store.buckets.flatMap((bucket) => this.#observed(bucket));
    const size = observed.find(({ name }) => gradientName(name) === output)?.size;
    return new this.ort.Tensor('float32', new Float32Array(size ?? 1), size === undefined ? [] : [size]);
  }

  async step(batches: readonly Batch[], learningRate: number): Promise<StepResult> {
    if (batches.length === 0) throw new EngineError('bad-input', 'A step needs at least one batch.');
    const fed: BatchFeeds[] = [];
    for (const batch of batches) {
      const own = feedBatch(this.ort, batch, this.setup);
      fed.push({ ...own, feeds: { ...own.feeds, ...(await this.below?.of(batch)) } });
    }
    const used = this.#used;
    if (used) {
      for (const { tokenIds } of fed) used.use(tokenIds);
      Object.assign(this.#state, used.feeds());
    }
    const total = fed.reduce((sum, { weight }) => sum + weight, 0);
    const share = scalarFeeds(this.ort, { micro_share: 1 / fed.length });
    const scalars = scalarFeeds(
      this.ort,
      scalarsAt(this.options.optimizer, learningRate, this.#steps + 1, this.store.buckets),
    );
    let loss = 0;
    let result: Feeds;
    if (fed.length === 1) {
      const [only] = fed as [(typeof fed)[number]];
      const places = used?.placesOf(only.tokenIds);
      result = await this.#run(
        'whole',
        { ...ofMean(this.ort, only, total), ...places, ...share, ...scalars },
        only.sizes,
        0,
      );
      loss = scalarOf(result['loss']);
    } else {
      const sums: Feeds = {};
      for (const bucket of this.store.buckets)
        sums[sumName(bucket)] =
          bucket === used?.bucket
            ? used.zeros()
            : new this.ort.Tensor('float32', new Float32Array(bucket.size), [...shapeOfBucket(bucket)]);
      for (const [micro, own] of fed.entries()) {
        const places = used?.placesOf(own.tokenIds);
        const gathered = await this.#run(
          'gather',
          { ...sums, ...ofMean(this.ort, own, total), ...places, ...share },
          own.sizes,
          micro,
        );
        loss += scalarOf(gathered['loss']);
        for (const [name, sum] of Object.entries(sums)) {
          const next = gathered[nextName(name)] as Feeds[string];
          if (next !== sum) letGo(sum);
          sums[name] = next;
        }
      }
      result = await this.#run('apply', { ...sums, ...scalars }, {}, 0);
      for (const sum of Object.values(sums)) letGo(sum);
    }
    this.#steps++;
    if (used) await used.settle(idleFactor(this.options.optimizer, used.bucket, learningRate) ?? 1);
    if (this.watch) {
      const entries = this.store.buckets.flatMap((bucket) => this.#observed(bucket));
      const gradients = entries.map(
        ({ name, shape }) => [name, { shape, data: floatsOf(result[gradientName(name)]) }] as const,
      );
      this.watch.afterStep(this.#steps, this.store.read('', true), new Map(gradients));
    }
    return { loss, gradientNorm: scalarOf(result['norm']) };
  }

  async #evaluate(batch: Batch): ReturnType<Evaluator['evaluate']> {
    await this.settle();
    this.#evaluator ??= Evaluator.create(this.setup, { trained: this.store, fixed: this.fixed }, this.options, {
      below: this.below,
    });
    return this.#evaluator.then((evaluator) => evaluator.evaluate(batch));
  }

  get keptBytes() {
    return this.below?.bytes ?? 0;
  }

  async keep(batch: Batch): Promise<void> {
    await this.below?.of(batch);
  }

  evaluate(batch: Batch) {
    return this.#evaluate(batch);
  }

  async predict(batch: Batch) {
    return (await this.#evaluate(batch)).logits;
  }

  parameters(live = false): NamedTensors {
    this.#device?.requireBrought();
    return new Map([...this.store.read('', live), ...this.fixed.read('', live)]);
  }

  async result(): Promise<NamedTensors> {
    await this.settle();
    return keptParameters(this.setup, this.options, { trained: this.store, fixed: this.fixed });
  }

  saveState(live = false): NamedTensors {
    this.#device?.requireBrought();
    const state = new Map([...this.store.read(ofParameter, live), ...this.fixed.read(ofParameter, live)]);
    for (const { name, store } of this.#moments)
      for (const [key, tensor] of store.read(`${name}/`, live)) state.set(key, tensor);
    for (const [key, tensor] of this.#used?.save(live) ?? []) state.set(key, tensor);
    for (const [name, { shape, data }] of this.watch?.state ?? [])
      state.set(watchKey(name), { shape, data: live ? data : data.slice() });
    // Two halves, since a float32 counts exactly only to 2^24.
    state.set('steps', { shape: [2], data: Float32Array.of(Math.floor(this.#steps / 65_536), this.#steps % 65_536) });
    return state;
  }

  loadState(state: NamedTensors): void {
    const steps = state.get('steps');
    if (!steps)
      throw new EngineError(
        'bad-input',
        'The saved state does not hold the number of steps.',
        'The checkpoint is broken or belongs to another version.',
      );
    this.#device?.drop();
    this.store.write(state, ofParameter);
    this.fixed.write(state, ofParameter);
    for (const { name, store } of this.#moments) store.write(state, `${name}/`);
    this.#used?.load(state);
    for (const [name, { data }] of this.watch?.state ?? []) {
      const saved = state.get(watchKey(name));
      if (saved?.data.length !== data.length)
        throw new EngineError(
          'bad-input',
          `The saved state does not hold ${watchKey(name)} in the right size.`,
          'The checkpoint belongs to another plan.',
          { name },
        );
      data.set(saved.data);
    }
    this.#steps = (steps.data[0] as number) * 65_536 + (steps.data[1] as number);
  }

  loadParameters(parameters: NamedTensors): void | Promise<void> {
    // Moments stay as they are.
    if (this.#device?.behind) return this.settle().then(() => this.loadParameters(parameters));
    this.#device?.drop();
    this.store.write(parameters);
    this.fixed.write(parameters);
    this.#used?.refresh();
  }

  async dispose(): Promise<void> {
    // First, while the sessions that made its values are there.
    await this.#device?.dispose();
    for (const stage of this.#sessions.values()) await (await stage).session.dispose();
    await this.#used?.dispose();
    await (await this.#evaluator)?.dispose();
    await this.below?.dispose();
  }
}

/** The parameters in a saved state, by name. */
export function parametersOf(state: NamedTensors): NamedTensors {
  return new Map(
    [...state]
      .filter(([key]) => key.startsWith(ofParameter))
      .map(([key, tensor]) => [key.slice(ofParameter.length), tensor]),
  );
}

function watchOf({ method: spec, steps }: TrainerOptions, trained: ParameterStore): StepWatch | null {
  const { method, options } = chooseMethod(spec);
  if (!method.watch) return null;
  if (steps === undefined)
    throw new EngineError('bad-input', `${method.title} needs to know how many steps the run has.`, 'Give steps.');
  return method.watch(options, trained.specs, steps);
}

/** Builds the training graph of a model, a method and an objective. Throws EngineError. */
export async function createTrainer(options: TrainerOptions): Promise<EngineTrainer> {
  const { method, options: chosen } = chooseMethod(options.method);
  if (method.search) return createSearch(method.search(chosen), options);
  const given: NamedTensors = options.initial ?? new Map();
  requireWhole(options, given);
  const setup = prepare(options, given);
  requireTrainable(options, setup);
  const { trained, fixed } = await startStores(setup, { ...options, given });
  const ort = await runtime();
  const layers = options.keepFrozenBytes ? frozenLayersOf(setup, options.modelDropout) : 0;
  const below =
    layers > 0 ? new FrozenLayers(ort, setup, { trained, fixed }, options, layers, options.keepFrozenBytes ?? 0) : null;
  return new Trainer(ort, setup, trained, fixed, options, watchOf(options, trained), below);
}
