/**
 * Text by a causal language model, token by token. Keys and values of earlier tokens are kept: they lie sequence first, so that
 * a step writes its own behind them in place.
 */
import { EngineError } from '../errors.js';
import { Builder } from '../models/builder.js';
import type { DecoderConfig } from '../models/types.js';
import { BucketValues } from '../optim/buckets.js';
import type { EngineGenerator, Generated, GenerateOptions, GeneratorOptions, NamedTensors } from '../types.js';
import { frozenWeights } from './frozen.js';
import { keyOf, mix } from './random.js';
import { readerOf } from './reader.js';
import { checkSampling, greedy, nextToken } from './sampling.js';
import { floatsOf, GraphSession, runtime, type Feeds, type Runtime } from './session.js';
import { prepare, resolver, startStores, weightsOf, type ParameterStore, type Setup } from './setup.js';

/** Keys and values of one text, [length, width] each, by their names in the graph. */
class KeyValueCache {
  length = 0;
  #capacity = 0;
  readonly #data = new Map<string, Float32Array>();

  constructor(
    private readonly ort: Runtime,
    private readonly names: readonly string[],
    private readonly width: number,
  ) {}

  /** Makes room for `tokens` more. */
  #reserve(tokens: number): void {
    if (this.length + tokens <= this.#capacity) return;
    this.#capacity = Math.max(256, 2 * (this.length + tokens));
    for (const name of this.names) {
      const grown = new Float32Array(this.#capacity * this.width);
      grown.set((this.#data.get(name) ?? new Float32Array()).subarray(0, this.length * this.width));
      this.#data.set(name, grown);
    }
  }

  /** Views of what is there, and of the room behind it where `tokens` more are written. */
  views(tokens: number): { past: Feeds; next: Feeds } {
    this.#reserve(tokens);
    const view = (from: number, to: number) => (name: string) =>
      new this.ort.Tensor(
        'float32',
        (this.#data.get(name) as Float32Array).subarray(from * this.width, to * this.width),
        [to - from, 1, this.width],
      );
    const feeds = (key: string, make: (name: string) => Feeds[string]): Feeds =>
      Object.fromEntries(this.names.map((name) => [`${key}.${name}`, make(name)]));
    return {
      past: feeds('past', view(0, this.length)),
      next: feeds('present', view(this.length, this.length + tokens)),
    };
  }
}

/** What generators of one method and options share: a session over the frozen base, and how many use it. */
interface Shared {
  readonly ort: Runtime;
  readonly setup: Setup;
  readonly session: GraphSession;
  /** Weights of the base, where they are fed. */
  readonly frozen: Feeds;
  readonly caches: readonly string[];
  readonly options: GeneratorOptions;
  users: number;
}

const objective = { type: 'causal-lm' } as const;

class Generator implements EngineGenerator {
  readonly #parameters: Feeds;
  #disposed = false;

  private constructor(
    private readonly shared: Shared,
    { trained, fixed }: { readonly trained: ParameterStore; readonly fixed: ParameterStore },
  ) {
    const { ort, frozen } = shared;
    this.#parameters = { ...frozen, ...trained.feeds(ort), ...fixed.feeds(ort) };
    shared.users += 1;
  }

  static async create(options: GeneratorOptions): Promise<Generator> {
    const method = readerOf({ ...options, objective }, options.parameters);
    const setup = prepare({ ...options, objective, method });
    const stores = await startStores(setup, { ...options, given: options.parameters });
    const { architecture, config } = setup.model;
    const b = new Builder({
      hooks: setup.hooks,
      trains: setup.trains,
      carries: setup.carries,
      training: false,
      packed: false,
      cached: true,
      // Other devices hold what lies in the model in their own memory; fed, it would be sent there at each token.
      fed: options.device === 'cpu',
      modelDropout: null,
      resolve: resolver(new BucketValues(stores.trained.buckets), new BucketValues(stores.fixed.buckets)),
    });
    b.g.output('logits', architecture.predictTokens(b, config, architecture.encode(b, config, 'last')));
    for (const [name, value] of b.presents) b.g.output(`present.${name}`, value);
    const session = await GraphSession.create(b.g, {
      ...options,
      folder: setup.info.folder,
      weights: weightsOf(setup),
    });
    const ort = await runtime();
    const fed = session.model.inputs.filter((name) => b.parameters.has(name));
    const frozen = await frozenWeights(ort, setup.model, fed);
    const shared = { ort, setup, session, frozen, caches: [...b.presents.keys()], users: 0 };
    return new Generator({ ...shared, options: { ...options, method } }, stores);
  }

  async another(parameters: NamedTensors): Promise<Generator> {
    const { setup, options } = this.shared;
    const method = readerOf({ ...options, objective }, parameters);
    if (JSON.stringify(method) !== JSON.stringify(options.method))
      throw new EngineError('bad-input', 'These parameters are read by another method than the generator’s.');
    const stores = await startStores(setup, { ...options, given: parameters });
    if (this.#disposed) throw new EngineError('bad-input', 'This generator has been let go.');
    return new Generator(this.shared, stores);
  }

  /** Tokens that a text and what is added to it may have. */
  get #room(): number {
    const { hooks, info } = this.shared.setup;
    return info.maxLength - (hooks.prompt?.tokens ?? 0) - (hooks.prefix?.positions ? hooks.prefix.tokens : 0);
  }

  /** Runs the model over tokens behind those of the cache: logits of what follows [vocabulary]. */
  async #next(ids: readonly number[], cache: KeyValueCache, virtual: number): Promise<Float32Array> {
    const { ort, session, options } = this.shared;
    const longs = (values: readonly number[], shape: readonly number[]) =>
      new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
    const count = virtual + ids.length;
    const { past, next } = cache.views(count);
    const positions = Array.from({ length: count }, (_, i) => cache.length + i);
    const feeds = {
      input_ids: longs(ids, [1, ids.length]),
      positions: longs(positions, [count]),
      virtual_rows: longs(
        Array.from({ length: virtual }, (_, i) => i),
        [virtual],
      ),
      ...past,
      ...this.#parameters,
    };
    const result = await session.run(feeds, { logits: null, ...next }, options.device);
    cache.length += count;
    return floatsOf(result['logits']);
  }

  async *generate(prompt: readonly number[], o: GenerateOptions): AsyncGenerator<number, Generated> {
    const { ort, setup, caches } = this.shared;
    const { hooks, info, model } = setup;
    const sampling = { ...greedy, ...o };
    checkSampling(sampling);
    if (prompt.length === 0)
      throw new EngineError('bad-input', 'prompt: has no tokens.', 'Give a text of at least a word.', {
        path: 'prompt',
      });
    const outside = prompt.find((id) => !Number.isInteger(id) || id < 0 || id >= info.vocabularySize);
    if (outside !== undefined)
      throw new EngineError('bad-input', `prompt: token ${outside} is not in 0 to ${info.vocabularySize - 1}.`);
    if (prompt.length >= this.#room)
      throw new EngineError(
        'bad-input',
        `prompt: ${prompt.length} tokens leave no room among the ${this.#room} that the model takes.`,
        'Use a shorter prompt.',
        { path: 'prompt' },
      );
    const { keyHeads, headWidth } = model.config as DecoderConfig;
    const cache = new KeyValueCache(ort, caches, keyHeads * headWidth);
    const text = [...prompt];
    const stops = new Set(o.stopTokens ?? []);
    let logits = await this.#next(prompt, cache, hooks.prompt?.tokens ?? 0);
    for (let count = 0; ; count++) {
      if (o.signal?.aborted) return { reason: 'aborted', tokens: text.slice(prompt.length) };
      if (count >= o.maxNewTokens || text.length >= this.#room)
        return { reason: 'length', tokens: text.slice(prompt.length) };
      const draw = mix(keyOf(o.seed ?? 0, count)) / 4_294_967_296;
      const token = nextToken(logits, text, sampling, draw);
      if (stops.has(token)) return { reason: 'stop', tokens: text.slice(prompt.length) };
      text.push(token);
      yield token;
      if (await o.stop?.(text.slice(prompt.length))) return { reason: 'stop', tokens: text.slice(prompt.length) };
      if (count + 1 < o.maxNewTokens && text.length < this.#room) logits = await this.#next([token], cache, 0);
    }
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.shared.users -= 1;
    if (this.shared.users === 0) await this.shared.session.dispose();
  }
}

/** A generator over trained parameters; with the method "head" and none, the base itself. Throws EngineError. */
export function createGenerator(options: GeneratorOptions): Promise<EngineGenerator> {
  return Generator.create(options);
}
