/** Reverse-mode differentiation over the IR. */
import { EngineError } from '../errors.js';
import { sameShape, shapeText, type Shape } from '../graph/dims.js';
import type { Graph } from '../graph/graph.js';
import type { Op, Value } from '../graph/ir.js';
import { gradientRules, type GradientRule } from './rules.js';

/** Sums a gradient over the axes along which `shape` was broadcast. */
function sumTo(g: Graph, gradient: Value, shape: Shape): Value {
  const from = gradient.type.shape;
  if (sameShape(from, shape)) return gradient;
  const added = from.length - shape.length;
  const axes = from
    .map((_, axis) => axis)
    .filter((axis) => axis < added || (shape[axis - added] === 1 && from[axis] !== 1));
  const summed = axes.length ? g.reduceSum(gradient, axes) : gradient;
  return g.reshape(summed, shape);
}

/**
 * Appends the backward pass of a scalar `loss` and returns its gradients with respect to `wrt`, in their order.
 * Only nodes on a path from `wrt` to the loss are differentiated; frozen parameters cost nothing.
 * Throws EngineError 'bad-graph' where the loss is not a scalar or does not depend on a value of `wrt`.
 */
export function differentiate(g: Graph, loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.type.shape.length > 0) {
    throw new EngineError(
      'bad-graph',
      `The loss has shape ${shapeText(loss.type.shape)}; only a scalar can be differentiated.`,
    );
  }
  const forward = [...g.nodes];
  const dependent = new Set<Value>(wrt);
  for (const node of forward) {
    if (gradientRules[node.op] !== 'none' && node.inputs.some((value) => dependent.has(value)))
      node.outputs.forEach((value) => dependent.add(value));
  }
  const gradients = new Map<Value, Value>([[loss, g.scalar(1)]]);
  for (let i = forward.length - 1; i >= 0; i--) {
    const node = forward[i] as (typeof forward)[number];
    const d = node.outputs[0] && gradients.get(node.outputs[0]);
    const rule = gradientRules[node.op] as GradientRule<Op> | 'none';
    if (!d || rule === 'none' || !dependent.has(node.outputs[0] as Value)) continue;
    const wants = node.inputs.map((value) => dependent.has(value));
    const parts = rule(g, node as never, d, wants);
    node.inputs.forEach((value, k) => {
      const part = parts[k];
      if (!part || !wants[k]) return;
      const own = sumTo(g, part, value.type.shape);
      const sum = gradients.get(value);
      gradients.set(value, sum ? g.add(sum, own) : own);
    });
  }
  return wrt.map((value) => {
    const gradient = gradients.get(value);
    if (!gradient)
      throw new EngineError(
        'bad-graph',
        `The loss does not depend on ${value.node.op === 'parameter' ? value.node.attributes.name : `%${value.id}`}.`,
      );
    return gradient;
  });
}
