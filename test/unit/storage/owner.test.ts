import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimHome } from '../../../electron/storage/owner.js';

it('a data folder has one owner at a time', async () => {
  const home = await mkdtemp(join(tmpdir(), 'owner-'));
  const first = await claimHome(home);
  expect(first.owner).toBe(true);
  const second = await claimHome(home);
  expect(second.owner).toBe(false);
  await second.release();
  await first.release();
  const third = await claimHome(home);
  expect(third.owner).toBe(true);
  await third.release();
});
