/**
 * Which processes are at work in a data folder. Each holds the lock of a file of its own in `processes/`, which the
 * system lifts when the process ends, however it ends: so what a killed one left can be told from what another still does.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { Database } from './database.js';

const suffix = '.lock';
const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Who finds a lock file without its lock holds it for a moment to remove it. */
const MILLISECONDS_TO_WAIT = 1000;

export class Presence {
  private constructor(
    /** Stands in the rows of what this process is at work on. */
    readonly id: string,
    private readonly processes: string,
    private readonly lock: Database,
  ) {}

  /** Tells the others that this process is here. @throws StudioError `no-access`, `no-space` */
  static async announce(home: string): Promise<Presence> {
    const processes = join(home, 'processes');
    await mkdir(processes, { recursive: true });
    for (;;) {
      const id = randomUUID();
      const path = join(processes, id + suffix);
      const lock = await hold(path, MILLISECONDS_TO_WAIT);
      // Between its making and its locking another process may have taken the file for a dead one's.
      if (lock !== null && (await exists(path))) return new Presence(id, processes, lock);
      await lock?.close();
    }
  }

  /** Folder for working files of this process; whatever is in it goes when the process has ended. */
  async workFolder(): Promise<string> {
    const folder = join(this.processes, this.id);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** False once the process has ended; what cannot be found out counts as alive. */
  async isAlive(id: string): Promise<boolean> {
    if (id === this.id) return true;
    const path = join(this.processes, id + suffix);
    if (!idPattern.test(id) || !(await exists(path))) return false;
    try {
      const lock = await hold(path, 0);
      if (lock === null) return true;
      await this.#bury(id, lock);
      return false;
    } catch {
      return true;
    }
  }

  /** Removes locks and working files of processes that have ended. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.processes)) {
      const id = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
      if (idPattern.test(id) && !(await this.isAlive(id)))
        await rm(join(this.processes, id), { recursive: true, force: true });
    }
  }

  async release(): Promise<void> {
    await this.#bury(this.id, this.lock);
  }

  /** Removes what stands for a process while its lock is held; Windows removes no file that is open. */
  async #bury(id: string, lock: Database): Promise<void> {
    const remove = async () => {
      await rm(join(this.processes, id), { recursive: true, force: true });
      await rm(join(this.processes, id + suffix), { force: true });
    };
    if (process.platform === 'win32') {
      await lock.close();
      await remove().catch(() => undefined);
    } else {
      await remove().finally(() => lock.close());
    }
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** SQLite's lock of a file, or null while another process holds it. */
async function hold(path: string, milliseconds: number): Promise<Database | null> {
  const lock = await Database.open(path);
  try {
    await lock.run(`PRAGMA busy_timeout = ${milliseconds}`);
    // Nothing is ever written, so no journal needs to lie beside it.
    await lock.run('PRAGMA journal_mode = MEMORY');
    await lock.run('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    await lock.close();
    if (error instanceof StudioError && error.context['sqlite'] === 'SQLITE_BUSY') return null;
    throw error;
  }
}
