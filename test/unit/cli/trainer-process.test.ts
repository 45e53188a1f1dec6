/** A trainer that goes down: its end is told once, with what it printed last. A real process in the trainer's place. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { forkTrainerFrom } from '../../../electron/cli/trainer-process.js';
import { TrainerClient } from '../../../electron/studio/trainer-client.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'last-words-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function ends(program: string) {
  const file = join(folder, 'trainer.cjs');
  await writeFile(file, `process.on('message', () => {});\n${program}`);
  const client = new TrainerClient(forkTrainerFrom(file));
  return client.start({ type: 'device-test', device: 'cpu', folder }).result.then(
    () => null,
    (error: unknown) => error,
  );
}

it('tells what a trainer printed before the system ended it', async () => {
  const said = "terminate called after throwing an instance of 'std::bad_alloc'";
  const error = await ends(
    `process.stderr.write(${JSON.stringify(`${'x'.repeat(1200)}\n${said}\n`)}, () => process.kill(process.pid, 'SIGKILL'));`,
  );
  expect(error).toMatchObject({ code: 'trainer-lost', context: { code: null } });
  const { lastWords } = (error as { context: { lastWords: string } }).context;
  expect(lastWords.endsWith(said)).toBe(true);
  expect(lastWords.length).toBeLessThanOrEqual(1000);
});

it('says nothing of a trainer that printed nothing', async () => {
  expect(await ends('process.exit(3);')).toMatchObject({ code: 'trainer-lost', context: { code: 3 } });
});

// glibc would keep the room of weights that were read and rounded.
it.runIf(process.platform === 'linux')('is started so that large blocks it lets go return to the system', async () => {
  const error = await ends('process.stderr.write(process.env.MALLOC_MMAP_THRESHOLD_, () => process.exit(3));');
  expect(error).toMatchObject({ context: { lastWords: '1048576' } });
});
