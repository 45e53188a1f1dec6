/**
 * A copy of the app without its window, for faults to strike: the studio over real trainer processes, as the command has it, told over a
 * channel what to do. The one who tells is `Copy`.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { problemOf } from '../../electron/contract/problem-of.js';
import { forkTrainerFrom } from '../../electron/cli/trainer-process.js';
import { openStudio, type Studio } from '../../electron/studio/index.js';
import type { SpawnTrainer } from '../../electron/studio/trainer-port.js';
import type { Told, Wish } from './wishes.js';

let studio: Studio | null = null;
const tell = (told: Told) => {
  if (process.connected) process.send?.(told);
};
const fork = forkTrainerFrom(join(dirname(fileURLToPath(import.meta.url)), 'trainer.cjs'));
const spawnTrainer: SpawnTrainer = (options) => {
  const trainer = fork(options);
  tell({ kind: 'trainer', pid: trainer.pid ?? 0 });
  return trainer;
};

async function grant(wish: Wish): Promise<unknown> {
  switch (wish.kind) {
    case 'open':
      studio = await openStudio({
        home: wish.home,
        spawnTrainer,
        emit: (event) => tell({ kind: 'event', event }),
        startQueued: wish.startQueued,
        checkDevices: false,
      });
      return null;
    case 'call': {
      if (studio === null) throw new Error('No data folder is open.');
      const handler = studio.handlers[wish.name] as (input: unknown) => Promise<unknown>;
      return handler(wish.input);
    }
    case 'close':
      await studio?.close();
      studio = null;
      return null;
  }
}

process.on('message', (wish: Wish & { readonly id: number }) => {
  void grant(wish).then(
    (value) => tell({ kind: 'answer', id: wish.id, value: value ?? null, problem: null }),
    (error: unknown) => tell({ kind: 'answer', id: wish.id, value: null, problem: problemOf(error) }),
  );
});
// Whoever told it what to do is gone.
process.on('disconnect', () => process.exit(0));
tell({ kind: 'ready' });
