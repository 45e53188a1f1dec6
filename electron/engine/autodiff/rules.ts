/**
 * Gradient rules: a full table, one rule an op. A rule gets the gradients of the node's outputs and returns those of
 * its inputs, null where none is wanted. Broadcasting is undone outside (reverse.ts).
 */
import { addDims, sizeOf, subtractDims, type Dim } from '../graph/dims.js';
import type { Graph } from '../graph/graph.js';
import type { NodeOf, Op, Value } from '../graph/ir.js';

/** `d` is the gradient of output 0; `wants[i]` says whether input i leads to a trainable parameter. */
export type GradientRule<K extends Op> = (
  g: Graph,
  node: NodeOf<K>,
  d: Value,
  wants: readonly boolean[],
) => (Value | null)[];

/** A leaf, or a function that is flat almost everywhere: nothing flows through. */
const none = 'none';

const unary =
  <K extends Op>(slope: (g: Graph, x: Value, y: Value, d: Value) => Value): GradientRule<K> =>
  (g, node, d) => [slope(g, node.inputs[0] as Value, node.outputs[0] as Value, d)];

const operands = (node: { readonly inputs: readonly Value[] }): [Value, Value] => [
  node.inputs[0] as Value,
  node.inputs[1] as Value,
];

/** The shape with the reduced axes kept as 1, so that a reduced value broadcasts back. */
function kept(g: Graph, value: Value, shape: readonly Dim[], axes: readonly number[]): Value {
  return g.reshape(
    value,
    shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)),
  );
}

const countOf = (shape: readonly Dim[], axes: readonly number[]): Dim => sizeOf(axes.map((axis) => shape[axis] as Dim));

