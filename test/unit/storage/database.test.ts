/** Transactions: all or nothing, and never mixed with other work. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Database } from '../../../electron/storage/database.js';

let folder: string;
let database: Database;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'database-'));
  database = await Database.open(join(folder, 'x.db'));
  await database.run('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)');
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const all = () => database.all('SELECT a, b FROM t ORDER BY a');

it('undoes a transaction that fails, and goes on afterwards', async () => {
  await database.run('INSERT INTO t VALUES (1, ?)', ['kept']);
  await expect(
    database.transaction(async (sql) => {
      await sql.run('INSERT INTO t VALUES (2, ?)', ['gone']);
      await sql.run('INSERT INTO t VALUES (1, ?)', ['twice']);
    }),
  ).rejects.toMatchObject({ code: 'conflict' });
  expect(await all()).toEqual([{ a: 1, b: 'kept' }]);
  await database.transaction((sql) => sql.run('INSERT INTO t VALUES (3, ?)', ['later']));
  expect(await all()).toEqual([
    { a: 1, b: 'kept' },
    { a: 3, b: 'later' },
  ]);
});

it('keeps work that is not of the transaction out of it', async () => {
  let during: Promise<unknown> = Promise.resolve();
  await expect(
    database.transaction(async (sql) => {
      await sql.run('INSERT INTO t VALUES (1, ?)', ['inside']);
      during = database.run('INSERT INTO t VALUES (2, ?)', ['outside']);
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('undo');
    }),
  ).rejects.toThrow('undo');
  await during;
  expect(await all()).toEqual([{ a: 2, b: 'outside' }]);
});

it('names a value that is refused', async () => {
  await expect(database.run('INSERT INTO t VALUES (1, NULL)')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('NOT NULL') as string,
    context: { sqlite: 'SQLITE_CONSTRAINT' },
  });
  await expect(database.all('SELECT * FROM nowhere')).rejects.toMatchObject({ code: 'database' });
});
