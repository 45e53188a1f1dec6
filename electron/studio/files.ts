/** Small helpers over files that several groups of calls need. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { sweepTemporaries } from '../engine/index.js';
import type { Presence } from '../storage/index.js';
import { runFolder } from './context.js';

/** A folder as it was listed: its own files together, and its folders by name. */
interface Listed {
  readonly changed: number;
  readonly bytes: number;
  readonly folders: readonly string[];
}
const listed = new Map<string, Listed>();
/** File systems stamp coarsely: what changed this shortly before it was listed may change again under the same stamp. */
const settledAfterMs = 2000;

/**
 * Bytes of a file, or of all files below a folder; 0 where there is nothing.
 * A folder is listed again when its own time stamp has changed, which is when something in it was made, renamed or deleted:
 * files of runs, data sets and exports are written beside and renamed, never grown where they lie.
 */
export async function bytesBelow(path: string): Promise<number> {
  const info = await stat(path).catch(() => null);
  if (info === null) {
    listed.delete(path);
    return 0;
  }
  if (!info.isDirectory()) return info.size;
  let known = listed.get(path);
  if (known === undefined || known.changed !== info.mtimeMs) {
    known = await list(path, info.mtimeMs);
    if (Date.now() - known.changed > settledAfterMs) listed.set(path, known);
    else listed.delete(path);
  }
  return sum([known.bytes, ...(await Promise.all(known.folders.map((name) => bytesBelow(join(path, name)))))]);
}

async function list(path: string, changed: number): Promise<Listed> {
  // A folder may go between its stamp and its list, as a checkpoint's does when a run ends.
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory());
  const sizes = await Promise.all(files.map(({ name }) => fileBytes(join(path, name))));
  return {
    changed,
    bytes: sum(sizes),
    folders: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name),
  };
}

const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
const fileBytes = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** What the user's work takes in a data folder: the database with all it keeps aside, runs and data sets; not the window's own cache. */
export async function bytesOfHome(home: string): Promise<number> {
  const entries = await readdir(home, { withFileTypes: true });
  const own = entries.filter(({ name }) => name !== 'window');
  // The database grows where it lies, so the files beside it are looked at each time.
  return sum(
    await Promise.all(own.map((entry) => (entry.isDirectory() ? bytesBelow : fileBytes)(join(home, entry.name)))),
  );
}

export async function freeBytes(path: string): Promise<number> {
  const info = await statfs(path);
  return info.bavail * info.bsize;
}

/** Forces the files of a folder to the disk. */
async function syncBelow(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncBelow(path);
    else if (entry.isFile()) {
      const handle = await open(path, 'r+');
      await handle.sync().finally(() => handle.close());
    }
  }
}

const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20).toLocaleString('en');

/** What the studio's own folder keeps free beyond what is asked for: database, logs and checkpoints go on growing. */
const KEPT_FREE = 50 * 2 ** 20;

/**
 * Throws StudioError 'no-space' where the disk of a folder (which may not be there yet) cannot take `bytes`.
 * @param spare bytes that must stay free besides
 */
export async function requireSpace(folder: string, bytes: number, what: string, spare = KEPT_FREE): Promise<void> {
  const needed = bytes + spare;
  const free = await freeBytes(await existingAbove(folder));
  if (free < needed)
    throw new StudioError(
      'no-space',
      `${what} needs about ${mebibytes(needed)} MiB, but ${folder} has ${Math.floor(free / 2 ** 20).toLocaleString('en')} MiB free.`,
      'Free some space, or choose another folder.',
      { needed, free },
    );
}

/** The folder itself, or the nearest above it that is there. */
async function existingAbove(folder: string): Promise<string> {
  return (await isThere(folder)) || dirname(folder) === folder ? folder : existingAbove(dirname(folder));
}

/** Is a file or folder of that name there? */
export const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Removes what a trainer that was killed left half-written of a run. */
export async function sweepRun(home: string, runId: number): Promise<void> {
  const folder = runFolder(home, runId);
  await Promise.all([folder, join(folder, 'checkpoints')].map(sweepTemporaries));
}

/** Who makes something beside its name: what a killed process left is removed by the next. */
export type Maker = Pick<Presence, 'making'>;

/** Lets `make` fill `part`, which is gone afterwards, whatever happens. */
async function madeBeside<T>(maker: Maker, part: string, make: () => Promise<T>): Promise<T> {
  const forget = await maker.making(part);
  try {
    return await make();
  } finally {
    // What cannot be removed now stays noted, and goes when this process ends.
    await rm(part, { recursive: true, force: true })
      .then(forget)
      .catch(() => undefined);
  }
}

/** A file comes to stand whole or not at all: `write` fills one beside it, of its own for each caller, which then takes the name; the last whole one stands. */
export async function replaceFile(maker: Maker, path: string, write: (part: string) => Promise<void>): Promise<void> {
  const part = `${path}.${randomUUID()}.part`;
  await madeBeside(maker, part, async () => {
    await write(part);
    await rename(part, path).catch((error: unknown) => {
      // Nobody knows the other name.
      throw error instanceof Error ? Object.assign(error, { path }) : error;
    });
  });
}

/** Makes a folder whole or not at all: `fill` writes into a folder beside it, which is forced to the disk and then takes its name. Throws StudioError 'conflict' where it holds something already. */
export async function makeFolder(
  maker: Maker,
  folder: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const there = await readdir(folder).catch(() => []);
  if (there.length > 0)
    throw new StudioError('conflict', `${folder} is not empty.`, 'Choose a new or empty folder.', { folder });
  await mkdir(dirname(folder), { recursive: true });
  const temporary = join(dirname(folder), `.${basename(folder)}.${randomUUID()}.part`);
  await madeBeside(maker, temporary, async () => {
    await mkdir(temporary).catch((error: unknown) => {
      // What cannot be written is the folder that it is to stand in.
      throw error instanceof Error ? Object.assign(error, { path: dirname(folder) }) : error;
    });
    await fill(temporary);
    await syncBelow(temporary);
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  });
}

const filling = new Map<string, Promise<void>>();

/**
 * Makes a folder that several may ask for at once, in this process or another: whoever is done first gives it its name. Nothing is
 * done where it stands already.
 */
export async function keepFolder(
  maker: Maker,
  folder: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const known = filling.get(folder);
  if (known) return known;
  const made = (async () => {
    if (await isThere(folder)) return;
    await mkdir(dirname(folder), { recursive: true });
    const temporary = join(dirname(folder), `.${basename(folder)}.${randomUUID()}.part`);
    await madeBeside(maker, temporary, async () => {
      await fill(temporary);
      await syncBelow(temporary);
      await rename(temporary, folder).catch(async (error: unknown) => {
        if (!(await isThere(folder))) throw error;
      });
    });
  })().finally(() => filling.delete(folder));
  filling.set(folder, made);
  return made;
}
