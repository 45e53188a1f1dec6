/** Disks that fill up, that may no longer be written, that return errors, that are pulled out. */
import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SmallDisk } from '../helpers/small-disk.js';
import type { Copy } from './copy.js';
import { missing } from './copy.js';
import { requireIntact } from './inspect.js';
import { afterwards, began, inLife, outcome, readyFor, type Kind, type Struck } from './kind.js';
import { drawMoment } from './moments.js';
import { filesBelow, foldersBelow, type Stage } from './stage.js';
import { Tracer } from './tracer.js';
import { works, type WorkName } from './works.js';
import type { World } from './world.js';

const MILLISECONDS_TO_LAST = 20_000;

const root = process.getuid?.() === 0;
/** "nobody": owns nothing, so permissions count for it. */
const NOBODY = 65_534;

const noMount = () => {
  const disk = SmallDisk.mount(1);
  disk?.unmount();
  return disk === null ? 'nothing can be mounted' : null;
};

/** The work struck at a moment by `strike`, mended by `mend`, up to four times, and then taken to its end by the same copy or one that is opened anew. */
async function struck(
  world: World,
  name: WorkName,
  stage: Stage,
  copy: Copy,
  strike: () => Promise<void> | void,
  mend: () => Promise<void> | void,
): Promise<Struck> {
  const opening = works[name].template === 'old';
  const times = opening ? 1 : 1 + Math.floor(stage.random() * 4);
  const pace = await world.rehearsed(name);
  const words: string[] = [];
  let faults = 0;
  for (let time = 0; time < times; time += 1) {
    const end = inLife(time, name, copy, stage);
    const moment = drawMoment(stage.random, pace);
    if (await moment.reached(copy, end)) faults += 1;
    await strike();
    // A fault that lasts may keep the work waiting, but not for ever.
    await Promise.race([end.catch(() => undefined), pause(MILLISECONDS_TO_LAST, null, { ref: false })]);
    await mend();
    words.push(`${moment.words}: ${outcome(await end)}`);
  }
  const next = await afterwards(world, copy, stage, opening || stage.random() < 0.5);
  await requireIntact(stage.home);
  return { faults, words: `${words.join(', ')}; ${await world.settle(name, next, stage)}` };
}

/** Uses a small disk of its own, and lets go of it. */
async function onDisk(megabytes: number, use: (disk: SmallDisk) => Promise<Struck>): Promise<Struck> {
  const disk = SmallDisk.mount(megabytes);
  if (disk === null) throw new Error('no disk');
  try {
    return await use(disk);
  } finally {
    disk.unmount();
  }
}

/** The work while a disk is full for a while: `left` bytes stay free. */
async function struckFull(world: World, name: WorkName, stage: Stage, disk: SmallDisk, left: number): Promise<Struck> {
  const copy = await readyFor(world, name, stage);
  return struck(
    world,
    name,
    stage,
    copy,
    () => disk.fill(left),
    () => disk.clear(),
  );
}

export const fullDisk: Kind = {
  name: 'full-disk',
  about: 'the disk of the data folder is full for a while (tmpfs)',
  works: [
    'import',
    'import',
    'import',
    'project-import',
    'project-import',
    'project-export',
    'migration',
    'train',
    'checkpoint',
    'study',
  ],
  weight: 10,
  hindered: noMount,
  async strike(world, name, seed) {
    await world.rehearsed(name);
    return onDisk(160, async (disk) => {
      const stage = await world.stage(works[name], seed, join(disk.folder, 'home'));
      const left = [0, 0, 20_000, 300_000, 2 ** 20][Math.floor(stage.random() * 5)] ?? 0;
      return struckFull(world, name, stage, disk, left);
    });
  },
};

export const fullTarget: Kind = {
  name: 'full-target',
  about: 'the disk that an export or a project file goes to is full for a while (tmpfs)',
  works: ['project-export', 'project-export', 'export'],
  weight: 6,
  hindered: noMount,
  async strike(world, name, seed) {
    await world.rehearsed(name);
    return onDisk(80, async (disk) => {
      const stage = { ...(await world.stage(works[name], seed)), outside: join(disk.folder, 'outside') };
      await mkdir(stage.outside);
      return struckFull(world, name, stage, disk, 0);
    });
  },
};