export const gradientRules: { readonly [K in Op]: GradientRule<K> | typeof none } = {
  input: none,
  parameter: none,
  constant: none,
  neg: unary((g, _x, _y, d) => g.neg(d)),
  // y = √x: dx = d / 2y
  sqrt: unary((g, _x, y, d) => g.div(g.scale(d, 0.5), y)),
  cos: unary((g, x, _y, d) => g.neg(g.mul(d, g.sin(x)))),
  sin: unary((g, x, _y, d) => g.mul(d, g.cos(x))),
  exp: unary((g, _x, y, d) => g.mul(d, y)),
  log: unary((g, x, _y, d) => g.div(d, x)),
  // 1 - y²
  tanh: unary((g, _x, y, d) => g.mul(d, g.sub(g.scalar(1), g.mul(y, y)))),
  // 2/√π · e^(-x²)
  erf: unary((g, x, _y, d) => g.mul(d, g.scale(g.exp(g.neg(g.mul(x, x))), 2 / Math.sqrt(Math.PI)))),
  // y(1 - y)
  sigmoid: unary((g, _x, y, d) => g.mul(d, g.mul(y, g.sub(g.scalar(1), y)))),
  relu: unary((g, _x, y, d) => g.mul(d, g.sign(y))),
  sign: none,
  cast: none,
  detach: none,
  after: none,
  gelu: (g, node, d) => [g.mul(d, node.outputs[1] as Value)],
  // s = σ(a): da = d·b·s(1 + a(1 - s)), db = d·a·s
  swiglu: (g, node, d, wants) => {
    const [a, b] = operands(node);
    const s = g.sigmoid(a);
    const slope = () => g.mul(s, g.add(g.mul(a, g.sub(g.scalar(1), s)), g.scalar(1)));
    return [wants[0] ? g.mul(g.mul(d, b), slope()) : null, wants[1] ? g.mul(d, g.mul(a, s)) : null];
  },
  add: (_g, _node, d) => [d, d],
  sub: (g, _node, d, wants) => [d, wants[1] ? g.neg(d) : null],
  mul: (g, node, d, wants) => {
    const [a, b] = operands(node);
    return [wants[0] ? g.mul(d, b) : null, wants[1] ? g.mul(d, a) : null];
  },
  // y = a/b: da = d/b, db = -d·y/b
  div: (g, node, d, wants) => {
    const b = node.inputs[1] as Value;
    const over = g.div(d, b);
    return [wants[0] ? over : null, wants[1] ? g.neg(g.mul(over, node.outputs[0] as Value)) : null];
  },
  // The smaller side takes the gradient; ties go in halves, as in PyTorch.
  minimum: (g, node, d) => {
    const [a, b] = operands(node);
    const share = g.scale(g.add(g.sign(g.sub(b, a)), g.scalar(1)), 0.5);
    return [g.mul(d, share), g.mul(d, g.sub(g.scalar(1), share))];
  },
  equal: none,
  where: (g, node, d, wants) => {
    const condition = node.inputs[0] as Value;
    const zero = g.scalar(0);
    return [null, wants[1] ? g.where(condition, d, zero) : null, wants[2] ? g.where(condition, zero, d) : null];
  },
  dropout: (g, node, d) => [g.dropout(d, node.inputs[1] as Value, node.attributes.scale), null],
  // Y = αA'B': dA' = αdY·B'ᵀ, dB' = αA'ᵀ·dY, each written so that no operand is transposed twice
  matmul: (g, node, d, wants) => {
    const [a, b] = operands(node);
    const { transA, transB, alpha } = node.attributes;
    const da = () =>
      transA ? g.matmul(b, d, { transA: transB, transB: true, alpha }) : g.matmul(d, b, { transB: !transB, alpha });
    const db = () =>
      transB ? g.matmul(d, a, { transA: true, transB: transA, alpha }) : g.matmul(a, d, { transA: !transA, alpha });
    return [wants[0] ? da() : null, wants[1] ? db() : null];
  },
  // y(d - Σ dy)
  softmax: (g, node, d) => {
    const y = node.outputs[0] as Value;
    return [g.mul(y, g.sub(d, g.reduceSum(g.mul(d, y), [y.type.shape.length - 1], true)))];
  },
  // d - e^y Σ d
  logSoftmax: (g, node, d) => {
    const y = node.outputs[0] as Value;
    return [g.sub(d, g.mul(g.exp(y), g.reduceSum(d, [y.type.shape.length - 1], true)))];
  },
  // Ba et al. 2016: with x̂ = (x - μ)/σ and e = d·scale, dx = (e - mean(e) - x̂·mean(e·x̂)) / σ
  layerNorm: (g, node, d, wants) => {
    const [x, scale] = operands(node);
    const [, mean, inverse] = node.outputs as readonly [Value, Value, Value];
    const last = x.type.shape.length - 1;
    const leading = x.type.shape.map((_, axis) => axis).slice(0, -1);
    const normal = g.mul(g.sub(x, mean), inverse);
    let dx: Value | null = null;
    if (wants[0]) {
      const e = g.mul(d, scale);
      const along = g.mul(normal, g.reduceMean(g.mul(e, normal), [last], true));
      dx = g.mul(g.sub(g.sub(e, g.reduceMean(e, [last], true)), along), inverse);
    }
    return [dx, wants[1] ? g.reduceSum(g.mul(d, normal), leading) : null, wants[2] ? g.reduceSum(d, leading) : null];
  },
  // Zhang & Sennrich 2019: with n = x·r, r = 1/√(mean(x²) + ε) and e = d·scale, dx = (e - n·mean(e·n))·r
  rmsNorm: (g, node, d, wants) => {
    const [x, scale] = operands(node);
    const inverse = node.outputs[1] as Value;
    const last = x.type.shape.length - 1;
    const normal = g.mul(x, inverse);
    const dx = () => {
      const e = g.mul(d, scale);
      return g.mul(g.sub(e, g.mul(normal, g.reduceMean(g.mul(e, normal), [last], true))), inverse);
    };
    const leading = x.type.shape.map((_, axis) => axis).slice(0, -1);
    return [wants[0] ? dx() : null, wants[1] ? g.reduceSum(g.mul(d, normal), leading) : null];
  },
  // The angles come from positions, which nobody trains: back by the opposite angle
  rotate: (g, node, d, wants) => {
    const [, cos, sin] = node.inputs as readonly [Value, Value, Value];
    if (wants[1] || wants[2]) throw new RangeError('rotate has no gradient by its angles');
    return [g.rotate(d, node.attributes.heads, cos, g.neg(sin)), null, null];
  },
  // The slopes were made beside the loss, while the logits of each chunk were at hand.
  tokenLoss: (g, node, d, wants) => {
    const [, each, byRows, byTable] = node.outputs as readonly [Value, Value, Value, Value];
    const by = (i: number, slope: Value) => (wants[i] ? g.mul(slope, d) : null);
    return [by(0, byRows), by(1, byTable), null, by(3, each)];
  },
  // O = s(M∘P)V, P = softmax(S): dP = s·M∘(dO·Vᵀ), dS = P∘(dP - rowsum(dO∘O)), dV = s(M∘P)ᵀdO
  attend: (g, node, d, wants) => {
    const [, values, mask] = node.inputs as readonly [Value, Value, Value?];
    const [output, weights] = node.outputs as readonly [Value, Value];
    const { scale } = node.attributes;
    const dropped = (x: Value) => (mask ? g.dropout(x, mask, scale) : x);
    const dScores = () => {
      const dWeights = dropped(g.matmul(d, values, { transB: true }));
      return g.mul(weights, g.sub(dWeights, g.reduceSum(g.mul(d, output), [2], true)));
    };
    return [wants[0] ? dScores() : null, wants[1] ? g.matmul(dropped(weights), d, { transA: true }) : null, null];
  },
  reduceSum: (g, node, d) => {
    const x = node.inputs[0] as Value;
    return [g.expand(kept(g, d, x.type.shape, node.attributes.axes), x.type.shape)];
  },
  reduceMean: (g, node, d) => {
    const { shape } = (node.inputs[0] as Value).type;
    const { axes } = node.attributes;
    const count = countOf(shape, axes);
    if (typeof count !== 'number') throw new RangeError('reduceMean has a gradient over axes of known size only');
    return [g.expand(g.scale(kept(g, d, shape, axes), 1 / count), shape)];
  },
  reduceMax: (g, node, d) => {
    const x = node.inputs[0] as Value;
    const { axes } = node.attributes;
    const { shape } = x.type;
    const top = kept(g, node.outputs[0] as Value, shape, axes);
    const hits = g.where(g.equal(x, top), g.scalar(1), g.scalar(0));
    return [g.mul(g.div(hits, g.reduceSum(hits, axes, true)), kept(g, d, shape, axes))];
  },
  cumulativeSum: none,
  reshape: (g, node, d) => [g.reshape(d, (node.inputs[0] as Value).type.shape)],
  transpose: (g, node, d) => {
    const inverse: number[] = [];
    node.attributes.permutation.forEach((axis, i) => (inverse[axis] = i));
    return [g.transpose(d, inverse)];
  },
  expand: (_g, _node, d) => [d],
  concat: (g, node, d, wants) => {
    let start: Dim = 0;
    return node.inputs.map((value, i) => {
      const from = start;
      const to = addDims(from, value.type.shape[node.attributes.axis] as Dim);
      start = to;
      return wants[i] ? g.slice(d, node.attributes.axis, from, to) : null;
    });
  },
  slice: (g, node, d) => {
    const { axis, start, end } = node.attributes;
    return [g.pad(d, axis, start, subtractDims((node.inputs[0] as Value).type.shape[axis] as Dim, end))];
  },
  pad: (g, node, d) => {
    const { axis, before } = node.attributes;
    const dim = (node.inputs[0] as Value).type.shape[axis] as Dim;
    return [g.slice(d, axis, before, addDims(before, dim))];
  },
  gather: (g, node, d) => {
    const [table, indices] = operands(node);
    const rows = sizeOf(indices.type.shape);
    const updates = g.reshape(d, [rows, ...table.type.shape.slice(1)]);
    return [
      g.scatterAdd(g.reshape(indices, [rows]), updates, table.type.shape[0] as Dim, node.attributes.unique),
      null,
    ];
  },
  scatterAdd: (g, node, d) => [null, g.gather(d, node.inputs[0] as Value, node.attributes.unique), d],
};
