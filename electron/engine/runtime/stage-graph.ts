/** The graphs that a training step runs, up to the gradients: the update follows in trainer.ts. */
import { differentiate } from '../autodiff/reverse.js';
import { Graph } from '../graph/graph.js';
import type { Value } from '../graph/ir.js';
import type { DropoutSite } from '../models/builder.js';
import { BucketValues, shapeOfBucket, type Bucket } from '../optim/buckets.js';
import { build, resolver, type ParameterStore, type Setup } from './setup.js';
import type { UsedRows } from './used-rows.js';

export interface StageGraph {
  readonly g: Graph;
  readonly dropouts: readonly DropoutSite[];
  readonly gradients: ReadonlyMap<Bucket, Value>;
  /** The same by pieces, in the order in which they are made: what the norm adds up. */
  readonly pieces: readonly Value[];
}

export interface StageParts {
  readonly setup: Setup;
  readonly store: ParameterStore;
  readonly fixed: ParameterStore;
  /** The word table's, where it trains by its used rows. */
  readonly used: UsedRows | null;
  readonly modelDropout: number | null;
  readonly gradientCheckpointing: boolean;
  /** Layers below the first that is computed (see frozen-layers.ts). */
  readonly skippedLayers: number;
}

/** Input that holds the gradients of a bucket added up over micro-batches. */
export const sumName = (bucket: Bucket) => `${bucket.name} sum`;

/** Forward and backward pass. */
export function differentiated({
  setup,
  store,
  fixed,
  used,
  modelDropout,
  gradientCheckpointing,
  skippedLayers,
}: StageParts): StageGraph {
  const values = new BucketValues(store.buckets);
  const { b, lossSum } = build(setup, {
    training: true,
    packed: true,
    modelDropout,
    skippedLayers,
    resolve: resolver(values, new BucketValues(fixed.buckets)),
  });
  const { g, dropouts } = b;
  const penalty = setup.hooks.penalty?.(b);
  // Every micro-batch carries its share of the penalty, so that a step counts it once.
  const loss = penalty ? g.add(lossSum, g.mul(penalty, g.input('micro_share', 'float32', []))) : lossSum;
  g.output('loss', loss);
  const names = [...values.parameters.keys()];
  // Of a table read by rows, the rows that were read.
  const wrt = [...values.parameters].map(([name, value]) => (name === used?.name ? (b.words?.read ?? value) : value));
  const each = differentiate(g, loss, wrt, { recompute: gradientCheckpointing ? b.layerEnds : [] }).map((own, i) =>
    used && names[i] === used.name ? used.gradient(g, own) : own,
  );
  const byName = new Map(names.map((name, i) => [name, each[i] as Value]));
  return {
    g,
    dropouts,
    gradients: new Map(store.buckets.map((bucket) => [bucket, values.join(g, bucket, byName)])),
    // The runtime walks the graph from its end, the first operand last: so each gradient is made, and what it needs let go, as
    // the backward pass comes by.
    pieces: each.sort((a, b) => a.id - b.id),
  };
}

/** The gradients that were added up over micro-batches. */
export function gathered({ store, used }: Pick<StageParts, 'store' | 'used'>): StageGraph {
  const g = new Graph();
  const gradients = new Map(
    store.buckets.map((bucket) => {
      const shape = bucket === used?.bucket ? used.gradientShape : shapeOfBucket(bucket);
      return [bucket, g.input(sumName(bucket), 'float32', shape)];
    }),
  );
  return { g, dropouts: [], gradients, pieces: [...gradients.values()] };
}
