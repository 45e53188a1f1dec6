/** One SQLite connection with transactions that do not mix with other work. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import sqlite3 from 'sqlite3';
import { StudioError } from '../contract/errors.js';

export type Parameter = string | number | null;
type Parameters = readonly Parameter[];

/** What repositories need: the open database, or one transaction on it. Rows come back unchecked; repositories check them. */
export interface Sql {
  run(sql: string, parameters?: Parameters): Promise<{ lastId: number; changes: number }>;
  /**
   * As `run`, for a statement that comes again and again: it stays prepared and begins at once. Another is prepared first, and
   * goes on only when this process's own thread is free again.
   */
  runAgain(sql: string, parameters?: Parameters): Promise<{ lastId: number; changes: number }>;
  all(sql: string, parameters?: Parameters): Promise<Record<string, unknown>[]>;
}

class Connection implements Sql {
  readonly #prepared = new Map<string, sqlite3.Statement>();

  constructor(
    private readonly handle: sqlite3.Database,
    private readonly path: string,
  ) {}

  run(sql: string, parameters: Parameters = []): Promise<{ lastId: number; changes: number }> {
    return this.#ran((done) => this.handle.run(sql, [...parameters], done));
  }

  async runAgain(sql: string, parameters: Parameters = []): Promise<{ lastId: number; changes: number }> {
    const statement = this.#prepared.get(sql) ?? (await this.#prepare(sql));
    return this.#ran((done) => statement.run([...parameters], done));
  }

  #ran(
    start: (done: (this: sqlite3.RunResult, error: Error | null) => void) => void,
  ): Promise<{ lastId: number; changes: number }> {
    const { path } = this;
    return new Promise((resolve, reject) => {
      start(function (error) {
        if (error) reject(databaseError(error, path));
        else resolve({ lastId: this.lastID, changes: this.changes });
      });
    });
  }

  #prepare(sql: string): Promise<sqlite3.Statement> {
    return new Promise((resolve, reject) => {
      const statement = this.handle.prepare(sql, (error: Error | null) => {
        if (error) return reject(databaseError(error, this.path));
        this.#prepared.set(sql, statement);
        resolve(statement);
      });
    });
  }

  async close(): Promise<void> {
    // SQLite closes nothing that has statements left.
    await Promise.all(
      [...this.#prepared.values()].map(
        (statement) => new Promise<void>((resolve) => statement.finalize(() => resolve())),
      ),
    );
    this.#prepared.clear();
    await new Promise<void>((resolve, reject) =>
      this.handle.close((error) => (error ? reject(databaseError(error, this.path)) : resolve())),
    );
  }

  all(sql: string, parameters: Parameters = []): Promise<Record<string, unknown>[]> {
    return new Promise((resolve, reject) => {
      this.handle.all<Record<string, unknown>>(sql, [...parameters], (error, rows) =>
        error ? reject(databaseError(error, this.path)) : resolve(rows),
      );
    });
  }
}

/** SQLite's own code of an error, as "SQLITE_BUSY". */
export function sqliteCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** SQLite opens a database of several processes with a shared index of this size, and says no more than "disk I/O error" where it finds no room. */
const SHARED_INDEX_BYTES = 32_768;

function hasNoRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < SHARED_INDEX_BYTES;
  } catch {
    return false;
  }
}

function databaseError(error: Error, path: string): StudioError {
  const code = sqliteCode(error);
  const context = { sqlite: code, path };
  if (code === 'SQLITE_FULL' || (code === 'SQLITE_IOERR' && hasNoRoom(path)))
    return new StudioError(
      'no-space',
      `The disk is full: the database ${path} could not be written.`,
      'Free some space, then try again. Nothing that was stored before is lost.',
      context,
      { cause: error },
    );
  if (code === 'SQLITE_BUSY' || code === 'SQLITE_LOCKED')
    return new StudioError(
      'database',
      `The database ${path} is in use by another program.`,
      'Close the other copy of PEFT Studio (or its command) and try again.',
      context,
      { cause: error },
    );
  if (code === 'SQLITE_READONLY' || code === 'SQLITE_CANTOPEN')
    return new StudioError(
      'no-access',
      `The database ${path} cannot be written.`,
      'Check the permissions of the data folder, or choose another with --home or PEFT_STUDIO_HOME.',
      context,
      { cause: error },
    );
  if (code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB')
    return new StudioError(
      'database',
      `The database ${path} is damaged.`,
      'Restart the app: it keeps the damaged file aside and starts a new one.',
      context,
      { cause: error },
    );
  if (code === 'SQLITE_CONSTRAINT')
    return new StudioError(
      'conflict',
      `The database refused it: ${error.message}.`,
      'The name may be in use, or something else still needs this.',
      context,
      { cause: error },
    );
  return new StudioError('database', `The database ${path} failed: ${error.message}.`, 'Restart the app.', context, {
    cause: error,
  });
}

export class Database implements Sql {
  readonly #connection: Connection;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(handle: sqlite3.Database, path: string) {
    this.#connection = new Connection(handle, path);
  }

  /** Throws StudioError 'no-access' or 'database'. */
  static open(path: string): Promise<Database> {
    return new Promise((resolve, reject) => {
      const handle = new sqlite3.Database(path, (error) =>
        error ? reject(databaseError(error, path)) : resolve(new Database(handle, path)),
      );
      handle.configure('busyTimeout', 5000);
    });
  }

  run(sql: string, parameters?: Parameters) {
    return this.#queued(() => this.#connection.run(sql, parameters));
  }

  runAgain(sql: string, parameters?: Parameters) {
    return this.#queued(() => this.#connection.runAgain(sql, parameters));
  }

  all(sql: string, parameters?: Parameters) {
    return this.#queued(() => this.#connection.all(sql, parameters));
  }

  /** All of `work` or nothing of it. Work must use the `Sql` it is given: the database itself would wait for ever. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#queued(async () => {
      await this.#connection.run('BEGIN IMMEDIATE');
      try {
        const result = await work(this.#connection);
        await this.#connection.run('COMMIT');
        return result;
      } catch (error) {
        await this.#connection.run('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  #queued<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#connection.close();
  }
}
