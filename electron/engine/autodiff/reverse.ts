/** Reverse-mode differentiation over the IR. */
import { EngineError } from '../errors.js';
import { sameShape, shapeText, type Shape } from '../graph/dims.js';
import type { Graph } from '../graph/graph.js';
import type { Op, Value } from '../graph/ir.js';
import { recomputation } from './recompute.js';
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
 * The sum of a value's gradients. Products AᵢᵀBᵢ of few rows each, as a weight that is used step after step gets them, become one
 * product of the stacked rows: Σ AᵢᵀBᵢ = [A₁; A₂; …]ᵀ[B₁; B₂; …].
 */
function sumOf(g: Graph, parts: readonly Value[]): Value {
  const [first, ...rest] = parts as [Value, ...Value[]];
  if (rest.length === 0) return first;
  // Rows of a table that is used whole elsewhere too (tied embeddings) go into the other gradient, without a table of their own.
  const rows = parts.find(
    ({ node }) => node.op === 'scatterAdd' && !node.attributes.unique && node.inputs.length === 2,
  );
  if (rows) {
    const others = sumOf(
      g,
      parts.filter((part) => part !== rows),
    );
    return g.addRows(others, ...(rows.node.inputs as readonly [Value, Value]));
  }
  const stacked = parts.every((part) => stackable(part, first));
  if (!stacked) return rest.reduce((sum, part) => g.add(sum, part), first);
  const side = (i: 0 | 1) =>
    g.concat(
      parts.map(({ node }) => node.inputs[i] as Value),
      first.type.shape.length - 2,
    );
  return g.matmul(side(0), side(1), { transA: true });
}

function stackable({ node, type }: Value, first: Value): boolean {
  if (node.op !== 'matmul' || !node.attributes.transA || node.attributes.transB || node.attributes.alpha !== 1)
    return false;
  const rows = node.inputs[0]?.type.shape.at(-2);
  return sameShape(type.shape, first.type.shape) && typeof rows === 'number' && rows <= 4;
}

/**
 * Appends the backward pass of a scalar `loss` and returns its gradients with respect to `wrt`, in their order.
 * With `recompute`, the input of the first layer and the end of each, what lies between them is computed anew for the backward pass.
 * Only nodes on a path from `wrt` to the loss are differentiated; frozen parameters cost nothing.
 * Throws EngineError 'bad-graph' where the loss is not a scalar or does not depend on a value of `wrt`.
 */
export function differentiate(
  g: Graph,
  loss: Value,
  wrt: readonly Value[],
  { recompute = [] }: { readonly recompute?: readonly Value[] } = {},
): Value[] {
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
  const computed = recomputation(g, recompute);
  const parts = new Map<Value, Value[]>([[loss, [g.scalar(1)]]]);
  const gradientOf = (value: Value): Value | undefined => {
    const own = parts.get(value);
    return own && sumOf(g, own);
  };
  for (let i = forward.length - 1; i >= 0; i--) {
    const node = forward[i] as (typeof forward)[number];
    const rule = gradientRules[node.op] as GradientRule<Op> | 'none';
    if (rule === 'none' || !dependent.has(node.outputs[0] as Value)) continue;
    const d = gradientOf(node.outputs[0] as Value);
    if (!d) continue;
    const wants = node.inputs.map((value) => dependent.has(value));
    const back = rule(g, computed(node, d) as never, d, wants);
    node.inputs.forEach((value, k) => {
      const part = back[k];
      if (!part || !wants[k]) return;
      const known = parts.get(value);
      const own = sumTo(g, part, value.type.shape);
      if (known) known.push(own);
      else parts.set(value, [own]);
    });
  }
  return wrt.map((value) => {
    const gradient = gradientOf(value);
    if (!gradient)
      throw new EngineError(
        'bad-graph',
        `The loss does not depend on ${value.node.op === 'parameter' ? value.node.attributes.name : `%${value.id}`}.`,
      );
    return gradient;
  });
}
