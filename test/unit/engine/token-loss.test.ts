/** The loss over a vocabulary by blocks of words, its slopes kept or made again, and by chunks of rows: all are the plain formula's. */
import { expect, it } from 'vitest';
import { differentiate } from '../../../electron/engine/autodiff/reverse.js';
import { Graph } from '../../../electron/engine/graph/graph.js';
import type { Value } from '../../../electron/engine/graph/ir.js';
import { wordsOfBlock } from '../../../electron/engine/onnx/token-loss-blocks.js';
import { floatsOf, GraphSession, runtime } from '../../../electron/engine/runtime/session.js';

const [rows, width] = [20, 4];
const wave = (count: number, phase: number) =>
  Float32Array.from({ length: count }, (_, i) => 2 * Math.sin(i * i * 0.7 + phase));
const labelsOf = (words: number) => Array.from({ length: rows }, (_, i) => (i * 977 + (i === 7 ? 977 : 0)) % words);

/** Loss, each row's own where `each` is given, and the gradients by rows and table. */
async function gradients(
  words: number,
  loss: (g: Graph, h: Value, table: Value, labels: Value, weights: Value) => { sum: Value; each?: Value },
): Promise<Record<string, Float32Array>> {
  const ort = await runtime();
  const g = new Graph();
  const h = g.input('rows', 'float32', ['labelled', width]);
  const table = g.input('table', 'float32', [words, width]);
  const labels = g.input('labels', 'int64', ['labelled']);
  const weights = g.input('weights', 'float32', ['labelled']);
  const { sum, each } = loss(g, h, table, labels, weights);
  g.output('loss', sum);
  if (each) g.output('each', each);
  const [byRows, byTable] = differentiate(g, sum, [h, table]) as [Value, Value];
  g.output('by rows', byRows);
  g.output('by table', byTable);
  const session = await GraphSession.create(g, { device: 'cpu', threads: 1 });
  const float = (data: Float32Array, dims: number[]) => new ort.Tensor('float32', data, dims);
  const feeds = {
    rows: float(wave(rows * width, 0), [rows, width]),
    table: float(wave(words * width, 1), [words, width]),
    labels: new ort.Tensor('int64', BigInt64Array.from(labelsOf(words), BigInt), [rows]),
    weights: float(
      Float32Array.from({ length: rows }, (_, i) => (i % 4) / 10),
      [rows],
    ),
  };
  const outputs = Object.fromEntries(session.model.outputs.map((name) => [name, null]));
  const result = await session.run(feeds, outputs, 'cpu');
  await session.dispose();
  return Object.fromEntries(Object.entries(result).map(([name, tensor]) => [name, floatsOf(tensor)]));
}

const plain = (words: number) =>
  gradients(words, (g, h, table, labels, weights) => {
    const numbers = g.constant(
      BigInt64Array.from({ length: words }, (_, i) => BigInt(i)),
      [1, words],
    );
    const hot = g.where(g.equal(g.reshape(labels, ['labelled', 1]), numbers), g.scalar(1), g.scalar(0));
    const picked = g.reduceSum(g.mul(g.logSoftmax(g.matmul(h, table, { transB: true })), hot), [1]);
    const each = g.neg(picked);
    return { sum: g.total(g.mul(each, weights)), each };
  });

it.each([
  ['one block', 60, 64, 60],
  ['three blocks, p kept', 3000, 64, 1000],
  ['three blocks, p made again', 3000, 2, 1000],
  ['no block fits: chunks of rows', 2053, 8, null],
])('%s', async (_, words, chunk, block) => {
  expect(wordsOfBlock(words)).toBe(block);
  const wanted = await plain(words);
  const own = await gradients(words, (g, h, table, labels, weights) => g.tokenLoss(h, table, labels, weights, chunk));
  for (const [name, values] of Object.entries(wanted)) {
    const largest = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (own[name]?.[i] ?? NaN))), 0);
    expect(largest, name).toBeLessThan(1e-5);
  }
});

it('cuts the vocabularies of published models into whole blocks', () => {
  expect([32000, 49152, 50257, 128256, 151936].map(wordsOfBlock)).toEqual([1000, 1024, 1733, 1002, 1187]);
});
