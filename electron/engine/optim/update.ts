/** The optimizer as part of the graph: clipping by global norm, then AdamW or SGD, part by part. */
import type { Shape } from '../graph/dims.js';
import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/ir.js';
import type { OptimizerSpec } from '../types.js';
import type { Bucket } from './buckets.js';

export const momentNames = { adamw: ['first', 'second'], sgd: ['momentum'] } as const;

/** A run of a bucket's values that is updated on its own. */
export interface Part {
  readonly name: string;
  readonly bucket: Bucket;
  /** Along the first axis of the bucket's gradient. */
  readonly start: number;
  readonly end: number;
  /** Of its values, moments and gradient. */
  readonly shape: Shape;
}

/**
 * Cuts a bucket into parts of about `size` values. An update is a dozen passes over its operands: over a whole embedding table
 * each of them goes through main memory, over a part all but the first stay in the processor's cache.
 */
export function partsOf(bucket: Bucket, size: number): Part[] {
  const count = Math.max(1, Math.round(bucket.size / size));
  return Array.from({ length: count }, (_, i) => {
    const [start, end] = [i, i + 1].map((at) => Math.floor((bucket.size * at) / count)) as [number, number];
    const name = count === 1 ? bucket.name : `${bucket.name} part ${i}`;
    return { name, bucket, start, end, shape: [end - start] };
  });
}

export function defaults(spec: OptimizerSpec): Required<OptimizerSpec> {
  return { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentum: 0, ...spec };
}

/** Scalars fed at each step for parameters of a rate factor; their values for step `step` (counted from 1). */
function scalarsOfRate(spec: OptimizerSpec, learningRate: number, step: number): Readonly<Record<string, number>> {
  const { beta1, beta2, weightDecay, epsilon } = defaults(spec);
  if (spec.type === 'sgd') return { rate: learningRate };
  // rate·m / (√v·s + ε) as m / (√v·(s/rate) + ε/rate), a pass less; a rate of 0 stands as one that changes nothing.
  const rate = Math.max(learningRate / (1 - beta1 ** step), 1e-25);
  return {
    second_scale: 1 / Math.sqrt(1 - beta2 ** step) / rate,
    epsilon: epsilon / rate,
    keep: 1 - learningRate * weightDecay,
  };
}

/**
 * Factor that a step leaves of values whose gradients and moments have always been 0; null where they get moments of their own,
 * as by SGD's momentum over its coupled decay.
 */
export function idleFactor(spec: OptimizerSpec, { decays, rate }: Bucket, learningRate: number): number | null {
  const { type, weightDecay, momentum } = defaults(spec);
  if (!decays || weightDecay === 0) return 1;
  return type === 'sgd' && momentum > 0 ? null : 1 - learningRate * rate * weightDecay;
}

const scalarName = (name: string, rate: number) => (rate === 1 ? name : `${name} at ${rate}`);

/** The same for every rate factor among `buckets`. */
export function scalarsAt(
  spec: OptimizerSpec,
  learningRate: number,
  step: number,
  buckets: readonly Bucket[],
): Readonly<Record<string, number>> {
  const rates = new Set(buckets.map(({ rate }) => rate));
  return Object.fromEntries(
    [...rates].flatMap((rate) =>
      Object.entries(scalarsOfRate(spec, learningRate * rate, step)).map(([name, value]) => [
        scalarName(name, rate),
        value,
      ]),
    ),
  );
}

export const valueName = (part: Pick<Part, 'name'>) => `${part.name} value`;
export const momentName = (part: Pick<Part, 'name'>, moment: string) => `${part.name} ${moment}`;
export const nextName = (name: string) => `${name} next`;

/** Global norm of all gradients and the factor that brings it below the limit, as torch.nn.utils.clip_grad_norm_. */
export function clip(g: Graph, gradients: readonly Value[], limit: number | null): { norm: Value; factor: Value } {
  const squares = gradients.map((gradient) => g.total(g.mul(gradient, gradient)));
  const norm = g.sqrt(squares.reduce((sum, square) => g.add(sum, square)));
  // Without a limit the factor is 1 but still hangs on every gradient: no parameter is overwritten while the backward pass reads it.
  const factor = g.minimum(g.scalar(1), g.div(g.scalar(limit ?? 3e38), g.add(norm, g.scalar(1e-6))));
  return { norm, factor };
}

/**
 * Appends the update of one part by its gradient times the clipping factor and names its outputs. Each output may be written
 * over the input of its name: it is computed elementwise from it, last.
 */
export function update(g: Graph, spec: OptimizerSpec, part: Part, gradient: Value, factor: Value): void {
  const { bucket, shape } = part;
  const o = defaults(spec);
  const parameter = g.input(valueName(part), 'float32', shape);
  const moments = momentNames[o.type].map((moment) => g.input(momentName(part, moment), 'float32', shape));
  const scalar = (name: string) => g.input(scalarName(name, bucket.rate), 'float32', []);
  const out = (name: string, value: Value) => g.output(nextName(name), value);
  if (o.type === 'sgd') {
    const [momentum] = moments as [Value];
    const clipped = g.mul(gradient, factor);
    const pulled = bucket.decays && o.weightDecay > 0 ? g.add(clipped, g.scale(parameter, o.weightDecay)) : clipped;
    const next = g.add(g.scale(momentum, o.momentum), pulled);
    out(momentName(part, 'momentum'), next);
    out(valueName(part), g.sub(parameter, g.mul(next, scalar('rate'))));
    return;
  }
  // Loshchilov & Hutter 2017 in torch.optim.AdamW's order
  const [first, second] = moments as [Value, Value];
  const nextFirst = g.add(g.scale(first, o.beta1), g.mul(gradient, g.scale(factor, 1 - o.beta1)));
  const square = g.mul(g.mul(gradient, gradient), g.scale(g.mul(factor, factor), 1 - o.beta2));
  const nextSecond = g.add(g.scale(second, o.beta2), square);
  const change = g.div(nextFirst, g.add(g.mul(g.sqrt(nextSecond), scalar('second_scale')), scalar('epsilon')));
  const kept = bucket.decays && o.weightDecay > 0 ? g.mul(parameter, scalar('keep')) : parameter;
  out(momentName(part, 'first'), nextFirst);
  out(momentName(part, 'second'), nextSecond);
  out(valueName(part), g.sub(kept, change));
}
