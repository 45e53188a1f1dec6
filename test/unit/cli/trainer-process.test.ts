/** The process that trains, as the command starts it. */
import { readFile } from 'node:fs/promises';
import { afterAll, expect, it } from 'vitest';
import { forkTrainerFrom } from '../../../electron/cli/trainer-process.js';
import { bundledTrainer, removeBundles } from '../../helpers/trainer-process.js';

afterAll(removeBundles);

it.runIf(process.platform === 'linux')('gives large blocks that it lets go back to the system', async () => {
  const trainer = forkTrainerFrom(await bundledTrainer())();
  const ended = new Promise<void>((resolve) => trainer.onExit(() => resolve()));
  try {
    const environment = await readFile(`/proc/${trainer.pid}/environ`, 'utf8');
    expect(environment.split('\0')).toContain('MALLOC_MMAP_THRESHOLD_=1048576');
  } finally {
    trainer.kill();
    await ended;
  }
});
