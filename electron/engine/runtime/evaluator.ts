/** Forward passes without dropout: predictions and losses. */
import type { Batch, DeviceId, EngineScorer, Evaluation, PredictorOptions } from '../types.js';
import { BucketValues } from '../optim/buckets.js';
import { EngineError } from '../errors.js';
import { feedBatch } from './feeds.js';
import { frozenWeights } from './frozen.js';
import type { FrozenLayers } from './frozen-layers.js';
import { floatsOf, GraphSession, runtime, scalarOf, type Feeds, type Runtime } from './session.js';
import { readerOf } from './reader.js';
import {
  build,
  prepare,
  resolver,
  startStores,
  weightsOf,
  type ParameterStore,
  type Setup,
  type StartOptions,
} from './setup.js';

interface Stores {
  readonly trained: ParameterStore;
  readonly fixed: ParameterStore;
}

/** What evaluators of one method and options share. */
interface Shared {
  readonly ort: Runtime;
  readonly setup: Setup;
  readonly session: GraphSession;
  /** Weights of the base, where they are fed. */
  readonly frozen: Feeds;
  /** Where the layers below are computed once a text. */
  readonly below: FrozenLayers | null;
  readonly device: DeviceId;
  users: number;
}

export class Evaluator {
  readonly #parameters: Feeds;
  #disposed = false;

  private constructor(
    private readonly shared: Shared,
    { trained, fixed }: Stores,
  ) {
    const { ort, frozen } = shared;
    this.#parameters = { ...frozen, ...trained.feeds(ort), ...fixed.feeds(ort) };
    shared.users += 1;
  }

  /** `fed`: the base's weights are fed, so that all evaluators of an opened model hold them once. `below` stays the caller's. */
  static async create(
    setup: Setup,
    { trained, fixed }: Stores,
    { device, threads, packWeights }: { device: DeviceId; threads?: number; packWeights?: boolean },
    { fed = false, below = null }: { readonly fed?: boolean; readonly below?: FrozenLayers | null } = {},
  ): Promise<Evaluator> {
    const ort = await runtime();
    const values = [new BucketValues(trained.buckets), new BucketValues(fixed.buckets)] as const;
    const { b, logits, lossSum, losses } = build(setup, {
      training: false,
      packed: true,
      modelDropout: null,
      fed,
      skippedLayers: below?.layers,
      resolve: resolver(...values),
    });
    if (logits) b.g.output('logits', logits);
    if (losses) b.g.output('losses', losses);
    b.g.output('loss_sum', lossSum);
    const session = await GraphSession.create(b.g, {
      device,
      threads,
      packWeights,
      folder: setup.info.folder,
      weights: weightsOf(setup),
    });
    const names = session.model.inputs.filter((name) => b.parameters.has(name));
    const frozen = await frozenWeights(ort, setup.model, names);
    return new Evaluator({ ort, setup, session, frozen, below, device, users: 0 }, { trained, fixed });
  }

  /** Over other parameters, on the same session. */
  async another(options: StartOptions): Promise<Evaluator> {
    const stores = await startStores(this.shared.setup, options);
    if (this.#disposed) throw new EngineError('bad-input', 'This predictor has been let go.');
    return new Evaluator(this.shared, stores);
  }

  async evaluate(batch: Batch): Promise<Evaluation> {
    const { ort, setup, session, below, device } = this.shared;
    const { feeds, weight } = feedBatch(ort, batch, setup);
    Object.assign(feeds, await below?.of(batch));
    const outputs = Object.fromEntries(session.model.outputs.map((name) => [name, null]));
    const result = await session.run({ ...feeds, ...this.#parameters }, outputs, device);
    const own = (name: string) => (name in outputs ? Float32Array.from(floatsOf(result[name])) : new Float32Array());
    return {
      lossSum: scalarOf(result['loss_sum']),
      weightSum: weight,
      logits: own('logits'),
      tokenLosses: own('losses'),
    };
  }

  /** The session goes with the last evaluator on it. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.shared.users -= 1;
    if (this.shared.users === 0) await this.shared.session.dispose();
  }
}

/** A predictor over trained parameters; with none, the untrained base with a fresh head. */
export async function createPredictor(options: PredictorOptions): Promise<EngineScorer> {
  const method = readerOf(options, options.parameters);
  const setup = prepare({ ...options, method });
  const stores = await startStores(setup, { ...options, given: options.parameters });
  // Other devices hold what lies in the model in their own memory; fed, it would be sent there with each batch.
  const fed = options.shareBase === true && options.device === 'cpu';
  return scorer(await Evaluator.create(setup, stores, options, { fed }), { ...options, method });
}

function scorer(evaluator: Evaluator, options: PredictorOptions): EngineScorer {
  return {
    predict: async (batch) => (await evaluator.evaluate(batch)).logits,
    evaluate: (batch) => evaluator.evaluate(batch),
    another: async (parameters) => {
      const method = readerOf(options, parameters);
      if (JSON.stringify(method) !== JSON.stringify(options.method))
        throw new EngineError('bad-input', 'These parameters are read by another method than the predictor’s.');
      return scorer(await evaluator.another({ ...options, given: parameters }), options);
    },
    dispose: () => evaluator.dispose(),
  };
}
