/** Lowering to ONNX: a full table, one rule an op. */
import type { Dim } from '../graph/dims.js';
import type { NodeOf, Op, Value } from '../graph/ir.js';
import { isEightBit, lowerEightBit } from './eight-bit.js';
import { storedName, type Lowering } from './lowering.js';
import { elementType, type AttributeValue } from './protobuf.js';
import { lowerTokenLoss } from './token-loss.js';

export type LoweringRule<K extends Op> = (c: Lowering, node: NodeOf<K>) => void;

type AnyNode = Parameters<Lowering['output']>[0];

/** One ONNX op of the same inputs and one output. */
function plain<K extends Op>(
  opType: string,
  attributes?: (node: NodeOf<K>) => Record<string, AttributeValue>,
): LoweringRule<K> {
  return (c, node) => {
    c.emit(
      opType,
      node.inputs.map((value) => c.use(value)),
      { attributes: attributes?.(node) ?? {}, outputs: [c.output(node as AnyNode)] },
    );
  };
}

function reduction<K extends 'reduceSum' | 'reduceMean' | 'reduceMax'>(opType: string): LoweringRule<K> {
  return (c, node) => {
    const { axes, keepDims } = node.attributes as NodeOf<'reduceSum'>['attributes'];
    c.emit(opType, [c.use(node.inputs[0] as Value), c.ints(axes)], {
      attributes: { keepdims: keepDims ? 1 : 0 },
      outputs: [c.output(node as AnyNode)],
    });
  };
}

interface Operand {
  readonly value: Value;
  readonly trans: boolean;
  readonly transBatch: boolean;
}

/** Takes a transpose of the last two axes, or of batch and row axes, into the product (CPU's FusedMatMul has both). */
function fold(value: Value, trans: boolean): Operand {
  const { node } = value;
  if (node.op === 'transpose') {
    const from = node.inputs[0] as Value;
    const permutation = node.attributes.permutation.join();
    if (permutation === '1,0,2') return { value: from, trans, transBatch: true };
    if (permutation === '0,2,1') return { value: from, trans: !trans, transBatch: false };
  }
  return { value, trans, transBatch: false };
}

interface Product {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
  readonly a: Value | string;
  readonly b: Value;
}

/** A batched product [n, …] in the target's spelling. */
function lowerProduct(c: Lowering, { a, b, transA, transB, alpha }: Product, output: string): void {
  if (c.target === 'cpu') {
    const left = typeof a === 'string' ? null : fold(a, transA);
    const right = fold(b, transB);
    const attributes = {
      transA: (left ? left.trans : transA) ? 1 : 0,
      transB: right.trans ? 1 : 0,
      transBatchA: left?.transBatch ? 1 : 0,
      transBatchB: right.transBatch ? 1 : 0,
      alpha: { float: alpha },
    };
    c.emit('FusedMatMul', [left ? c.use(left.value) : (a as string), c.use(right.value)], {
      domain: 'com.microsoft',
      attributes,
      outputs: [output],
    });
    return;
  }
  const axes = b.type.shape.map((_, axis) => axis);
  const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
  const flip = (name: string, trans: boolean) => (trans ? c.emit('Transpose', [name], { attributes: { perm } }) : name);
  const left = flip(typeof a === 'string' ? a : c.use(a), transA);
  const right = flip(c.use(b), transB);
  const product = c.emit('MatMul', [left, right], { outputs: alpha === 1 ? [output] : undefined });
  if (alpha !== 1) c.emit('Mul', [product, c.float(alpha)], { outputs: [output] });
}

const isWeight = ({ node }: Value) => node.op === 'parameter';

/** A product of two matrices with an optional bias row: Gemm has transposes and scale on every provider. */
function lowerGemm(c: Lowering, node: NodeOf<'matmul'>, bias: Value | null, output: string): void {
  const { transA, transB, alpha } = node.attributes;
  const [left, right] = node.inputs as readonly [Value, Value];
  if (isEightBit(c, node)) return lowerEightBit(c, node, bias, output);
  const [a, b] = isWeight(left) ? [c.use(left, c.use(right)), c.use(right)] : [c.use(left), c.use(right, c.use(left))];
  c.emit('Gemm', [a, b, ...(bias ? [c.use(bias)] : [])], {
    attributes: { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } },
    outputs: [output],
  });
}

