/** An update in parts is the update of the whole, and rate factors reach their parameters only. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { Graph } from '../../../electron/engine/graph/graph.js';
import { writeOnnx } from '../../../electron/engine/onnx/writer.js';
import type { Bucket } from '../../../electron/engine/optim/buckets.js';
import { packParameters } from '../../../electron/engine/optim/buckets.js';
import {
  momentName,
  momentNames,
  nextName,
  partsOf,
  scalarsAt,
  update,
  valueName,
  type Part,
} from '../../../electron/engine/optim/update.js';
import type { OptimizerSpec } from '../../../electron/engine/types.js';

const size = 1000;
const bucket: Bucket = {
  name: 'w',
  size,
  decays: true,
  rate: 1,
  entries: [{ name: 'w', shape: [10, 100], offset: 0, size }],
};
const wave = (phase: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.7 + phase));

/** Parameter and moments after one update, each [size]. */
async function updated(spec: OptimizerSpec, parts: readonly Part[]): Promise<Record<string, Float32Array>> {
  const g = new Graph();
  const gradient = g.input('gradient', 'float32', [size]);
  for (const part of parts) update(g, spec, part, g.slice(gradient, 0, part.start, part.end), g.scalar(0.5));
  const { bytes } = writeOnnx(g, { target: 'cpu', weights: () => ({ data: new Float32Array() }) });
  const session = await InferenceSession.create(bytes);
  const kinds = ['value', ...momentNames[spec.type]] as const;
  const nameIn = (part: Part, kind: string) => (kind === 'value' ? valueName(part) : momentName(part, kind));
  const feeds: Record<string, Tensor> = { gradient: new Tensor('float32', wave(0), [size]) };
  for (const [name, value] of Object.entries(scalarsAt(spec, 0.01, 3, [bucket])))
    feeds[name] = new Tensor('float32', Float32Array.of(value), []);
  for (const part of parts)
    kinds.forEach((kind, i) => {
      // The second moment is never negative.
      const values = wave(i + 1).map((value) => (kind === 'second' ? value * value : value));
      feeds[nameIn(part, kind)] = new Tensor('float32', values.slice(part.start, part.end), [part.end - part.start]);
    });
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    kinds.map((kind) => {
      const joined = new Float32Array(size);
      for (const part of parts) joined.set(results[nextName(nameIn(part, kind))]?.data as Float32Array, part.start);
      return [kind, joined];
    }),
  );
}

describe('partsOf', () => {
  it.each([1, 7, 333, 1000, 5000, Infinity])('covers a bucket once in parts of %d', (length) => {
    const parts = partsOf(bucket, length);
    expect(parts[0]?.start).toBe(0);
    expect(parts.at(-1)?.end).toBe(size);
    parts.slice(1).forEach((part, i) => expect(part.start).toBe(parts[i]?.end));
    expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length);
  });
});

describe.each([
  { type: 'adamw', weightDecay: 0.1, gradientClip: 1 },
  { type: 'sgd', weightDecay: 0.1, gradientClip: null, momentum: 0.9 },
] as const satisfies readonly OptimizerSpec[])('$type', (spec) => {
  it('gives the same in parts as whole', async () => {
    const whole = await updated(spec, partsOf(bucket, Infinity));
    expect(await updated(spec, partsOf(bucket, 64))).toEqual(whole);
    expect(whole['value']).not.toEqual(wave(1));
  });
});

it('changes nothing at a learning rate of 0 where nothing decays', () => {
  const { second_scale: scale, epsilon } = scalarsAt({ type: 'adamw', weightDecay: 0, gradientClip: null }, 0, 1, [
    bucket,
  ]) as { second_scale: number; epsilon: number };
  const change = Math.fround(1 / Math.fround(Math.fround(1 * Math.fround(scale)) + Math.fround(epsilon)));
  expect(Math.fround(1 - change)).toBe(1);
  expect(Number.isFinite(Math.fround(scale))).toBe(true);
});

it('packs parameters of different rates apart', () => {
  const specs = ['a', 'b', 'c'].map((name) => ({ name, shape: [2, 3] }));
  const buckets = packParameters(specs, 'trained', (name) => (name === 'b' ? 16 : 1));
  expect(buckets.map(({ rate, entries }) => [rate, entries.map(({ name }) => name)])).toEqual([
    [1, ['a', 'c']],
    [16, ['b']],
  ]);
  const scalars = scalarsAt({ type: 'sgd', weightDecay: 0, gradientClip: null }, 0.5, 1, buckets);
  expect(Object.values(scalars)).toEqual([0.5, 8]);
});
