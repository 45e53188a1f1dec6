/** A deletion is noted before it happens, and its folders go only with their records. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Presence } from '../../../electron/storage/index.js';
import { Jobs, throwIfAborted } from '../../../electron/studio/jobs.js';
import { removeWithFolders } from '../../../electron/studio/removals.js';

let home: string;
let presence: Presence;
let folder: string;

const notes = async () => {
  const own = await presence.workFolder();
  return Promise.all((await readdir(own)).map((name) => readFile(join(own, name), 'utf8')));
};
const jobs = new Jobs(() => undefined);
const remove = (forget: () => Promise<void>) => removeWithFolders({ presence, jobs }, [folder], forget);

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'removals-'));
  presence = await Presence.announce(home);
  folder = join(home, 'runs', '7');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'trained.safetensors'), 'kept');
});
afterEach(async () => {
  await presence.release();
  await rm(home, { recursive: true, force: true });
});

it('notes the folder before its record goes, and nothing is left of either', async () => {
  let noted: string[] = [];
  await remove(async () => {
    noted = await notes();
    expect(await readdir(folder)).toEqual(['trained.safetensors']);
  });
  expect(noted).toEqual([folder]);
  expect(await readdir(join(home, 'runs'))).toEqual([]);
  expect(await notes()).toEqual([]);
});

it('leaves the folder where its record stays', async () => {
  await expect(remove(() => Promise.reject(new Error('in use')))).rejects.toThrow('in use');
  expect(await readdir(folder)).toEqual(['trained.safetensors']);
  expect(await notes()).toEqual([]);
});

it('deletes where no note can be written', async () => {
  const full = { ...presence, making: () => Promise.reject(new Error('full')) } as unknown as Presence;
  await removeWithFolders({ presence: full, jobs }, [folder], () => Promise.resolve());
  expect(await readdir(join(home, 'runs'))).toEqual([]);
});

it('waits until no job works in the folder', async () => {
  const order: string[] = [];
  const until = (name: string, where: string) =>
    jobs.start(
      'profile',
      name,
      async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await writeFile(join(folder, 'last words'), '');
        order.push(name);
        throwIfAborted(signal);
      },
      where,
    );
  const here = until('here', folder);
  const elsewhere = until('elsewhere', home);
  await remove(async () => void order.push('forgotten'));
  expect(order).toEqual(['here', 'forgotten']);
  expect(await readdir(join(home, 'runs'))).toEqual([]);
  const stateOf = ({ jobId }: { jobId: string }) => jobs.list().find(({ id }) => id === jobId)?.state;
  expect([stateOf(here), stateOf(elsewhere)]).toEqual(['cancelled', 'running']);
  await mkdir(folder, { recursive: true });
  await jobs.close();
  expect(stateOf(elsewhere)).toBe('cancelled');
});
