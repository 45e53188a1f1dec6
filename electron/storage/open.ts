/**
 * Opens the studio's database. What can be wrong with it, and what then happens:
 * - not there or empty: it is made; folders of runs and data sets that are there without it are renamed aside, since their numbers would be given again;
 * - damaged: the files, and the runs' and data sets' folders that its numbers name, are renamed aside with a time stamp, never overwritten;
 *   a new one is made with a notice;
 * - older: a copy is kept beside it, then it is migrated;
 * - newer, locked or not writable: a typed error, nothing is touched.
 */
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StudioError } from '../contract/errors.js';
import { Database } from './database.js';
import { migrate, schemaVersion, versionOf } from './migrations.js';

export const databaseName = 'studio.db';

export interface OpenedDatabase {
  readonly database: Database;
  /** What the user should know, as sentences. */
  readonly notices: readonly string[];
}

/** Throws StudioError 'database' or 'no-access'. */
export async function openDatabase(home: string): Promise<OpenedDatabase> {
  await makeFolder(home);
  const path = join(home, databaseName);
  if ((await contentOf(path)) === 0) {
    const kept = await keepAside(home);
    const notice = `The database ${path} was gone or empty, but there were files that belong to one. They are kept as ${kept.join(', ')}; a new database was started.`;
    return { database: await openWhole(path, false), notices: kept.length > 0 ? [notice] : [] };
  }
  try {
    return { database: await openWhole(path, true), notices: [] };
  } catch (error) {
    if (!(error instanceof StudioError) || !isDamage(error)) throw error;
    const [aside = ''] = await keepAside(home);
    return {
      database: await openWhole(path, false),
      notices: [
        `The database was damaged and is kept as ${join(home, aside)}. A new one was started; the files of its runs and data sets are kept beside it, under the same time stamp.`,
      ],
    };
  }
}

const isDamage = (error: StudioError) =>
  error.context['sqlite'] === 'SQLITE_CORRUPT' || error.context['sqlite'] === 'SQLITE_NOTADB';
/** Bytes of a file, entries of a folder; 0 for what is not there. */
async function contentOf(path: string): Promise<number> {
  const info = await stat(path).catch(() => null);
  return info === null ? 0 : info.isDirectory() ? (await readdir(path)).length : info.size;
}

async function openWhole(path: string, existed: boolean): Promise<Database> {
  const database = await Database.open(path);
  try {
    await database.run('PRAGMA journal_mode = WAL');
    await database.run('PRAGMA synchronous = NORMAL');
    await database.run('PRAGMA foreign_keys = ON');
    const check = (await database.all('PRAGMA quick_check(1)'))[0]?.['quick_check'];
    if (check !== 'ok')
      throw new StudioError('database', `The database is damaged: ${String(check)}.`, null, {
        sqlite: 'SQLITE_CORRUPT',
      });
    await migrateKeeping(database, path, existed);
    return database;
  } catch (error) {
    await database.close().catch(() => undefined);
    throw error;
  }
}

/** Migrates; of a database with something in it a copy is kept, made while nobody else may write. */
async function migrateKeeping(database: Database, path: string, existed: boolean): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    // What lies in the log goes into the database itself, which is what is copied.
    if (existed && (await versionOf(database)) < schemaVersion) await database.run('PRAGMA wal_checkpoint(TRUNCATE)');
    try {
      return await migrate(database, schemaVersion, async (version) => {
        if (!existed || version === 0) return;
        if ((await contentOf(`${path}-wal`)) > 0) throw logIsInUse;
        await copyWhole(path, `${path}.before-version-${schemaVersion}`);
      });
    } catch (error) {
      if (error !== logIsInUse) throw error;
      if (attempts === 20)
        throw new StudioError(
          'database',
          `The database ${path} is from an older PEFT Studio, and another program has it open.`,
          'Close the other copy of PEFT Studio (or its command) and try again.',
        );
      await pause(100);
    }
  }
}

const logIsInUse = new Error('Another process has written to the log meanwhile.');

/** As `mkdir -p`. Node's own says "not there" of a read-only disk, and goes on for ever where the system makes no folders. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const find = (path: string) => stat(path).catch(() => null);
    if ((await find(folder))?.isDirectory()) return;
    const above = dirname(folder);
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing || (await find(above)) !== null) throw error;
    await makeFolder(above);
    await mkdir(folder);
  }
}

/** A copy that is there whole or not at all. */
async function copyWhole(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, `${to}.part`);
    const handle = await open(`${to}.part`, 'r+');
    await handle.sync().finally(() => handle.close());
    await rename(`${to}.part`, to);
  } catch (error) {
    await rm(`${to}.part`, { force: true });
    throw error;
  }
}

/**
 * Renames the database, its log and the folders that its numbers name: a new one counts from 1 again, and must not take
 * them for its own. Returns their new names, the database's first.
 */
async function keepAside(home: string): Promise<string[]> {
  const stamp = `.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  const names: readonly (readonly [string, string])[] = [
    [databaseName, databaseName + stamp],
    ...['-wal', '-shm'].map((part) => [databaseName + part, databaseName + stamp + part] as const),
    ...['runs', 'datasets'].map((folder) => [folder, folder + stamp] as const),
  ];
  const kept: string[] = [];
  for (const [name, aside] of names) {
    if ((await contentOf(join(home, name))) === 0) continue;
    await rename(join(home, name), join(home, aside));
    kept.push(aside);
  }
  return kept;
}
