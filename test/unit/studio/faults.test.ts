/** Faults of each kind that can be had here but one (kill -9 of the whole app is in test/e2e/recovery.spec.ts), by a fixed seed; `npm run faults` strikes with as many as wanted. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kinds } from '../../faults/kinds.js';
import { World } from '../../faults/world.js';
import type { WorkName } from '../../faults/works.js';

/** What each kind strikes here: together few works, since each is done once without a fault first. */
const struck: Readonly<Record<string, WorkName>> = {
  'kill-trainer': 'train',
  'kill-main': 'train',
  'kill-both': 'import',
  'kill-command': 'import',
  'kill-at-call': 'project-import',
  'full-disk': 'import',
  'full-target': 'project-export',
  'read-only': 'project-import',
  'disk-error': 'train',
  'pulled-out': 'import',
  'clock-jumps': 'project-export',
  suspended: 'train',
  'two-copies': 'migration',
  'out-of-memory': 'train',
};

let world: World;
beforeAll(async () => {
  world = await World.make();
}, 120_000);
afterAll(() => world.remove());

const possible = kinds.filter((kind) => struck[kind.name] !== undefined && kind.hindered() === null);
it.each(possible.map((kind) => [kind.name, kind] as const))(
  'nothing is lost: %s',
  { timeout: 180_000 },
  async (name, kind) => {
    const work = struck[name];
    if (work === undefined) throw new Error('not reached');
    // It throws with what was lost, and where something hangs.
    await expect(kind.strike(world, work, 7)).resolves.toMatchObject({ words: expect.any(String) as string });
  },
);
