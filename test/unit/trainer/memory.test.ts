import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { freemem, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { availableBytes, peakBytes, residentBytes } from '../../../electron/trainer/memory.js';

it('the peak keeps what was let go', () => {
  const before = peakBytes();
  expect(before).toBeGreaterThanOrEqual(residentBytes() * 0.9);
  let block: Uint8Array | null = new Uint8Array(120e6).fill(1);
  expect(block[5]).toBe(1);
  block = null;
  expect(peakBytes()).toBeGreaterThan(before + 50e6);
  expect(availableBytes()).toBeGreaterThan(0);
  expect(availableBytes()).toBeLessThanOrEqual(Math.min(totalmem(), freemem() * 1.5));
});

it('a small child of a large parent reports its own peak', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'memory-'));
  await writeFile(
    join(folder, 'entry.ts'),
    `import { peakBytes } from ${JSON.stringify(join(process.cwd(), 'electron/trainer/memory.ts'))}; process.send!(peakBytes());`,
  );
  await build({
    entryPoints: [join(folder, 'entry.ts')],
    outfile: join(folder, 'entry.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
  const block = new Uint8Array(400e6).fill(1);
  const child = fork(join(folder, 'entry.cjs'));
  const peak: unknown = (await once(child, 'message'))[0];
  expect(block[7]).toBe(1);
  expect(peak).toBeLessThan(250e6);
});
