/** Every op's value and gradient against PyTorch's, through the ONNX writer and the runtime, in both lowerings. */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { differentiate } from '../../electron/engine/autodiff/reverse.js';
import { Graph } from '../../electron/engine/graph/graph.js';
import type { Value } from '../../electron/engine/graph/ir.js';
import { writeOnnx } from '../../electron/engine/onnx/writer.js';
import { largestDifference, oracleJson } from '../helpers/oracle.js';

const tensorSchema = z.object({
  shape: z.array(z.number()),
  data: z.array(z.number()),
  dtype: z.enum(['bool', 'int64']).optional(),
});
type OracleTensor = z.output<typeof tensorSchema>;
const attributesSchema = z.object({
  axis: z.number().optional(),
  axes: z.array(z.number()).optional(),
  keepDims: z.boolean().optional(),
  starts: z.array(z.number()).optional(),
  ends: z.array(z.number()).optional(),
  transA: z.boolean().optional(),
  transB: z.boolean().optional(),
  alpha: z.number().optional(),
  epsilon: z.number().optional(),
  heads: z.number().optional(),
  chunk: z.number().optional(),
  permutation: z.array(z.number()).optional(),
  shape: z.array(z.number()).optional(),
});
type Attributes = z.output<typeof attributesSchema>;
const { cases } = oracleJson(
  z.object({
    cases: z.array(
      z.object({
        op: z.string(),
        name: z.string(),
        attributes: attributesSchema,
        inputs: z.array(tensorSchema),
        outputs: z.tuple([tensorSchema]),
        upstream: tensorSchema,
        gradients: z.array(tensorSchema.nullable()),
      }),
    ),
  }),
  'ops.json',
);

const rankOf = (value: Value) => value.type.shape.length;
const positive = (axes: readonly number[], rank: number) => axes.map((axis) => (axis + rank) % rank);
type Build = (g: Graph, inputs: readonly Value[], attributes: Attributes) => Value;
const one =
  (apply: (g: Graph, x: Value) => Value): Build =>
  (g, [x]) =>
    apply(g, x as Value);
const two =
  (apply: (g: Graph, a: Value, b: Value) => Value): Build =>
  (g, [a, b]) =>
    apply(g, a as Value, b as Value);
const reduction =
  (apply: (g: Graph, x: Value, axes: number[], keepDims: boolean) => Value): Build =>
  (g, [x], { axes = [], keepDims = false }) =>
    apply(g, x as Value, positive(axes, rankOf(x as Value)), keepDims);

const builders: Readonly<Record<string, Build>> = {
  add: two((g, a, b) => g.add(a, b)),
  sub: two((g, a, b) => g.sub(a, b)),
  mul: two((g, a, b) => g.mul(a, b)),
  div: two((g, a, b) => g.div(a, b)),
  neg: one((g, x) => g.neg(x)),
  exp: one((g, x) => g.exp(x)),
  tanh: one((g, x) => g.tanh(x)),
  erf: one((g, x) => g.erf(x)),
  sigmoid: one((g, x) => g.sigmoid(x)),
  relu: one((g, x) => g.relu(x)),
  gelu: one((g, x) => g.gelu(x)),
  geluTanh: one((g, x) => g.gelu(x, 'tanh')),
  silu: one((g, x) => g.silu(x)),
  sqrt: one((g, x) => g.sqrt(x)),
  swiglu: two((g, a, b) => g.swiglu(a, b)),
  cos: one((g, x) => g.cos(x)),
  sin: one((g, x) => g.sin(x)),
  rmsNorm: (g, [x, scale], { epsilon = 0 }) => g.rmsNorm(x as Value, scale as Value, epsilon),
  rotate: (g, [x, cos, sin], { heads = 1 }) => g.rotate(x as Value, heads, cos as Value, sin as Value),
  tokenLoss: (g, [rows, table, labels, weights], { chunk = 1 }) =>
    g.tokenLoss(rows as Value, table as Value, labels as Value, weights as Value, chunk).sum,
  log: one((g, x) => g.log(x)),
  reciprocal: one((g, x) => g.div(g.scalar(1), x)),
  softmax: one((g, x) => g.softmax(x)),
  logSoftmax: one((g, x) => g.logSoftmax(x)),
  layerNorm: (g, [x, scale, bias], { epsilon = 0 }) => g.layerNorm(x as Value, scale as Value, bias as Value, epsilon),
  matmul: (g, [a, b], { transA, transB, alpha }) => g.matmul(a as Value, b as Value, { transA, transB, alpha }),
  reduceSum: reduction((g, x, axes, keep) => g.reduceSum(x, axes, keep)),
  reduceMean: reduction((g, x, axes, keep) => g.reduceMean(x, axes, keep)),
  reduceMax: reduction((g, x, axes, keep) => g.reduceMax(x, axes, keep)),
  gather: two((g, table, indices) => g.gather(table, indices)),
  slice: (g, [x], { axes = [], starts = [], ends = [] }) =>
    axes.reduce((value, axis, i) => {
      const size = Number((x as Value).type.shape[axis]);
      return g.slice(value, axis, ((starts[i] ?? 0) + size) % size, ends[i] ?? size);
    }, x as Value),
  concat: (g, inputs, { axis = 0 }) => g.concat(inputs, axis),
  where: (g, [condition, a, b]) => g.where(condition as Value, a as Value, b as Value),
  transpose: (g, [x], { permutation = [] }) => g.transpose(x as Value, permutation),
  reshape: (g, [x], { shape = [] }) => g.reshape(x as Value, shape),
  expand: (g, [x], { shape = [] }) => g.expand(x as Value, shape),
};
/** What the graph has no op for: its models gather rows only and never broadcast the batch axes of a product. */
const absent = new Set([
  'gather: axis 1',
  'gather: first position',
  'matmul: batch by matrix',
  'matmul: broadcast batch',
]);
const absentOps = new Set(['gatherElements', 'crossEntropy']);
const covered = cases.filter(({ op, name }) => !absentOps.has(op) && !absent.has(`${op}: ${name}`));

