/** Frozen products in 8 bits: what is rounded and how, and that every method trains by them nearly as without. */
import * as ort from 'onnxruntime-node';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../../electron/engine/autodiff/reverse.js';
import { Graph } from '../../../electron/engine/graph/graph.js';
import type { Value } from '../../../electron/engine/graph/ir.js';
import { createTrainer, listMethods, openModel, type TrainerOptions } from '../../../electron/engine/index.js';
import { writeOnnx } from '../../../electron/engine/onnx/writer.js';
import { largestWhole } from '../../../electron/engine/runtime/eight-bit.js';
import { nothingToTrain, threeRows as batch, trainerOptions } from '../../helpers/conformance.js';
import { specOf } from '../../helpers/methods.js';
import { oracleFolder } from '../../helpers/oracle.js';
import { uniforms } from '../../helpers/tiny-model.js';

const [ROWS, IN, OUT] = [6, 48, 32];
function noise(length: number, seed: number): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from({ length }, () => 2 * next() - 1);
}
/** Rows of which each is ten thousand times as large as the one before, and one of zeros. */
const uneven = noise(ROWS * IN, 3).map((x, i) => x * [1e-12, 1e-8, 1e-4, 1, 1e4, 0][Math.floor(i / IN)]!);

async function compute(
  build: (g: Graph) => void,
  weights: Readonly<Record<string, Float32Array>>,
  feeds: Readonly<Record<string, [Float32Array, number[]]>>,
  eightBit?: number,
) {
  const g = new Graph();
  build(g);
  const { bytes } = writeOnnx(g, {
    target: 'cpu',
    weights: (name) => ({ data: weights[name] as Float32Array }),
    ...(eightBit === undefined ? {} : { eightBit }),
  });
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const result = await session.run(
    Object.fromEntries(
      Object.entries(feeds).map(([name, [data, dims]]) => [name, new ort.Tensor('float32', data, dims)]),
    ),
  );
  await session.release();
  return Object.fromEntries(Object.entries(result).map(([name, { data }]) => [name, data as Float32Array]));
}

/** Vector-wise quantization of Dettmers et al. 2022, in float64: whole numbers of each row's and each column's own unit. */
function vectorWise(x: Float32Array, w: (i: number, o: number) => number, most: number): number[] {
  const largest = (values: number[]) => Math.max(...values.map(Math.abs));
  const columns = Array.from({ length: OUT }, (_, o) => Array.from({ length: IN }, (_, i) => w(i, o)));
  return Array.from({ length: ROWS }, (_, row) => [...x.subarray(row * IN, (row + 1) * IN)]).flatMap((values) =>
    columns.map((column) => {
      const [a, b] = [largest(values) / 127.5, largest(column) / most];
      return values.reduce((sum, v, i) => sum + (a && Math.round(v / a) * a) * Math.round(column[i]! / b) * b, 0);
    }),
  );
}

/** The largest distance within a row, as a share of the row's length. */
function distance(got: Float32Array, wanted: ArrayLike<number>, width: number): number {
  const of = (row: number) => Array.from({ length: width }, (_, i) => row * width + i);
  return Math.max(
    ...Array.from({ length: got.length / width }, (_, row) => {
      const length = Math.hypot(...of(row).map((i) => wanted[i]!)) || 1e-30;
      return Math.hypot(...of(row).map((i) => got[i]! - wanted[i]!)) / length;
    }),
  );
}

