/** Shape inference: a full table, one rule an op. Errors name the op and the dims. */
import { EngineError } from '../errors.js';
import {
  addDims,
  broadcastShapes,
  multiplyDims,
  sameShape,
  shapeText,
  sizeOf,
  subtractDims,
  type Dim,
  type Shape,
} from './dims.js';
import type { DType, Op, OpAttributes, TensorType } from './ir.js';

export type ShapeRule<K extends Op> = (inputs: readonly TensorType[], attributes: OpAttributes[K]) => TensorType[];

function fail(op: Op, message: string, inputs: readonly TensorType[]): never {
  const shapes = inputs.map((input) => `${input.dtype}${shapeText(input.shape)}`).join(', ');
  throw new EngineError('bad-graph', `${op}: ${message} (inputs ${shapes})`, null, { op });
}

function arity(op: Op, inputs: readonly TensorType[], least: number, most = least): void {
  if (inputs.length < least || inputs.length > most)
    fail(op, `takes ${least === most ? least : `${least} to ${most}`} inputs, got ${inputs.length}`, inputs);
}

function input(inputs: readonly TensorType[], i: number): TensorType {
  return inputs[i] as TensorType;
}

const float = (shape: Shape): TensorType => ({ dtype: 'float32', shape });

function unary(op: Op): (inputs: readonly TensorType[]) => TensorType[] {
  return (inputs) => {
    arity(op, inputs, 1);
    if (input(inputs, 0).dtype !== 'float32') fail(op, 'needs float32', inputs);
    return [input(inputs, 0)];
  };
}

function binary(op: Op, result?: DType): (inputs: readonly TensorType[]) => TensorType[] {
  return (inputs) => {
    arity(op, inputs, 2);
    const [a, b] = [input(inputs, 0), input(inputs, 1)];
    if (a.dtype !== b.dtype) fail(op, 'needs equal dtypes', inputs);
    const shape = broadcastShapes(a.shape, b.shape);
    if (!shape) fail(op, 'shapes do not broadcast', inputs);
    return [{ dtype: result ?? a.dtype, shape }];
  };
}

function lastAxis(op: Op): (inputs: readonly TensorType[]) => TensorType[] {
  return (inputs) => {
    arity(op, inputs, 1);
    if (input(inputs, 0).shape.length === 0) fail(op, 'needs at least one axis', inputs);
    return [input(inputs, 0)];
  };
}

function reduction<K extends 'reduceSum' | 'reduceMean' | 'reduceMax'>(op: K): ShapeRule<K> {
  return (inputs, { axes, keepDims }: OpAttributes['reduceSum']) => {
    arity(op, inputs, 1);
    const { dtype, shape } = input(inputs, 0);
    for (const axis of axes) if (axis < 0 || axis >= shape.length) fail(op, `axis ${axis} is not in the shape`, inputs);
    const reduced: Dim[] = [];
    shape.forEach((dim, axis) => {
      if (!axes.includes(axis)) reduced.push(dim);
      else if (keepDims) reduced.push(1);
    });
    return [{ dtype, shape: reduced }];
  };
}

function axisOf(op: Op, inputs: readonly TensorType[], axis: number): Dim {
  const dim = input(inputs, 0).shape[axis];
  if (dim === undefined) fail(op, `axis ${axis} is not in the shape`, inputs);
  return dim;
}

function withAxis(shape: Shape, axis: number, dim: Dim): Shape {
  return shape.map((old, i) => (i === axis ? dim : old));
}