export const readOnly: Kind = {
  name: 'read-only',
  about: 'the data folder and the target may not be written for a while, by a user who is not root',
  works: ['import', 'project-import', 'project-export', 'project-import', 'train', 'checkpoint', 'export'],
  weight: 4,
  hindered: () => (root ? null : 'only root can start a copy as another user and give files back'),
  async strike(world, name, seed) {
    await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    const places = [stage.home, stage.outside];
    // What the work removes meanwhile needs no change.
    const each = async (change: (path: string, folder: boolean) => Promise<void>) => {
      for (const place of places) {
        for (const folder of await foldersBelow(place)) await change(join(place, folder), true).catch(() => undefined);
        for (const file of await filesBelow(place)) await change(join(place, file), false).catch(() => undefined);
      }
    };
    await each((path) => chown(path, NOBODY, NOBODY));
    const copy = await readyFor(world, name, stage, { user: NOBODY });
    return struck(
      world,
      name,
      stage,
      copy,
      () => each((path, folder) => chmod(path, folder ? 0o555 : 0o444)),
      () => each((path, folder) => chmod(path, folder ? 0o755 : 0o644)),
    );
  },
};

/** Calls by which files come to the disk. */
const writing = 'fsync,fdatasync,pwrite64,rename,ftruncate,mkdir';

export const diskError: Kind = {
  name: 'disk-error',
  about: 'the disk returns I/O errors (EIO) for all that writes, for as long as the work goes on (strace)',
  works: ['import', 'import', 'project-import', 'project-import', 'project-export', 'train', 'checkpoint', 'study'],
  weight: 8,
  hindered: () => missing('strace', '--version'),
  async strike(world, name, seed) {
    await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    const copy = await readyFor(world, name, stage);
    let tracer = null as Tracer | null;
    let faults = 0;
    const { words } = await struck(
      world,
      name,
      stage,
      copy,
      async () => {
        const of =
          [writing, 'fsync,fdatasync', 'pwrite64', 'rename', 'mkdir'][Math.floor(stage.random() * 5)] ?? writing;
        tracer = await Tracer.attach([copy.pid, ...(copy.trainer === null ? [] : [copy.trainer])], of, 'error=EIO');
      },
      async () => {
        await tracer?.detach();
        if (tracer?.struck) faults += 1;
      },
    );
    return { faults, words };
  },
};

export const pulledOut: Kind = {
  name: 'pulled-out',
  about: 'the disk of the data folder is gone for a while, and with it the app that was open on it (bind mount)',
  works: ['import', 'train', 'checkpoint', 'project-import', 'study'],
  weight: 3,
  hindered: noMount,
  async strike(world, name, seed) {
    const pace = await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    const point = `${stage.home}-mounted`;
    await mkdir(point);
    const mount = () => execFileSync('mount', ['--bind', stage.home, point]);
    const unmount = () => execFileSync('umount', ['-l', point], { stdio: 'ignore' });
    mount();
    let mounted = true;
    try {
      const seen = { ...stage, home: point };
      const copy = await readyFor(world, name, seen);
      const end = began(name, copy, seen);
      const moment = drawMoment(stage.random, pace);
      const faults = (await moment.reached(copy, end)) ? 1 : 0;
      unmount();
      mounted = false;
      const told = outcome(await end);
      // Whoever pulled a disk out closes the app, or it goes down.
      if (stage.random() < 0.5) await copy.close().catch(() => copy.kill());
      else await copy.kill();
      const strays = await filesBelow(point);
      await rm(point, { recursive: true, force: true });
      await mkdir(point);
      mount();
      mounted = true;
      const next = await world.opened(point);
      await requireIntact(point);
      const words = `${moment.words}: ${told}${strays.length > 0 ? `, ${strays.length} files where it had been` : ''}`;
      return { faults, words: `${words}; ${await world.settle(name, next, seen)}` };
    } finally {
      if (mounted) unmount();
      await rmdir(point).catch(() => undefined);
    }
  },
};
