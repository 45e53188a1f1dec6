/** What a run made of its base, without its own head: for every method what a finished run keeps of it is taken along. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keptMethod, openModel, planParameters, type BaseModelInfo } from '../../../electron/engine/index.js';
import { withoutOwnHead } from '../../../electron/trainer/base-parameters.js';
import { makeTinyModel } from '../../helpers/tiny-model.js';

let folder: string;
let model: BaseModelInfo;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'base-'));
  model = await openModel(await makeTinyModel(folder));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const classes = { type: 'classification', labels: ['a', 'b', 'c'] } as const;

it.each([
  { type: 'lora' },
  { type: 'prefix', numVirtualTokens: 2, prefixProjection: true },
  { type: 'p-tuning', version: 1, numVirtualTokens: 2 },
  { type: 'mam', prefixProjection: true },
  { type: 'full' },
])('$type', (method) => {
  const kept = planParameters({ model, method: keptMethod(method), objective: classes });
  const trained = new Map(
    kept
      .filter(({ trainable, part }) => trainable || part === 'added')
      .map(({ name, shape }) => [name, { shape, data: new Float32Array(shape.reduce((a, d) => a * d, 1)) }]),
  );
  const left = withoutOwnHead(trained, model, method, { type: 'masked-lm' });
  const added = kept.filter(({ part }) => part === 'added').map(({ name }) => name);
  expect([...left.keys()]).toEqual(expect.arrayContaining(added));
  for (const { name } of kept.filter(({ part }) => part === 'head')) expect(left.has(name)).toBe(false);
  expect(left.size).toBeGreaterThan(0);
});
