/** Which process may tidy a data folder: the first that has it open. Others work in it too, but leave alone what might be under way elsewhere. */
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { Database } from './database.js';

/** A process that ends gives it up within this time; who comes after should not miss it. */
const MILLISECONDS_TO_WAIT = 300;

export interface Ownership {
  readonly owner: boolean;
  release(): Promise<void>;
}

/** Holds SQLite's lock of a file of its own, which the system lifts when the process ends, however it ends. */
export async function claimHome(home: string): Promise<Ownership> {
  const lock = await Database.open(join(home, 'owner.lock'));
  try {
    await lock.run(`PRAGMA busy_timeout = ${MILLISECONDS_TO_WAIT}`);
    await lock.run('BEGIN EXCLUSIVE');
    return { owner: true, release: () => lock.close() };
  } catch (error) {
    await lock.close();
    if (error instanceof StudioError && error.code === 'database')
      return { owner: false, release: () => Promise.resolve() };
    throw error;
  }
}
