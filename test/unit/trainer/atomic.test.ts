import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeAtomically } from '../../../electron/trainer/atomic.js';

it('replaces a file whole or leaves it as it was', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'atomic-'));
  const path = join(folder, 'a.txt');
  await writeAtomically(path, (temporary) => writeFile(temporary, 'one'));
  expect(await readFile(path, 'utf8')).toBe('one');
  await expect(
    writeAtomically(path, async (temporary) => {
      await writeFile(temporary, 'tw');
      throw new Error('power cut');
    }),
  ).rejects.toThrow('power cut');
  expect(await readFile(path, 'utf8')).toBe('one');
  expect(await readdir(folder)).toEqual(['a.txt']);
});
