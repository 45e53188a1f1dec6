/**
 * New versions of the app: looked for once a day where the settings allow it, loaded and installed only when the user says so, and nothing
 * of it while a run is going. No Electron here, so it is tested in plain Node.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Handlers } from '../contract/calls.js';
import type { Update } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { problemOf } from '../contract/problem-of.js';

/** Where new versions come from. `download` rejects for a file whose checksum is not the feed's. */
export interface UpdateSource {
  /** The newest version, or null where this is it. */
  check(): Promise<string | null>;
  /** @param onShare how much is there, from 0 to 1 */
  download(onShare: (share: number) => void, signal: AbortSignal): Promise<void>;
  /** Ends this app, puts the new version in its place and starts it. */
  install(): void;
}

export interface UpdateParts {
  /** Null where this copy does not update itself: then `reason` says why. */
  readonly source: UpdateSource | null;
  readonly reason: string | null;
  /** File that remembers when was looked last. */
  readonly file: string;
  readonly emit: (update: Update) => void;
  readonly isBusy: () => Promise<boolean>;
  readonly isAllowed: () => Promise<boolean>;
  /** Saves and closes everything before the app is exchanged. */
  readonly prepareToQuit: () => Promise<void>;
  readonly now?: () => number;
}

const MILLISECONDS_A_DAY = 24 * 3600 * 1000;
const memorySchema = z.object({ firstStart: z.string(), checkedAt: z.string().nullable() });
type Memory = z.infer<typeof memorySchema>;

const busy = () =>
  new StudioError(
    'conflict',
    'A run is under way.',
    'New versions are looked for, loaded and installed between runs only.',
  );

export class Updates {
  readonly #parts: UpdateParts;
  readonly #now: () => number;
  #update: Update;
  #memory: Memory | null = null;
  #download: AbortController | null = null;

  constructor(parts: UpdateParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#update = { reason: parts.reason, state: 'idle', version: null, share: null, checkedAt: null, problem: null };
  }

  get handlers(): Pick<Handlers, 'updates.get' | 'updates.check' | 'updates.download' | 'updates.install'> {
    return {
      'updates.get': async () => {
        await this.#remember();
        return this.#update;
      },
      'updates.check': () => this.#check(),
      'updates.download': () => this.#load(),
      'updates.install': async () => {
        const source = await this.#ready();
        if (this.#update.state !== 'ready')
          throw new StudioError('conflict', 'No new version is loaded.', 'Load one first.');
        await this.#parts.prepareToQuit();
        source.install();
        return { done: true };
      },
    };
  }

  /** Looks by itself if a day has gone by since the last time, or since the first start; never in the first day. */
  async tick(): Promise<void> {
    if (this.#parts.source === null || this.#update.state === 'downloading' || this.#update.state === 'ready') return;
    const { firstStart, checkedAt } = await this.#remember();
    const last = Math.max(Date.parse(firstStart), Date.parse(checkedAt ?? firstStart));
    if (this.#now() - last < MILLISECONDS_A_DAY || !(await this.#parts.isAllowed()) || (await this.#parts.isBusy()))
      return;
    // A feed that cannot be reached is no news; the state says so to whoever looks.
    await this.#check().catch(() => undefined);
  }

  /** A run begins: a download gives its place to it. */
  stopForRun(): void {
    this.#download?.abort();
  }

  async #ready(): Promise<UpdateSource> {
    const { source, reason } = this.#parts;
    if (source === null) throw new StudioError('conflict', reason ?? 'This copy does not update itself.');
    if (await this.#parts.isBusy()) throw busy();
    return source;
  }

  async #check(): Promise<Update> {
    const source = await this.#ready();
    if (this.#update.state === 'checking' || this.#update.state === 'downloading') return this.#update;
    this.#set({ state: 'checking', problem: null });
    try {
      const version = await source.check();
      await this.#remember(new Date(this.#now()).toISOString());
      this.#set({ state: version === null ? 'current' : 'available', version });
    } catch (error) {
      await this.#remember(new Date(this.#now()).toISOString());
      this.#set({ state: 'failed', problem: problemOf(error) });
    }
    return this.#update;
  }

  async #load(): Promise<Update> {
    const source = await this.#ready();
    if (this.#update.state === 'downloading' || this.#update.state === 'ready') return this.#update;
    if (this.#update.version === null)
      throw new StudioError('conflict', 'No newer version is known.', 'Check for one first.');
    const download = new AbortController();
    this.#download = download;
    this.#set({ state: 'downloading', share: 0, problem: null });
    try {
      await source.download((share) => this.#set({ share }), download.signal);
      this.#set({ state: 'ready', share: null });
    } catch (error) {
      this.#set({
        state: 'available',
        share: null,
        problem: (download.signal.aborted ? busy() : null)?.toProblem() ?? problemOf(error),
      });
    } finally {
      this.#download = null;
    }
    return this.#update;
  }

  #set(change: Partial<Update>): void {
    this.#update = { ...this.#update, ...change };
    this.#parts.emit(this.#update);
  }

  /** What the file remembers; `checkedAt` is written where it is given. A file that is gone or broken begins anew. */
  async #remember(checkedAt?: string): Promise<Memory> {
    if (this.#memory === null) {
      const text = await readFile(this.#parts.file, 'utf8').catch(() => '');
      const read = memorySchema.safeParse(text === '' ? null : parseJson(text));
      this.#memory = read.success ? read.data : { firstStart: new Date(this.#now()).toISOString(), checkedAt: null };
      if (!read.success) await this.#write();
    }
    if (checkedAt !== undefined) {
      this.#memory = { ...this.#memory, checkedAt };
      await this.#write();
    }
    this.#update = { ...this.#update, checkedAt: this.#memory.checkedAt };
    return this.#memory;
  }

  // Forgetting the date only means looking again later.
  #write = (): Promise<void> => writeFile(this.#parts.file, JSON.stringify(this.#memory)).catch(() => undefined);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
