/**
 * Which processes are at work in a data folder. Each holds the lock of a file of its own in `processes/`, which the
 * system lifts when the process ends, however it ends: so what a killed one left can be told from what another still does.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { Database } from './database.js';

const suffix = '.lock';
const noteSuffix = '.making';
/** What is made beside its name; nothing else is ever removed for another process. */
const unfinished = /\.(part|tmp)$/;
const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Who finds a lock file without its lock holds it for a moment to remove it. */
const MILLISECONDS_TO_WAIT = 1000;

export class Presence {
  /** What killed processes were making under its own name: whether it is to stay depends on what the database says. */
  readonly left: string[] = [];

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

  /**
   * Notes what this process makes beside a name that it is to have later: a file or folder ending in `.part` or `.tmp`, wherever it is.
   * If the process is killed before, whoever notices that removes it. What has its name already is told in `left` instead.
   * @returns a function that takes the note back
   */
  async making(path: string): Promise<() => Promise<void>> {
    const note = join(await this.workFolder(), randomUUID() + noteSuffix);
    await writeFile(note, path);
    return () => rm(note, { force: true });
  }

  /**
   * Why nothing may count as kept any more: the folder is not where it was opened, since it was moved or its disk is gone. The open database
   * follows such a folder, files by their names do not, so the one would tell of others that it does not have.
   */
  async whyGone(): Promise<StudioError | null> {
    if (await exists(join(this.processes, this.id + suffix))) return null;
    const home = dirname(this.processes);
    return new StudioError(
      'no-access',
      `The data folder ${home} is no longer where it was.`,
      'Put it back or connect its disk, then open the app again.',
      { home },
    );
  }

  /** False once the process has ended; what cannot be found out counts as alive. */
  async isAlive(id: string): Promise<boolean> {
    if (id === this.id) return true;
    const path = join(this.processes, id + suffix);
    if (!idPattern.test(id) || !(await exists(path))) return false;
    try {
      const lock = await hold(path, 0);
      if (lock === null) return true;
      // Until this is done the lock is held: nobody else does it too.
      await this.#clearAfter(id).catch(() => undefined);
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
    await this.#clearAfter(this.id).catch(() => undefined);
    await this.#bury(this.id, this.lock);
  }

  /** What a process was making and never removed: it was killed, or the place could not be written then. */
  async #clearAfter(id: string): Promise<void> {
    const folder = join(this.processes, id);
    const names = (await exists(folder)) ? await readdir(folder) : [];
    for (const name of names.filter((one) => one.endsWith(noteSuffix))) {
      const path = await readFile(join(folder, name), 'utf8');
      // A note that was cut off names nothing that is there.
      if (unfinished.test(basename(path))) await rm(path, { recursive: true, force: true });
      else if (await exists(path)) this.left.push(path);
    }
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
