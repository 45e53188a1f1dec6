/**
 * Opens the studio's database. What can be wrong with it, and what then happens:
 * - not there: it is made;
 * - damaged: the files, and the runs' and data sets' folders that its numbers name, are renamed aside with a time stamp, never overwritten;
 *   a new one is made with a notice;
 * - older: a copy is kept beside it, then it is migrated;
 * - newer, locked or not writable: a typed error, nothing is touched.
 */
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
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
  await mkdir(home, { recursive: true });
  const path = join(home, databaseName);
  const existed = await exists(path);
  try {
    return { database: await openWhole(path, existed), notices: [] };
  } catch (error) {
    if (!existed || !(error instanceof StudioError) || !isDamage(error)) throw error;
    const aside = await keepAside(home, path);
    return {
      database: await openWhole(path, false),
      notices: [
        `The database was damaged and is kept as ${aside}. A new one was started; the files of its runs and data sets are kept beside it, under the same time stamp.`,
      ],
    };
  }
}

const isDamage = (error: StudioError) =>
  error.context['sqlite'] === 'SQLITE_CORRUPT' || error.context['sqlite'] === 'SQLITE_NOTADB';
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

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
    const version = await versionOf(database);
    if (existed && version > 0 && version < schemaVersion) {
      await database.run('PRAGMA wal_checkpoint(TRUNCATE)');
      await copyWhole(path, `${path}.before-version-${schemaVersion}`);
    }
    await migrate(database);
    return database;
  } catch (error) {
    await database.close().catch(() => undefined);
    throw error;
  }
}

/** A copy that is there whole or not at all. */
async function copyWhole(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, `${to}.part`);
    await rename(`${to}.part`, to);
  } catch (error) {
    await rm(`${to}.part`, { force: true });
    throw error;
  }
}

/** The new database counts from 1 again: folders that the old numbers name must not be taken for its own. */
async function keepAside(home: string, path: string): Promise<string> {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const aside = `${path}.damaged-${stamp}`;
  await rename(path, aside);
  for (const suffix of ['-wal', '-shm']) if (await exists(path + suffix)) await rename(path + suffix, aside + suffix);
  for (const folder of ['runs', 'datasets'])
    if (await exists(join(home, folder))) await rename(join(home, folder), join(home, `${folder}.damaged-${stamp}`));
  return aside;
}
