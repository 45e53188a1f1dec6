import { appendFile, mkdir, mkdtemp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesBelow, bytesOfHome } from '../../../electron/studio/files.js';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'files-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** As if nothing had happened in the folder for an hour. */
async function settle(folder: string): Promise<void> {
  const then = new Date(Date.now() - 3_600_000);
  await utimes(folder, then, then);
}

describe('bytesBelow', () => {
  it('follows files that come, are replaced and go, at any depth', async () => {
    const run = join(home, 'runs', '1');
    await mkdir(join(run, 'checkpoints'), { recursive: true });
    await writeFile(join(run, 'trained'), Buffer.alloc(100));
    await writeFile(join(run, 'checkpoints', 'a'), Buffer.alloc(30));
    for (const folder of [join(run, 'checkpoints'), run, join(home, 'runs')]) await settle(folder);
    expect(await bytesBelow(join(home, 'runs'))).toBe(130);
    await writeFile(join(run, 'checkpoints', 'b.part'), Buffer.alloc(7));
    await rename(join(run, 'checkpoints', 'b.part'), join(run, 'checkpoints', 'a'));
    expect(await bytesBelow(join(home, 'runs'))).toBe(107);
    await rm(join(run, 'checkpoints'), { recursive: true });
    expect(await bytesBelow(join(home, 'runs'))).toBe(100);
    await rm(run, { recursive: true });
    expect(await bytesBelow(join(home, 'runs'))).toBe(0);
    expect(await bytesBelow(run)).toBe(0);
  });

  it('lists a settled folder once, and one that has just changed each time', async () => {
    const file = join(home, 'file');
    await writeFile(file, 'one');
    const { mtimeMs } = await stat(home);
    expect(Date.now() - mtimeMs).toBeLessThan(2000);
    expect(await bytesBelow(home)).toBe(3);
    // The folder's stamp stays: a file that grows where it lies shows whether the folder was listed again.
    await appendFile(file, 'more');
    expect(await bytesBelow(home)).toBe(7);
    await settle(home);
    expect(await bytesBelow(home)).toBe(7);
    await appendFile(file, 'again');
    expect(await bytesBelow(home)).toBe(7);
  });
});

describe('bytesOfHome', () => {
  it('looks at the database each time and leaves the window’s own files out', async () => {
    await mkdir(join(home, 'window'));
    await writeFile(join(home, 'window', 'cache'), Buffer.alloc(1000));
    await mkdir(join(home, 'runs'));
    await writeFile(join(home, 'runs', 'a'), Buffer.alloc(10));
    await writeFile(join(home, 'studio.db'), Buffer.alloc(5));
    await settle(home);
    expect(await bytesOfHome(home)).toBe(15);
    await appendFile(join(home, 'studio.db'), 'grown');
    expect(await bytesOfHome(home)).toBe(20);
  });
});
