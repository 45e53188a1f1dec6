/** The optimizer as part of the graph: clipping by global norm, then AdamW or SGD, bucket by bucket. */
import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/ir.js';
import type { OptimizerSpec } from '../types.js';
import type { Bucket } from './buckets.js';

export const momentNames = { adamw: ['first', 'second'], sgd: ['momentum'] } as const;

export function defaults(spec: OptimizerSpec): Required<OptimizerSpec> {
  return { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentum: 0, ...spec };
}

/** Scalars fed at each step; their values for step `step` (counted from 1). */
export function scalarsAt(spec: OptimizerSpec, learningRate: number, step: number): Readonly<Record<string, number>> {
  const { beta1, beta2, weightDecay } = defaults(spec);
  if (spec.type === 'sgd') return { rate: learningRate };
  return {
    rate: learningRate / (1 - beta1 ** step),
    inverse_second: 1 / Math.sqrt(1 - beta2 ** step),
    keep: 1 - learningRate * weightDecay,
  };
}

export const momentName = (bucket: Bucket, moment: string) => `${bucket.name} ${moment}`;
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
 * Appends the update of one bucket and names its outputs. Each output may be written over the input of its name:
 * it is computed elementwise from it, last.
 */
export function update(g: Graph, spec: OptimizerSpec, bucket: Bucket, parameter: Value, gradient: Value): void {
  const shape = parameter.type.shape;
  const o = defaults(spec);
  const moments = momentNames[o.type].map((moment) => g.input(momentName(bucket, moment), 'float32', shape));
  const scalar = (name: string) => g.input(name, 'float32', []);
  const out = (name: string, value: Value) => g.output(nextName(name), value);
  if (o.type === 'sgd') {
    const [momentum] = moments as [Value];
    const pulled = bucket.decays && o.weightDecay > 0 ? g.add(gradient, g.scale(parameter, o.weightDecay)) : gradient;
    const next = g.add(g.scale(momentum, o.momentum), pulled);
    out(momentName(bucket, 'momentum'), next);
    out(bucket.name, g.sub(parameter, g.mul(next, scalar('rate'))));
    return;
  }
  // Loshchilov & Hutter 2017 in torch.optim.AdamW's order
  const [first, second] = moments as [Value, Value];
  const nextFirst = g.add(g.scale(first, o.beta1), g.scale(gradient, 1 - o.beta1));
  const nextSecond = g.add(g.scale(second, o.beta2), g.scale(g.mul(gradient, gradient), 1 - o.beta2));
  const deviation = g.add(g.mul(g.sqrt(nextSecond), scalar('inverse_second')), g.scalar(o.epsilon));
  const change = g.mul(g.div(nextFirst, deviation), scalar('rate'));
  const kept = bucket.decays && o.weightDecay > 0 ? g.mul(parameter, scalar('keep')) : parameter;
  out(momentName(bucket, 'first'), nextFirst);
  out(momentName(bucket, 'second'), nextSecond);
  out(bucket.name, g.sub(kept, change));
}