describe('a product', () => {
  const w = noise(IN * OUT, 7).map((x, i) => x * (1 + (i % 5)));
  const bias = noise(OUT, 5);
  /** What this processor's kernels can be given: without VNNI not 127. */
  const whole = () => largestWhole(ort);

  it.each([
    { transB: false, most: whole },
    { transB: true, most: whole },
    { transB: true, most: () => Promise.resolve(63) },
  ])('rounds each row and each column by its own largest value: %o', async ({ transB, most: given }) => {
    const most = await given();
    const shape = transB ? [OUT, IN] : [IN, OUT];
    const build = (g: Graph) =>
      void g.output('y', g.matmul(g.input('x', 'float32', ['rows', IN]), g.parameter('w', shape, false), { transB }));
    const run = (eightBit?: number) => compute(build, { w }, { x: [uneven, [ROWS, IN]] }, eightBit);
    const [{ y }, { y: exact }] = [await run(most), await run()];
    const wanted = vectorWise(uneven, (i, o) => w[transB ? o * IN + i : i * OUT + o]!, most);
    // Rows' whole numbers have a shift of their own in the runtime, which may round a value to its other side.
    expect(distance(y!, wanted, OUT)).toBeLessThan(0.01);
    expect(distance(y!, exact!, OUT)).toBeLessThan(0.03);
    expect(distance(y!, exact!, OUT)).toBeGreaterThan(1e-4);
    expect([...y!.subarray(5 * OUT)]).toEqual(new Array(OUT).fill(0));
  });

  it('adds the bias', async () => {
    const build = (g: Graph) => {
      const product = g.matmul(g.input('x', 'float32', ['rows', IN]), g.parameter('w', [IN, OUT], false));
      g.output('y', g.add(product, g.parameter('bias', [OUT], false)));
    };
    const run = (eightBit?: number) => compute(build, { w, bias }, { x: [noise(ROWS * IN, 9), [ROWS, IN]] }, eightBit);
    const [{ y }, { y: wanted }] = [await run(await whole()), await run()];
    expect(distance(y!, wanted!, OUT)).toBeLessThan(0.03);
  });

  it('gives back the gradient of rows of any size through an activation between two of them', async () => {
    const build = (g: Graph) => {
      const x = g.input('x', 'float32', ['rows', IN]);
      const [up, down] = [g.parameter('up', [OUT, IN], false), g.parameter('down', [IN, OUT], false)];
      const hidden = g.matmul(g.gelu(g.matmul(x, up, { transB: true })), down, { transB: true });
      const loss = g.total(g.mul(hidden, g.input('share', 'float32', ['rows', IN])));
      g.output('dx', differentiate(g, loss, [x])[0] as Value);
    };
    const weights = { up: noise(IN * OUT, 7).map((x) => x / 5), down: noise(IN * OUT, 11) };
    const feeds = { x: [noise(ROWS * IN, 2), [ROWS, IN]], share: [uneven, [ROWS, IN]] } as Parameters<
      typeof compute
    >[2];
    const [{ dx }, { dx: wanted }] = [
      await compute(build, weights, feeds, await whole()),
      await compute(build, weights, feeds),
    ];
    expect(distance(dx!, wanted!, IN)).toBeLessThan(0.03);
    expect([...dx!.subarray(5 * IN)]).toEqual(new Array(IN).fill(0));
  });
});

describe.each(['bert', 'gpt2', 'llama'])('%s', (architecture) => {
  const types = listMethods()
    .map(({ type }) => type)
    .filter((type) => type !== 'prompt-search' && !nothingToTrain.get(type)?.includes(architecture));

  it.each(types)('%s trains by products in 8 bits nearly as without', async (type) => {
    const model = await openModel(join(oracleFolder, 'models', architecture));
    const course = async (more: Partial<TrainerOptions>) => {
      const objective = { type: 'classification', labels: ['a', 'b', 'c'] } as const;
      const trainer = await createTrainer(trainerOptions(model, specOf(type), objective, more));
      const { logits } = await trainer.evaluate(batch);
      const losses: number[] = [];
      for (let step = 0; step < 4; step++) losses.push((await trainer.step([batch], 1e-2)).loss);
      await trainer.dispose();
      return { losses, logits: [...logits] };
    };
    const [exact, rounded] = [await course({}), await course({ loadIn8bit: true })];
    // What is measured between steps is exact: the score is that of what is exported.
    expect(rounded.logits).toEqual(exact.logits);
    rounded.losses.forEach((loss, i) =>
      expect(Math.abs(loss - exact.losses[i]!)).toBeLessThan(0.08 * exact.losses[0]!),
    );
    // Where all weights train there are none to round.
    if (!['full', 'progressive'].includes(type)) expect(rounded.losses).not.toEqual(exact.losses);
  });
});

it.each(['bert', 'llama'])('%s: a training that diverges is seen to, as without', async (architecture) => {
  const model = await openModel(join(oracleFolder, 'models', architecture));
  const objective = { type: 'classification', labels: ['a', 'b', 'c'] } as const;
  const trainer = await createTrainer(trainerOptions(model, specOf('lora'), objective, { loadIn8bit: true }));
  const losses: number[] = [];
  for (let step = 0; step < 4; step++) losses.push((await trainer.step([batch], 1e30)).loss);
  expect(losses.some((loss) => !Number.isFinite(loss))).toBe(true);
  await trainer.dispose();
});
