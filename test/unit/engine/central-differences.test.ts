/** Each gradient rule against central differences of the runtime's own forward pass, ties and zeros left to the reference values. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../../electron/engine/autodiff/reverse.js';
import { gradientRules } from '../../../electron/engine/autodiff/rules.js';
import type { Shape } from '../../../electron/engine/graph/dims.js';
import { Graph } from '../../../electron/engine/graph/graph.js';
import type { Value } from '../../../electron/engine/graph/ir.js';
import { writeOnnx } from '../../../electron/engine/onnx/writer.js';

interface Case {
  readonly shapes: readonly (readonly number[])[];
  /** Values lie in [low, high]. */
  readonly range?: readonly [number, number];
  readonly build: (g: Graph, x: readonly Value[]) => Value;
}

const indices = (g: Graph, values: readonly number[]) =>
  g.constant(BigInt64Array.from(values, BigInt), [values.length]);
const flags = (g: Graph, shape: Shape) =>
  g.equal(
    g.constant(
      Float32Array.from({ length: Number(shape.reduce((a, d) => Number(a) * Number(d), 1)) }, (_, i) =>
        i % 3 === 0 ? 1 : 0,
      ),
      shape,
    ),
    g.scalar(0),
  );

const cases: Readonly<Record<string, Case>> = {
  neg: { shapes: [[3]], build: (g, [x]) => g.neg(x as Value) },
  sqrt: { shapes: [[4]], range: [0.5, 2], build: (g, [x]) => g.sqrt(x as Value) },
  cos: { shapes: [[4]], build: (g, [x]) => g.cos(x as Value) },
  sin: { shapes: [[4]], build: (g, [x]) => g.sin(x as Value) },
  exp: { shapes: [[4]], build: (g, [x]) => g.exp(x as Value) },
  log: { shapes: [[4]], range: [0.5, 2], build: (g, [x]) => g.log(x as Value) },
  tanh: { shapes: [[4]], build: (g, [x]) => g.tanh(x as Value) },
  erf: { shapes: [[4]], build: (g, [x]) => g.erf(x as Value) },
  sigmoid: { shapes: [[4]], build: (g, [x]) => g.sigmoid(x as Value) },
  relu: {
    shapes: [[4]],
    range: [0.3, 1],
    build: (g, [x]) => g.relu(g.sub(x as Value, g.constant(Float32Array.of(0, 2, 0, 2), [4]))),
  },
  gelu: { shapes: [[5]], build: (g, [x]) => g.gelu(x as Value) },
  'gelu tanh': { shapes: [[5]], build: (g, [x]) => g.gelu(x as Value, 'tanh') },
  silu: { shapes: [[5]], build: (g, [x]) => g.silu(x as Value) },
  swiglu: { shapes: [[5], [5]], build: (g, [a, b]) => g.swiglu(a as Value, b as Value) },
  'add with broadcasting': {
    shapes: [
      [2, 1, 3],
      [4, 1],
    ],
    build: (g, [a, b]) => g.add(a as Value, b as Value),
  },
  sub: { shapes: [[2, 3], [3]], build: (g, [a, b]) => g.sub(a as Value, b as Value) },
  mul: {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: (g, [a, b]) => g.mul(a as Value, b as Value),
  },
  div: { shapes: [[2, 3], []], range: [0.5, 2], build: (g, [a, b]) => g.div(a as Value, b as Value) },
  minimum: {
    shapes: [[3], [3]],
    build: (g, [a, b]) => g.minimum(a as Value, g.add(b as Value, g.constant(Float32Array.of(5, -5, 5), [3]))),
  },
  where: { shapes: [[6], [6]], build: (g, [a, b]) => g.where(flags(g, [6]), a as Value, b as Value) },
  dropout: { shapes: [[2, 3]], build: (g, [x]) => g.dropout(x as Value, flags(g, [2, 3]), 1.5) },
  ...Object.fromEntries(
    [0, 1, 2, 3].flatMap((bits) =>
      [2, 3].map((rank) => {
        const [transA, transB] = [bits % 2 === 1, bits > 1];
        const lead = rank === 3 ? [2] : [];
        return [
          `matmul rank ${rank}${transA ? ' transA' : ''}${transB ? ' transB' : ''}`,
          {
            shapes: [
              [...lead, ...(transA ? [3, 2] : [2, 3])],
              [...lead, ...(transB ? [4, 3] : [3, 4])],
            ],
            build: (g: Graph, [a, b]: readonly Value[]) =>
              g.matmul(a as Value, b as Value, { transA, transB, alpha: 0.7 }),
          },
        ];
      }),
    ),
  ),
  'matmul over a transposed batch': {
    shapes: [
      [3, 2, 4],
      [3, 2, 4],
    ],
    build: (g, [a, b]) =>
      g.matmul(g.transpose(a as Value, [1, 0, 2]), g.transpose(b as Value, [1, 0, 2]), { transB: true }),
  },
  softmax: { shapes: [[2, 4]], build: (g, [x]) => g.softmax(x as Value) },
  logSoftmax: { shapes: [[2, 4]], build: (g, [x]) => g.logSoftmax(x as Value) },
  layerNorm: {
    shapes: [[3, 4], [4], [4]],
    build: (g, [x, s, b]) => g.layerNorm(x as Value, s as Value, b as Value, 1e-5),
  },
  rmsNorm: { shapes: [[3, 4], [4]], build: (g, [x, s]) => g.rmsNorm(x as Value, s as Value, 1e-5) },
  rotate: {
    shapes: [[3, 8]],
    build: (g, [x]) => {
      const turns = g.constant(values(6, [-2, 2], 7), [3, 2]);
      return g.rotate(x as Value, 2, g.cos(turns), g.sin(turns));
    },
  },
  'tokenLoss in chunks, the last not full': {
    shapes: [
      [5, 3],
      [4, 3],
    ],
    build: (g, [rows, table]) =>
      g.tokenLoss(
        rows as Value,
        table as Value,
        indices(g, [1, 0, 3, 1, 2]),
        g.constant(Float32Array.of(1, 0.5, 2, 1, 1), [5]),
        2,
      ).sum,
  },
  attend: {
    shapes: [
      [2, 3, 4],
      [2, 4, 2],
    ],
    build: (g, [s, v]) => g.attend(s as Value, v as Value),
  },
  'attend with dropout': {
    shapes: [
      [2, 3, 4],
      [2, 4, 2],
    ],
    build: (g, [s, v]) => g.attend(s as Value, v as Value, { mask: flags(g, [2, 3, 4]), scale: 1.5 }),
  },
  reduceSum: { shapes: [[2, 3, 2]], build: (g, [x]) => g.reduceSum(x as Value, [0, 2]) },
  reduceMean: { shapes: [[2, 3]], build: (g, [x]) => g.reduceMean(x as Value, [1], true) },
  reduceMax: {
    shapes: [[2, 3]],
    build: (g, [x]) => g.reduceMax(g.add(x as Value, g.constant(Float32Array.of(0, 3, 6), [3])), [1]),
  },
  reshape: { shapes: [[2, 3]], build: (g, [x]) => g.reshape(x as Value, [3, 2]) },
  transpose: { shapes: [[2, 3, 4]], build: (g, [x]) => g.transpose(x as Value, [2, 0, 1]) },
  expand: { shapes: [[2, 1]], build: (g, [x]) => g.expand(x as Value, [3, 2, 4]) },
  concat: {
    shapes: [
      [2, 2],
      [2, 3],
    ],
    build: (g, [a, b]) => g.concat([a as Value, b as Value], 1),
  },
  slice: { shapes: [[4, 3]], build: (g, [x]) => g.slice(x as Value, 0, 1, 3) },
  pad: { shapes: [[2, 3]], build: (g, [x]) => g.pad(x as Value, 1, 1, 2) },
  'gather with repeats': { shapes: [[4, 2]], build: (g, [x]) => g.gather(x as Value, indices(g, [1, 3, 1])) },
  'gather without repeats': { shapes: [[4, 2]], build: (g, [x]) => g.gather(x as Value, indices(g, [2, 0]), true) },
  'scatterAdd without repeats': {
    shapes: [[2, 2]],
    build: (g, [x]) => g.scatterAdd(indices(g, [3, 1]), x as Value, 4, true),
  },
  addRows: {
    shapes: [
      [4, 2],
      [3, 2],
    ],
    build: (g, [to, x]) => g.addRows(to as Value, indices(g, [1, 0, 1]), x as Value),
  },
  scatterAdd: { shapes: [[3, 2]], build: (g, [x]) => g.scatterAdd(indices(g, [1, 0, 1]), x as Value, 4) },
};

