/** A run whose outputs have their memory writes there and copies nothing. */
import { expect, it } from 'vitest';
import { Graph } from '../../../electron/engine/graph/graph.js';
import { GraphSession, runtime } from '../../../electron/engine/runtime/session.js';

const size = 8_000_000;

it('overwrites in place without a copy, and still reports what fails', async () => {
  const ort = await runtime();
  const g = new Graph();
  g.output('next', g.add(g.input('x', 'float32', [size]), g.scalar(1)));
  const session = await GraphSession.create(g, { device: 'cpu', threads: 1 });
  const x = new ort.Tensor('float32', new Float32Array(size), [size]);
  const before = process.memoryUsage().arrayBuffers;
  for (let round = 0; round < 3; round++) expect((await session.run({ x }, { next: x }, 'cpu'))['next']).toBe(x);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(size);
  expect([x.data[0], x.data[size - 1]]).toEqual([3, 3]);

  const anew = await session.run({ x }, { next: null }, 'cpu');
  expect(anew['next']).not.toBe(x);
  expect([anew['next']?.data[0], x.data[0]]).toEqual([4, 3]);

  const short = new ort.Tensor('float32', new Float32Array(4), [4]);
  await expect(session.run({ x: short }, { next: x }, 'cpu')).rejects.toMatchObject({ code: 'device-failed' });
  await session.dispose();
});
