/** Forward passes without dropout: predictions and losses. */
import type { Batch, DeviceId, EngineScorer, Evaluation, PredictorOptions } from '../types.js';
import { BucketValues, shapeOfBucket } from '../optim/buckets.js';
import { feedBatch } from './feeds.js';
import { floatsOf, GraphSession, runtime, scalarOf, type Feeds, type Runtime } from './session.js';
import { readerOf } from './reader.js';
import { build, prepare, resolver, startStores, weightsOf, type ParameterStore, type Setup } from './setup.js';

/** Tensors over the store's own memory: the session reads (and may overwrite) it in place. */
export function parameterFeeds(ort: Runtime, store: ParameterStore): Feeds {
  const feeds: Feeds = {};
  for (const bucket of store.buckets) {
    feeds[bucket.name] = new ort.Tensor('float32', store.valuesOf(bucket.name), [...shapeOfBucket(bucket)]);
  }
  return feeds;
}

export class Evaluator {
  private constructor(
    private readonly ort: Runtime,
    private readonly setup: Setup,
    private readonly session: GraphSession,
    private readonly parameters: Feeds,
    private readonly device: DeviceId,
  ) {}

  static async create(
    setup: Setup,
    { trained, fixed }: { trained: ParameterStore; fixed: ParameterStore },
    options: { device: DeviceId; threads?: number },
  ): Promise<Evaluator> {
    const ort = await runtime();
    const values = [new BucketValues(trained.buckets), new BucketValues(fixed.buckets)] as const;
    const { b, logits, lossSum, losses } = build(setup, {
      training: false,
      packed: true,
      modelDropout: null,
      resolve: resolver(...values),
    });
    if (logits) b.g.output('logits', logits);
    if (losses) b.g.output('losses', losses);
    b.g.output('loss_sum', lossSum);
    const session = await GraphSession.create(b.g, {
      ...options,
      folder: setup.info.folder,
      weights: weightsOf(setup),
    });
    return new Evaluator(
      ort,
      setup,
      session,
      { ...parameterFeeds(ort, trained), ...parameterFeeds(ort, fixed) },
      options.device,
    );
  }

  async evaluate(batch: Batch): Promise<Evaluation> {
    const { feeds, weight } = feedBatch(this.ort, batch, this.setup);
    const outputs = Object.fromEntries(this.session.model.outputs.map((name) => [name, null]));
    const result = await this.session.run({ ...feeds, ...this.parameters }, outputs, this.device);
    const own = (name: string) => (name in outputs ? Float32Array.from(floatsOf(result[name])) : new Float32Array());
    return {
      lossSum: scalarOf(result['loss_sum']),
      weightSum: weight,
      logits: own('logits'),
      tokenLosses: own('losses'),
    };
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }
}

/** A predictor over trained parameters; with none, the untrained base with a fresh head. */
export async function createPredictor(options: PredictorOptions): Promise<EngineScorer> {
  const setup = prepare({ ...options, method: readerOf(options, options.parameters) });
  const stores = await startStores(setup, { ...options, given: options.parameters });
  const evaluator = await Evaluator.create(setup, stores, options);
  return {
    predict: async (batch) => (await evaluator.evaluate(batch)).logits,
    evaluate: (batch) => evaluator.evaluate(batch),
    dispose: () => evaluator.dispose(),
  };
}