/** The matmul and the bias of an addition that Gemm can do whole, or null. */
function biasedProduct(c: Lowering, node: NodeOf<'add'>): { product: NodeOf<'matmul'>; bias: Value } | null {
  const [a, b] = node.inputs as readonly [Value, Value];
  for (const [product, bias] of [
    [a, b],
    [b, a],
  ] as const) {
    if (
      product.node.op === 'matmul' &&
      product.type.shape.length === 2 &&
      bias.type.shape.length === 1 &&
      c.usedOnce(product)
    )
      return { product: product.node, bias };
  }
  return null;
}

function dropped(c: Lowering, x: string, mask: Value, scale: number, output: string | undefined): string {
  const outputs = output === undefined ? undefined : [output];
  if (scale === 1) return c.emit('Where', [c.use(mask), x, c.float(0)], { outputs });
  return c.emit('Mul', [c.emit('Where', [c.use(mask), x, c.float(0)]), c.float(scale)], { outputs });
}

/** dy/dx of y = x·Φ(x) (Hendrycks & Gimpel 2016). */
function lowerExactSlope(c: Lowering, x: string, slope: string): void {
  const t = c.emit('Mul', [x, c.float(Math.SQRT1_2)]);
  const cdf = c.emit('Add', [c.emit('Mul', [c.emit('Erf', [t]), c.float(0.5)]), c.float(0.5)]);
  // x·φ(x) = t·e^(-t²)/√π with t = x/√2; the factor goes into the exponent
  const density = c.emit('Exp', [c.emit('Sub', [c.float(-0.5 * Math.log(Math.PI)), c.emit('Mul', [t, t])])]);
  c.emit('Add', [cdf, c.emit('Mul', [t, density])], { outputs: [slope] });
}

/** dy/dx of the tanh approximation, y = x/2·(1 + tanh(k(x + 0.044715x³))). */
function lowerTanhSlope(c: Lowering, x: string, slope: string): void {
  const k = Math.sqrt(2 / Math.PI);
  const square = c.emit('Mul', [x, x]);
  const inner = c.emit('Mul', [x, c.emit('Add', [c.emit('Mul', [square, c.float(k * 0.044715)]), c.float(k)])]);
  const t = c.emit('Tanh', [inner]);
  const half = c.emit('Add', [c.emit('Mul', [t, c.float(0.5)]), c.float(0.5)]);
  const slopeOfInner = c.emit('Add', [c.emit('Mul', [square, c.float(3 * k * 0.044715)]), c.float(k)]);
  const rest = c.emit('Mul', [c.emit('Mul', [x, c.float(0.5)]), c.emit('Sub', [c.float(1), c.emit('Mul', [t, t])])]);
  c.emit('Add', [half, c.emit('Mul', [rest, slopeOfInner])], { outputs: [slope] });
}

/** Sizes before and after each axis, as Pad wants them. */
function padding(c: Lowering, rank: number, axis: number, before: Dim, after: Dim): string {
  const sizes = new Array<Dim>(2 * rank).fill(0);
  sizes[axis] = before;
  sizes[rank + axis] = after;
  return c.shape(sizes);
}

