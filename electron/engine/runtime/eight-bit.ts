/** What the processor's kernels of 8-bit products can be given. */
import { Graph } from '../graph/graph.js';
import { writeOnnx } from '../onnx/writer.js';
import type { Runtime } from './session.js';

const SIZE = 64;
let found: Promise<number> | undefined;

/**
 * The largest whole number that a weight may become: 127, or 63 on processors without VNNI (or AMX), whose kernels add pairs of
 * products in 16 bits and cut what is larger. Tried once in a process, by a product whose pairs are as large as can be.
 */
export function largestWhole(ort: Runtime): Promise<number> {
  found ??= tried(ort);
  return found;
}

async function tried(ort: Runtime): Promise<number> {
  const g = new Graph();
  const weight = g.parameter('weight', [SIZE, SIZE], false);
  g.output('sums', g.matmul(g.input('ones', 'float32', [SIZE, SIZE]), weight));
  const ones = new Float32Array(SIZE * SIZE).fill(1);
  const { bytes } = writeOnnx(g, { target: 'cpu', eightBit: 127, weights: () => ({ data: ones }) });
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const { sums } = await session.run({ ones: new ort.Tensor('float32', ones, [SIZE, SIZE]) });
  await session.release();
  const all = sums?.data;
  return all instanceof Float32Array && all.every((sum) => Math.abs(sum - SIZE) < 1) ? 127 : 63;
}