export const shapeRules: { readonly [K in Op]: ShapeRule<K> } = {
  input: (_, { type }) => [type],
  parameter: (_, { shape }) => [float(shape)],
  constant: (_, { type, data }) => {
    if (sizeOf(type.shape) !== data.length)
      fail('constant', `${data.length} values for shape ${shapeText(type.shape)}`, []);
    return [type];
  },
  neg: unary('neg'),
  sqrt: unary('sqrt'),
  cos: unary('cos'),
  sin: unary('sin'),
  exp: unary('exp'),
  log: unary('log'),
  tanh: unary('tanh'),
  erf: unary('erf'),
  sigmoid: unary('sigmoid'),
  relu: unary('relu'),
  sign: unary('sign'),
  detach: (inputs) => {
    arity('detach', inputs, 1);
    return [input(inputs, 0)];
  },
  after: (inputs) => {
    arity('after', inputs, 2);
    if (inputs.some(({ shape }) => shape.length === 0)) fail('after', 'needs operands with an axis', inputs);
    return [input(inputs, 0)];
  },
  cast: (inputs, { to }) => {
    arity('cast', inputs, 1);
    return [{ dtype: to, shape: input(inputs, 0).shape }];
  },
  gelu: (inputs) => {
    const [y] = unary('gelu')(inputs);
    return [y as TensorType, y as TensorType];
  },
  swiglu: (inputs) => {
    const made = binary('swiglu')(inputs);
    if (!sameShape(input(inputs, 0).shape, input(inputs, 1).shape)) fail('swiglu', 'needs one shape', inputs);
    return made;
  },
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  minimum: binary('minimum'),
  equal: binary('equal', 'bool'),
  where: (inputs) => {
    arity('where', inputs, 3);
    const [condition, a, b] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    if (condition.dtype !== 'bool' || a.dtype !== b.dtype)
      fail('where', 'needs a bool condition and two values of one dtype', inputs);
    const values = broadcastShapes(a.shape, b.shape);
    const shape = values && broadcastShapes(condition.shape, values);
    if (!shape) fail('where', 'shapes do not broadcast', inputs);
    return [{ dtype: a.dtype, shape }];
  },
  dropout: (inputs) => {
    arity('dropout', inputs, 2);
    const [x, mask] = [input(inputs, 0), input(inputs, 1)];
    if (mask.dtype !== 'bool' || !sameShape(x.shape, mask.shape))
      fail('dropout', 'needs a bool mask of the shape of x', inputs);
    return [x];
  },
  matmul: (inputs, { transA, transB }) => {
    arity('matmul', inputs, 2);
    const [a, b] = [input(inputs, 0).shape, input(inputs, 1).shape];
    if (a.length !== b.length || a.length < 2) fail('matmul', 'needs two tensors of one rank, at least 2', inputs);
    const batch = a.slice(0, -2);
    if (!sameShape(batch, b.slice(0, -2))) fail('matmul', 'batch axes differ', inputs);
    const [aRows, aColumns] = (transA ? [a.at(-1), a.at(-2)] : [a.at(-2), a.at(-1)]) as [Dim, Dim];
    const [bRows, bColumns] = (transB ? [b.at(-1), b.at(-2)] : [b.at(-2), b.at(-1)]) as [Dim, Dim];
    if (aColumns !== bRows) fail('matmul', `inner dims ${aColumns} and ${bRows} differ`, inputs);
    return [float([...batch, aRows, bColumns])];
  },
  softmax: lastAxis('softmax'),
  logSoftmax: lastAxis('logSoftmax'),
  layerNorm: (inputs) => {
    arity('layerNorm', inputs, 3);
    const [x, scale, bias] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const width = x.shape.at(-1);
    if (width === undefined || !sameShape(scale.shape, [width]) || !sameShape(bias.shape, [width]))
      fail('layerNorm', 'needs scale and bias of the last axis', inputs);
    const statistics = float(withAxis(x.shape, x.shape.length - 1, 1));
    return [x, statistics, statistics];
  },
  rmsNorm: (inputs) => {
    arity('rmsNorm', inputs, 2);
    const [x, scale] = [input(inputs, 0), input(inputs, 1)];
    const width = x.shape.at(-1);
    if (width === undefined || !sameShape(scale.shape, [width]))
      fail('rmsNorm', 'needs a scale of the last axis', inputs);
    return [x, float(withAxis(x.shape, x.shape.length - 1, 1))];
  },
  rotate: (inputs, { heads }) => {
    arity('rotate', inputs, 3);
    const [x, cos, sin] = [input(inputs, 0).shape, input(inputs, 1).shape, input(inputs, 2).shape];
    if (x.length !== 2 || cos.length !== 2 || x[0] !== cos[0] || x[1] !== multiplyDims(cos[1] as Dim, 2 * heads))
      fail('rotate', `needs x [n, ${heads}·d] and cos and sin [n, d/2]`, inputs);
    if (!sameShape(cos, sin)) fail('rotate', 'needs cos and sin of one shape', inputs);
    return [input(inputs, 0)];
  },
  tokenLoss: (inputs) => {
    arity('tokenLoss', inputs, 4);
    const [rows, table, labels, weights] = [0, 1, 2, 3].map((i) => input(inputs, i)) as [
      TensorType,
      TensorType,
      TensorType,
      TensorType,
    ];
    if (rows.shape.length !== 2 || table.shape.length !== 2 || rows.shape[1] !== table.shape[1])
      fail('tokenLoss', 'needs rows [n, d] and a table [v, d]', inputs);
    const each = [rows.shape[0] as Dim];
    if (labels.dtype !== 'int64' || !sameShape(labels.shape, each) || !sameShape(weights.shape, each))
      fail('tokenLoss', 'needs int64 labels [n] and weights [n]', inputs);
    return [float([]), float(each), rows, table];
  },
  attend: (inputs) => {
    arity('attend', inputs, 2, 3);
    const [scores, values] = [input(inputs, 0).shape, input(inputs, 1).shape];
    if (scores.length !== 3 || values.length !== 3 || scores[0] !== values[0] || scores[2] !== values[1])
      fail('attend', 'needs scores [n, q, k] and values [n, k, d]', inputs);
    if (inputs.length === 3 && !(input(inputs, 2).dtype === 'bool' && sameShape(input(inputs, 2).shape, scores)))
      fail('attend', 'needs a bool mask of the shape of the scores', inputs);
    return [float([scores[0] as Dim, scores[1] as Dim, values[2] as Dim]), float(scores)];
  },
  reduceSum: reduction('reduceSum'),
  reduceMean: reduction('reduceMean'),
  reduceMax: reduction('reduceMax'),
  cumulativeSum: (inputs, { axis }) => {
    arity('cumulativeSum', inputs, 1);
    axisOf('cumulativeSum', inputs, axis);
    return [input(inputs, 0)];
  },
  reshape: (inputs, { shape }) => {
    arity('reshape', inputs, 1);
    const from = input(inputs, 0);
    if (sizeOf(from.shape) !== sizeOf(shape))
      fail('reshape', `${sizeOf(from.shape)} elements do not fill ${shapeText(shape)}`, inputs);
    return [{ dtype: from.dtype, shape }];
  },
  transpose: (inputs, { permutation }) => {
    arity('transpose', inputs, 1);
    const { dtype, shape } = input(inputs, 0);
    if ([...permutation].sort((a, b) => a - b).some((axis, i) => axis !== i) || permutation.length !== shape.length)
      fail('transpose', `[${permutation.join(', ')}] is no permutation of the axes`, inputs);
    return [{ dtype, shape: permutation.map((axis) => shape[axis] as Dim) }];
  },
  expand: (inputs, { shape }) => {
    arity('expand', inputs, 1);
    const from = input(inputs, 0);
    const result = broadcastShapes(from.shape, shape);
    if (!result || !sameShape(result, shape)) fail('expand', `does not broadcast to ${shapeText(shape)}`, inputs);
    return [{ dtype: from.dtype, shape }];
  },
  concat: (inputs, { axis }) => {
    if (inputs.length === 0) fail('concat', 'needs at least one input', inputs);
    let total: Dim = 0;
    const first = input(inputs, 0);
    axisOf('concat', inputs, axis);
    for (const { dtype, shape } of inputs) {
      if (dtype !== first.dtype || !sameShape(withAxis(shape, axis, 1), withAxis(first.shape, axis, 1)))
        fail('concat', `shapes differ outside axis ${axis}`, inputs);
      total = addDims(total, shape[axis] as Dim);
    }
    return [{ dtype: first.dtype, shape: withAxis(first.shape, axis, total) }];
  },
  slice: (inputs, { axis, start, end }) => {
    arity('slice', inputs, 1);
    const dim = axisOf('slice', inputs, axis);
    if (
      typeof start === 'number' &&
      typeof end === 'number' &&
      (start < 0 || end < start || (typeof dim === 'number' && end > dim))
    )
      fail('slice', `range ${start} to ${end} is not in axis ${axis}`, inputs);
    return [{ dtype: input(inputs, 0).dtype, shape: withAxis(input(inputs, 0).shape, axis, subtractDims(end, start)) }];
  },
  pad: (inputs, { axis, before, after }) => {
    arity('pad', inputs, 1);
    const dim = axisOf('pad', inputs, axis);
    return [
      {
        dtype: input(inputs, 0).dtype,
        shape: withAxis(input(inputs, 0).shape, axis, addDims(dim, addDims(before, after))),
      },
    ];
  },
  gather: (inputs) => {
    arity('gather', inputs, 2);
    const [table, indices] = [input(inputs, 0), input(inputs, 1)];
    if (indices.dtype !== 'int64' || table.shape.length === 0)
      fail('gather', 'needs a table and int64 indices', inputs);
    return [{ dtype: table.dtype, shape: [...indices.shape, ...table.shape.slice(1)] }];
  },
  scatterAdd: (inputs, { rows, unique }) => {
    arity('scatterAdd', inputs, 2, 3);
    const [indices, updates] = [input(inputs, 0), input(inputs, 1)];
    if (indices.dtype !== 'int64' || indices.shape.length !== 1 || indices.shape[0] !== updates.shape[0])
      fail('scatterAdd', 'needs int64 indices [n] and updates [n, …]', inputs);
    const shape = [rows, ...updates.shape.slice(1)];
    if (inputs.length === 3 && (unique || !sameShape(input(inputs, 2).shape, shape)))
      fail('scatterAdd', `adds to ${shapeText(shape)} where indices repeat`, inputs);
    return [float(shape)];
  },
};