export const loweringRules: { readonly [K in Op]: LoweringRule<K> } = {
  // Leaves are declared by the writer.
  input: () => undefined,
  parameter: () => undefined,
  constant: (c, node) => {
    const { type, data } = node.attributes;
    const name = c.constant(`constant ${node.id}`, type.shape as readonly number[], data);
    c.emit('Identity', [name], { outputs: [c.output(node)] });
  },
  neg: plain('Neg'),
  sqrt: plain('Sqrt'),
  cos: plain('Cos'),
  sin: plain('Sin'),
  exp: plain('Exp'),
  log: plain('Log'),
  tanh: plain('Tanh'),
  erf: plain('Erf'),
  sigmoid: plain('Sigmoid'),
  relu: plain('Relu'),
  sign: (c, node) => {
    if (c.target === 'cpu') return plain<'sign'>('Sign')(c, node);
    // WebGPU has no kernel for Sign.
    const x = c.use(node.inputs[0] as Value);
    const [above, below] = ['Greater', 'Less'].map((op) =>
      c.emit('Cast', [c.emit(op, [x, c.float(0)])], { attributes: { to: elementType.float32 } }),
    ) as [string, string];
    return void c.emit('Sub', [above, below], { outputs: [c.output(node)] });
  },
  detach: plain('Identity'),
  after: (c, node) => {
    const [x, known] = node.inputs.map((value) => c.use(value)) as [string, string];
    c.after(x, known, [c.output(node)]);
  },
  cast: plain('Cast', (node) => ({ to: elementType[node.attributes.to] })),
  // The slope is made of x where the backward pass comes to it: x alone is kept until then.
  gelu: (c, node) => {
    const x = c.use(node.inputs[0] as Value);
    const { approximate } = node.attributes;
    if (c.reads(node, 0)) c.emit('Gelu', [x], { attributes: { approximate }, outputs: [c.output(node)] });
    if (c.reads(node, 1)) (approximate === 'none' ? lowerExactSlope : lowerTanhSlope)(c, x, c.output(node, 1));
  },
  swiglu: (c, node) => {
    const [a, b] = node.inputs.map((value) => c.use(value)) as [string, string];
    // QuickGelu x·σ(αx) is one pass, and no σ of the forward pass that the backward's could be taken for and kept.
    const gated =
      c.target === 'cpu'
        ? c.emit('QuickGelu', [a], { domain: 'com.microsoft', attributes: { alpha: { float: 1 } } })
        : c.emit('Mul', [a, c.emit('Sigmoid', [a])]);
    c.emit('Mul', [gated, b], { outputs: [c.output(node)] });
  },
  add: (c, node) => {
    const whole = biasedProduct(c, node);
    if (whole) lowerGemm(c, whole.product, whole.bias, c.output(node));
    else plain<'add'>('Add')(c, node);
  },
  sub: plain('Sub'),
  mul: plain('Mul'),
  div: plain('Div'),
  minimum: plain('Min'),
  equal: plain('Equal'),
  where: plain('Where'),
  dropout: (c, node) => {
    const [x, mask] = node.inputs as readonly [Value, Value];
    dropped(c, c.use(x), mask, node.attributes.scale, c.output(node));
  },
  matmul: (c, node) => {
    const [a, b] = node.inputs as readonly [Value, Value];
    if (a.type.shape.length === 2) lowerGemm(c, node, null, c.output(node));
    else lowerProduct(c, { a, b, ...node.attributes }, c.output(node));
  },
  softmax: plain('Softmax', () => ({ axis: -1 })),
  logSoftmax: (c, node) => {
    if (c.target === 'cpu') return plain<'logSoftmax'>('LogSoftmax', () => ({ axis: -1 }))(c, node);
    const x = c.use(node.inputs[0] as Value);
    const last = c.ints([(node.inputs[0] as Value).type.shape.length - 1]);
    const centred = c.emit('Sub', [x, c.emit('ReduceMax', [x, last], { attributes: { keepdims: 1 } })]);
    const sum = c.emit('ReduceSum', [c.emit('Exp', [centred]), last], { attributes: { keepdims: 1 } });
    return void c.emit('Sub', [centred, c.emit('Log', [sum])], { outputs: [c.output(node)] });
  },
  layerNorm: (c, node) => {
    const statistics = [1, 2].map((i) => (c.reads(node, i) ? c.output(node, i) : ''));
    while (statistics.at(-1) === '') statistics.pop();
    c.emit(
      'LayerNormalization',
      node.inputs.map((value) => c.use(value)),
      {
        attributes: { axis: -1, epsilon: { float: node.attributes.epsilon } },
        outputs: [c.output(node), ...statistics],
      },
    );
  },
  rmsNorm: (c, node) => {
    c.emit(
      'SimplifiedLayerNormalization',
      node.inputs.map((value) => c.use(value)),
      {
        attributes: { axis: -1, epsilon: { float: node.attributes.epsilon } },
        outputs: [c.output(node), ...(c.reads(node, 1) ? [c.output(node, 1)] : [])],
      },
    );
  },
  rotate: (c, node) => {
    const [x, cos, sin] = node.inputs as readonly [Value, Value, Value];
    const { shape } = x.type;
    // All rows as one sequence that begins at row 0 of the tables.
    const sequence = c.emit('Reshape', [c.use(x), c.shape([1, ...shape])]);
    const start = c.constant('rotate start', [1], BigInt64Array.of(0n));
    const rotated = c.emit('RotaryEmbedding', [sequence, start, c.use(cos), c.use(sin)], {
      domain: 'com.microsoft',
      attributes: { num_heads: node.attributes.heads, interleaved: 0 },
    });
    c.emit('Reshape', [rotated, c.shape(shape)], { outputs: [c.output(node)] });
  },
  tokenLoss: lowerTokenLoss,
  attend: (c, node) => {
    const [scores, values, mask] = node.inputs as readonly [Value, Value, Value?];
    c.emit('Softmax', [c.use(scores)], { attributes: { axis: -1 }, outputs: [c.output(node, 1)] });
    const weights = mask ? dropped(c, c.output(node, 1), mask, 1, undefined) : c.output(node, 1);
    lowerProduct(
      c,
      { a: weights, b: values, transA: false, transB: false, alpha: node.attributes.scale },
      c.output(node),
    );
  },
  reduceSum: (c, node) => {
    const [x] = node.inputs as readonly [Value];
    const square = x.node.op === 'mul' && x.node.inputs[0] === x.node.inputs[1] && c.usedOnce(x) ? x.node : null;
    if (!square) return reduction<'reduceSum'>('ReduceSum')(c, node);
    const { axes, keepDims } = node.attributes;
    c.emit('ReduceSumSquare', [c.use(square.inputs[0] as Value), c.ints(axes)], {
      attributes: { keepdims: keepDims ? 1 : 0 },
      outputs: [c.output(node)],
    });
  },
  reduceMean: reduction('ReduceMean'),
  reduceMax: reduction('ReduceMax'),
  cumulativeSum: (c, node) => {
    const axis = c.constant(`scalar ${node.attributes.axis}`, [], BigInt64Array.of(BigInt(node.attributes.axis)));
    c.emit('CumSum', [c.use(node.inputs[0] as Value), axis], { outputs: [c.output(node)] });
  },
  reshape: (c, node) => {
    c.emit('Reshape', [c.use(node.inputs[0] as Value), c.shape(node.attributes.shape, { infer: true })], {
      outputs: [c.output(node)],
    });
  },
  transpose: plain('Transpose', (node) => ({ perm: node.attributes.permutation })),
  expand: (c, node) => {
    c.emit('Expand', [c.use(node.inputs[0] as Value), c.shape(node.attributes.shape)], { outputs: [c.output(node)] });
  },
  concat: plain('Concat', (node) => ({ axis: node.attributes.axis })),
  slice: (c, node) => {
    const { axis, start, end } = node.attributes;
    c.emit('Slice', [c.use(node.inputs[0] as Value), c.dim(start), c.dim(end), c.ints([axis])], {
      outputs: [c.output(node)],
    });
  },
  pad: (c, node) => {
    const { axis, before, after } = node.attributes;
    const x = node.inputs[0] as Value;
    c.emit('Pad', [c.use(x), padding(c, x.type.shape.length, axis, before, after)], { outputs: [c.output(node)] });
  },
  gather: (c, node) => {
    const [table, indices] = node.inputs as readonly [Value, Value];
    const { op, attributes } = table.node;
    // Of a table in half precision the rows that are read are widened, not the table.
    if (op === 'parameter' && c.halves.has(attributes.name)) {
      const rows = c.emit('Gather', [storedName(attributes.name), c.use(indices)], { attributes: { axis: 0 } });
      return void c.widen(rows, [c.output(node)]);
    }
    return plain<'gather'>('Gather', () => ({ axis: 0 }))(c, node);
  },
  scatterAdd: (c, node) => {
    const [indices, updates, to] = node.inputs as readonly [Value, Value, Value?];
    const base = to ? c.use(to) : c.emit('Expand', [c.float(0), c.shape((node.outputs[0] as Value).type.shape)]);
    const rows = c.emit('Unsqueeze', [c.use(indices), c.ints([1])]);
    // Without a reduction rows are copied side by side; adding them up runs one by one.
    const reduction = node.attributes.unique ? 'none' : 'add';
    c.emit('ScatterND', [base, rows, c.use(updates)], { attributes: { reduction }, outputs: [c.output(node)] });
  },
};