function feed({ dtype, shape, data }: OracleTensor): OrtTensor {
  if (dtype === 'bool') return new OrtTensor('bool', Uint8Array.from(data), shape);
  if (dtype === 'int64') return new OrtTensor('int64', BigInt64Array.from(data, BigInt), shape);
  return new OrtTensor('float32', Float32Array.from(data), shape);
}

const numbers = (tensor: OrtTensor | undefined): Float32Array => {
  if (!(tensor?.data instanceof Float32Array)) throw new Error('the run gave no float32 tensor');
  return tensor.data;
};

describe.each(['cpu', 'gpu'] as const)('lowered for %s', (target) => {
  it.each(covered.map((c) => [`${c.op}: ${c.name}`, c] as const))(
    '%s',
    async (_title, { op, attributes, inputs, outputs: [expected], upstream, gradients }) => {
      const g = new Graph();
      const values = inputs.map(({ dtype, shape }, i) =>
        dtype === undefined ? g.parameter(`x${i}`, shape, true) : g.input(`x${i}`, dtype, shape),
      );
      const build = builders[op];
      if (build === undefined) throw new Error(`no builder for ${op}`);
      const y = build(g, values, attributes);
      const loss = g.total(g.mul(y, g.input('upstream', 'float32', upstream.shape)));
      const trained = values.filter((_, i) => gradients[i] !== null);
      g.output('y', y);
      differentiate(g, loss, trained).forEach((gradient, i) => g.output(`d${i}`, gradient));
      const { bytes } = writeOnnx(g, {
        target,
        weights: (name) => {
          throw new Error(`no frozen weight ${name} here`);
        },
      });
      const session = await InferenceSession.create(bytes);
      const feeds = Object.fromEntries(
        [...inputs.map((tensor, i) => [`x${i}`, feed(tensor)] as const), ['upstream', feed(upstream)] as const].filter(
          ([name]) => session.inputNames.includes(name),
        ),
      );
      const results = await session.run(feeds);
      await session.release();

      expect(y.type.shape).toEqual(expected.shape);
      const tolerance = (values: readonly number[]) => 2e-5 * Math.max(1, ...values.map(Math.abs)); // a masked score of -1e4 has a float32 step of 1e-3
      expect(largestDifference(numbers(results.y), expected.data)).toBeLessThan(tolerance(expected.data));
      gradients
        .filter((gradient) => gradient !== null)
        .forEach((gradient, i) => {
          expect(results[`d${i}`]?.dims).toEqual(gradient.shape);
          expect(largestDifference(numbers(results[`d${i}`]), gradient.data)).toBeLessThan(tolerance(gradient.data));
        });
    },
  );
});

it('leaves out only what the graph has no op for', () => {
  expect(cases.length - covered.length).toBe(cases.filter(({ op }) => absentOps.has(op)).length + absent.size);
  expect(new Set(covered.map(({ op }) => op))).toEqual(new Set(Object.keys(builders)));
});
