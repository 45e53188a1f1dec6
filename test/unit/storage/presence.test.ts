/** Who is at work in a data folder, told from real processes: one that is killed leaves its file behind, but not its lock. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Presence } from '../../../electron/storage/presence.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = join(root, 'node_modules', '.cache', `presence-${process.pid}`);
const program = join(folder, 'announce.cjs');
let home: string;

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  await build({
    absWorkingDir: root,
    stdin: {
      contents: `import { Presence } from './electron/storage/presence.js';
        Presence.announce(process.argv[2]).then(async (presence) => { await presence.workFolder(); process.send(presence.id); });
        setInterval(() => undefined, 1000);`,
      resolveDir: root,
      loader: 'ts',
    },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
    external: ['sqlite3'],
  });
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'presence-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function other(): Promise<{ child: ChildProcess; id: string }> {
  const child = fork(program, [home]);
  const id: unknown = (await once(child, 'message'))[0];
  if (typeof id !== 'string') throw new Error('no id');
  return { child, id };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

it('tells a living process from a killed one, and removes what the killed one left', async () => {
  const self = await Presence.announce(home);
  const [one, two] = [await other(), await other()];
  expect(new Set([self.id, one.id, two.id]).size).toBe(3);
  for (const id of [self.id, one.id, two.id]) expect(await self.isAlive(id)).toBe(true);

  await kill(one.child);
  await self.sweep();
  expect(await self.isAlive(one.id)).toBe(false);
  expect(await self.isAlive(two.id)).toBe(true);
  const names = await readdir(join(home, 'processes'));
  expect(names.filter((name) => name.startsWith(one.id))).toEqual([]);
  // The living one keeps its lock and its working files.
  expect(names.filter((name) => name.startsWith(two.id)).sort()).toEqual([two.id, `${two.id}.lock`]);

  await kill(two.child);
  expect(await self.isAlive(two.id)).toBe(false);
  await self.release();
  expect(await readdir(join(home, 'processes'))).toEqual([]);
});

it('removes what a killed process was making anywhere, and tells what has its name already', async () => {
  const self = await Presence.announce(home);
  const one = await other();
  const [part, file, run] = ['elsewhere/.adapter.part', 'elsewhere/kept.csv', 'runs/7'].map((name) => join(home, name));
  for (const folder of [part, run]) await mkdir(folder ?? '', { recursive: true });
  await writeFile(file ?? '', 'of the user');
  // As `making` notes it, in the name of the one that is killed.
  for (const [at, path] of [part, run, join(home, 'elsewhere/gone.zip.part')].entries())
    await writeFile(join(home, 'processes', one.id, `${at}.making`), path ?? '');
  await self.sweep();
  expect(await readdir(join(home, 'elsewhere'))).toContain('.adapter.part');
  await kill(one.child);
  await self.sweep();
  expect(await readdir(join(home, 'elsewhere'))).toEqual(['kept.csv']);
  expect(self.left).toEqual([run]);
  await self.release();
});

it('knows when the folder is no longer where it was opened', async () => {
  const self = await Presence.announce(home);
  expect(await self.whyGone()).toBe(null);
  await rename(home, `${home}-moved`);
  await mkdir(join(home, 'processes'), { recursive: true });
  expect(await self.whyGone()).toMatchObject({ code: 'no-access', message: expect.stringContaining(home) as string });
  await rm(home, { recursive: true });
  await rename(`${home}-moved`, home);
  expect(await self.whyGone()).toBe(null);
  await self.release();
});

it('forgets what is done, and leaves alone what a living one is making', async () => {
  const [self, second] = [await Presence.announce(home), await Presence.announce(home)];
  const path = join(home, 'out.csv.part');
  const forget = await second.making(path);
  await writeFile(path, 'half');
  await self.sweep();
  expect(await readdir(home)).toContain('out.csv.part');
  await forget();
  expect(await readdir(join(home, 'processes', second.id))).toEqual([]);
  // What could not be removed when it was given up goes at the end.
  await second.making(path);
  await second.release();
  expect(await readdir(home)).not.toContain('out.csv.part');
  await self.release();
});

it('takes a name that is no process, or a path, for a process that has ended', async () => {
  const self = await Presence.announce(home);
  await writeFile(join(home, 'outside.lock'), '');
  for (const id of ['', '../outside', '00000000-0000-0000-0000-000000000000'])
    expect(await self.isAlive(id)).toBe(false);
  expect(await readdir(home)).toContain('outside.lock');
  await self.release();
});
