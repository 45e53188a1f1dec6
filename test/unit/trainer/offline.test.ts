/** Nothing leaves the computer: the runtime's own telemetry, which keeps an identifier and a queue on the disk, never starts. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { trainerMessageSchema, type HostMessage } from '../../../electron/trainer/protocol.js';
import { makeTinyModel } from '../../helpers/tiny-model.js';
import { bundledTrainer, removeBundles } from '../../helpers/trainer-process.js';

afterAll(removeBundles);

it('the trainer leaves no trace of telemetry in the home of its user', { timeout: 60_000 }, async () => {
  const home = await mkdtemp(join(tmpdir(), 'offline-home-'));
  const modelFolder = await makeTinyModel(await mkdtemp(join(tmpdir(), 'offline-model-')));
  // Without what would keep it quiet by itself: a continuous integration, or a user who knows of it.
  const { CI: _, ORT_DISABLE_TELEMETRY: __, XDG_CACHE_HOME: ___, ...env } = process.env;
  const child = fork(await bundledTrainer(), [], {
    env: { ...env, HOME: home },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const message: HostMessage = {
    kind: 'job',
    id: 'a',
    job: {
      type: 'predict',
      models: [
        {
          key: 'base',
          modelFolder,
          runFolder: null,
          method: { type: 'head' },
          objective: { type: 'classification', labels: ['a', 'b'] },
          maxLength: 16,
          seed: 1,
          device: 'cpu',
          threads: null,
        },
      ],
      rows: [{ text: 'the old house', pair: null }],
    },
  };
  const answered = new Promise((resolve) => {
    child.on('message', (raw) => {
      const told = trainerMessageSchema.parse(raw);
      if (told.kind === 'ready') child.send(message);
      if (told.kind === 'done' || told.kind === 'failed') resolve(told);
    });
  });
  expect(await answered).toMatchObject({ kind: 'done', result: { models: [{ problem: null }] } });
  const gone = once(child, 'exit');
  child.send({ kind: 'exit' } satisfies HostMessage);
  await gone;
  expect(await readdir(home)).toEqual([]);
  await Promise.all([home, modelFolder].map((folder) => rm(folder, { recursive: true, force: true })));
});
