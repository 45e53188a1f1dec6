/** What can be wrong with the database file, and what then happens. Real files. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../../electron/storage/database.js';
import { migrate, schemaVersion, versionOf } from '../../../electron/storage/migrations.js';
import { databaseName, openDatabase } from '../../../electron/storage/open.js';
import { insertProject, listProjects } from '../../../electron/storage/projects.js';

let home: string;
const path = () => join(home, databaseName);
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'storage-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const someProject = { name: 'One', description: '', createdAt: '2026-01-01T00:00:00.000Z' };

async function withProject(): Promise<void> {
  const { database } = await openDatabase(home);
  await insertProject(database, someProject);
  await database.close();
}

describe('opening', () => {
  it('makes what is missing, folder included, and keeps what was written', async () => {
    home = join(home, 'deep', 'folder');
    const { database, notices } = await openDatabase(home);
    expect(notices).toEqual([]);
    expect(await database.all('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(await database.all('PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }]);
    expect(await database.all('PRAGMA user_version')).toEqual([{ user_version: schemaVersion }]);
    await insertProject(database, someProject);
    await database.close();
    const again = await openDatabase(home);
    expect((await listProjects(again.database, false)).map(({ name }) => name)).toEqual(['One']);
    await again.database.close();
  });

  it.each([
    [
      'bytes of something else',
      async (file: string) => writeFile(file, 'not a database at all, but long enough to be read as one'.repeat(100)),
    ],
    [
      'torn pages',
      async (file: string) => {
        const bytes = await readFile(file);
        bytes.fill(0x5a, 100);
        await writeFile(file, bytes);
      },
    ],
  ])('keeps a damaged file aside with the folders its numbers name: %s', async (_, damage) => {
    await withProject();
    await damage(path());
    const damaged = await readFile(path());
    await mkdir(join(home, 'runs', '1'), { recursive: true });
    await writeFile(join(home, 'runs', '1', 'trained.safetensors'), 'precious');
    await mkdir(join(home, 'datasets', '1'), { recursive: true });

    const { database, notices } = await openDatabase(home);
    expect(await listProjects(database, false)).toEqual([]);
    await database.close();
    const names = await readdir(home);
    const aside = names.find((name) => /^studio\.db\.damaged-[\dTZ-]+$/.test(name)) ?? '';
    expect(notices.join()).toContain(aside);
    expect((await readFile(join(home, aside))).equals(damaged)).toBe(true);
    const runs = names.find((name) => name.startsWith('runs.damaged-')) ?? '';
    expect(await readFile(join(home, runs, '1', 'trained.safetensors'), 'utf8')).toBe('precious');
    expect(names).toContain(runs.replace('runs', 'datasets'));
    expect(names).not.toContain('runs');
  });

  it('is brought up to date once when two open it together, and the copy that is kept is the old one', async () => {
    const old = await Database.open(path());
    await migrate(old, 4);
    await insertProject(old, someProject);
    await old.close();
    const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase(home)));
    for (const { database } of opened) {
      expect((await listProjects(database, false)).map(({ name }) => name)).toEqual(['One']);
      await database.close();
    }
    expect(await readdir(home)).toEqual([databaseName, `${databaseName}.before-version-${schemaVersion}`]);
    const kept = await Database.open(join(home, `${databaseName}.before-version-${schemaVersion}`));
    expect(await versionOf(kept)).toBe(4);
    expect(await kept.all('SELECT name FROM projects')).toEqual([{ name: 'One' }]);
    await kept.close();
  });

  it('is made once when two open the folder together for the first time', async () => {
    const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase(home)));
    for (const { database, notices } of opened) {
      expect(notices).toEqual([]);
      expect(await versionOf(database)).toBe(schemaVersion);
      await database.close();
    }
  });

  it.each(['is gone', 'is empty'])('keeps aside what a database named that %s', async (how) => {
    await withProject();
    await rm(path());
    if (how === 'is empty') await writeFile(path(), '');
    await mkdir(join(home, 'datasets', '1'), { recursive: true });
    await writeFile(join(home, 'datasets', '1', 'train.jsonl'), 'of the first data set');
    const { database, notices } = await openDatabase(home);
    expect(await listProjects(database, false)).toEqual([]);
    await database.close();
    // A new first data set would find these rows for its own.
    const names = await readdir(home);
    expect(names).not.toContain('datasets');
    const kept = names.find((name) => name.startsWith('datasets.damaged-')) ?? '';
    expect(await readFile(join(home, kept, '1', 'train.jsonl'), 'utf8')).toBe('of the first data set');
    expect(notices).toEqual([expect.stringContaining(kept)]);
  });

  it('refuses a database of a newer app and leaves it as it is', async () => {
    await withProject();
    const newer = await Database.open(path());
    await newer.run(`PRAGMA user_version = ${schemaVersion + 7}`);
    await newer.close();
    await expect(openDatabase(home)).rejects.toMatchObject({
      code: 'database',
      context: { version: schemaVersion + 7, known: schemaVersion },
    });
    const still = await Database.open(path());
    expect(await still.all('SELECT name FROM projects')).toEqual([{ name: 'One' }]);
    await still.close();
    expect((await readdir(home)).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  it('says that another program holds the database', { timeout: 20_000 }, async () => {
    await withProject();
    const holder = await Database.open(path());
    await holder.run('PRAGMA locking_mode = EXCLUSIVE');
    await holder.run('BEGIN EXCLUSIVE');
    await expect(openDatabase(home)).rejects.toMatchObject({
      code: 'database',
      message: expect.stringContaining('in use') as string,
    });
    await holder.run('COMMIT');
    await holder.close();
    expect((await readdir(home)).filter((name) => name.includes('damaged'))).toEqual([]);
    const { database } = await openDatabase(home);
    expect(await listProjects(database, false)).toHaveLength(1);
    await database.close();
  });
});