/** Reproducible values in a range. */
function values(count: number, [low, high]: readonly [number, number], seed: number): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, i) => low + (((((Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453) % 1) + 1) / 2) % 1) * (high - low),
  );
}

describe('gradient rules', () => {
  it.each(Object.entries(cases))(
    '%s agrees with central differences',
    async (_, { shapes, range = [-1, 1], build }) => {
      const g = new Graph();
      const x = shapes.map((shape, i) => g.parameter(`x${i}`, shape, true));
      const y = build(g, x);
      const upstream = g.constant(
        values(Number(y.type.shape.reduce((a, d) => Number(a) * Number(d), 1)), [-1, 1], 99),
        y.type.shape,
      );
      const loss = g.total(g.mul(y, upstream));
      differentiate(g, loss, x).forEach((gradient, i) => g.output(`d${i}`, gradient));
      g.output('loss', loss);
      const session = await InferenceSession.create(
        writeOnnx(g, {
          target: 'cpu',
          weights: () => {
            throw new Error('none');
          },
        }).bytes,
      );
      const data = shapes.map((shape, i) =>
        values(
          shape.reduce((a, d) => a * d, 1),
          range,
          i + 1,
        ),
      );
      const run = () =>
        session.run(
          Object.fromEntries(
            shapes.map((shape, i) => [`x${i}`, new Tensor('float32', data[i] as Float32Array, [...shape])]),
          ),
        );
      const exact = await run();
      for (const [i, array] of data.entries()) {
        for (let k = 0; k < array.length; k++) {
          const old = array[k] as number;
          const at = async (x: number) => {
            array[k] = x;
            return ((await run())['loss'] as Tensor).data[0] as number;
          };
          const step = 0.01;
          const slope = ((await at(old + step)) - (await at(old - step))) / (2 * step);
          array[k] = old;
          expect((exact[`d${i}`] as Tensor).data[k] as number).toBeCloseTo(slope, 2);
        }
      }
      await session.release();
    },
  );

  it('says of every op whether it has a gradient, and tries each that has', () => {
    const tried = Object.keys(cases).map((name) => name.split(' ')[0]);
    const named = Object.entries(gradientRules)
      .filter(([, rule]) => rule !== 'none')
      .map(([op]) => op);
    expect(named.filter((op) => !tried.includes(op))).toEqual([]);
  });
});
