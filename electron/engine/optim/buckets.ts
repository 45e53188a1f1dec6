/**
 * Trainable parameters as the graph sees them: large tensors stand alone, small ones are packed into one vector for those
 * that decay and one for those that do not, so that an optimizer step is a handful of nodes instead of thousands.
 */
import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/ir.js';
import type { ParameterSpec } from '../models/builder.js';

const LARGE = 65_536;

export interface BucketEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

export interface Bucket {
  readonly name: string;
  readonly size: number;
  /** Matrices decay; biases and LayerNorm do not. */
  readonly decays: boolean;
  /** Factor of the learning rate. */
  readonly rate: number;
  readonly entries: readonly BucketEntry[];
}

/** A large tensor keeps its shape; packed ones are a vector. */
export function shapeOfBucket({ entries, size }: Bucket): readonly number[] {
  return entries.length === 1 ? (entries[0] as BucketEntry).shape : [size];
}

/** `kind` keeps the names of two sets apart; `rate` is a parameter's factor of the learning rate. */
export function packParameters(
  specs: readonly Pick<ParameterSpec, 'name' | 'shape'>[],
  kind: 'trained' | 'fixed' = 'trained',
  rate: (name: string) => number = () => 1,
): Bucket[] {
  const packed = new Map<string, { decays: boolean; rate: number; entries: BucketEntry[] }>();
  const large: Bucket[] = [];
  for (const { name, shape } of specs) {
    const size = shape.reduce((a, d) => a * d, 1);
    const own = { decays: shape.length > 1, rate: rate(name) };
    if (size >= LARGE) {
      large.push({ name: `${kind}.${name}`, size, ...own, entries: [{ name, shape, offset: 0, size }] });
      continue;
    }
    const key = `${kind} ${own.decays ? 'decay' : 'plain'} ${own.rate}`;
    const group = packed.get(key) ?? { ...own, entries: [] };
    packed.set(key, group);
    const last = group.entries.at(-1);
    group.entries.push({ name, shape, offset: last ? last.offset + last.size : 0, size });
  }
  const small = [...packed].map(([name, group]) => ({
    name,
    size: group.entries.reduce((sum, entry) => sum + entry.size, 0),
    ...group,
  }));
  return [...small, ...large];
}

/** The graph's side of the buckets: inputs, and a value for each parameter cut from them. */
export class BucketValues {
  readonly inputs = new Map<Bucket, Value>();
  readonly #entries = new Map<string, { bucket: Bucket; entry: BucketEntry }>();
  readonly parameters = new Map<string, Value>();

  constructor(readonly buckets: readonly Bucket[]) {
    for (const bucket of buckets) for (const entry of bucket.entries) this.#entries.set(entry.name, { bucket, entry });
  }

  input(g: Graph, bucket: Bucket): Value {
    const known = this.inputs.get(bucket);
    if (known) return known;
    const value = g.parameter(bucket.name, shapeOfBucket(bucket), true);
    this.inputs.set(bucket, value);
    return value;
  }

  resolve(g: Graph, name: string): Value {
    const { bucket, entry } = this.#entries.get(name) as { bucket: Bucket; entry: BucketEntry };
    const whole = this.input(g, bucket);
    const value =
      bucket.entries.length === 1
        ? whole
        : g.reshape(g.slice(whole, 0, entry.offset, entry.offset + entry.size), entry.shape);
    this.parameters.set(name, value);
    return value;
  }

  /** One gradient a bucket, of the bucket's shape, from those of its parameters. */
  join(g: Graph, bucket: Bucket, gradients: ReadonlyMap<string, Value>): Value {
    if (bucket.entries.length === 1) return gradients.get((bucket.entries[0] as BucketEntry).name) as Value;
    return g.concat(
      bucket.entries.map((entry) => g.reshape(gradients.get(entry.name) as Value, [entry.size])),
      0,
    );
  }
}
