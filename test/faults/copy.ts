/** A copy of the app as a process that can be struck: killed, stopped, starved of its disk. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { CallInput, CallName, CallOutput, StudioEvent } from '../../electron/contract/calls.js';
import type { Job, Run, Study } from '../../electron/contract/entities.js';
import { StudioError } from '../../electron/contract/errors.js';
import { commandFolder } from '../helpers/command.js';
import type { Told, Wish } from './wishes.js';

/** Thrown by what waited for a copy that ended. */
export class CopyEnded extends Error {
  override readonly name = 'CopyEnded';
}

export interface CopyOptions {
  /** More of Node's own options, as `--import FILE`; its trainers have them too. */
  readonly nodeOptions?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Another user (root only). */
  readonly user?: number;
}

const overRun = ({ state }: Run) => !['queued', 'preparing', 'running'].includes(state);

export class Copy {
  readonly events: StudioEvent[] = [];
  /** Process numbers of the trainers started so far. */
  readonly trainers: number[] = [];
  stderr = '';
  ended = false;
  readonly #answers = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  readonly #listeners = new Set<(event: StudioEvent) => void>();
  readonly #onEnd = new Set<() => void>();
  readonly #exit: Promise<unknown>;
  #wishes = 0;

  private constructor(
    readonly child: ChildProcess,
    /** Without options of its own. */
    readonly plain: boolean,
  ) {
    this.#exit = once(child, 'exit');
    child.stderr?.on('data', (text: Buffer) => {
      this.stderr = (this.stderr + text.toString()).slice(-4000);
    });
    child.on('message', (told: Told) => this.#take(told));
    child.once('exit', () => {
      this.ended = true;
      for (const { reject } of this.#answers.values()) reject(new CopyEnded());
      this.#answers.clear();
      for (const end of this.#onEnd) end();
    });
  }

  static async start(options: CopyOptions = {}): Promise<Copy> {
    const { nodeOptions = '', environment = {}, user } = options;
    const child = spawn(process.execPath, [join(commandFolder, 'host.cjs')], {
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1', NODE_OPTIONS: nodeOptions, ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    const copy = new Copy(child, Object.keys(options).length === 0);
    await Promise.race([
      once(child, 'message'),
      copy.#exit.then(() => Promise.reject(new Error(`The copy did not start: ${copy.stderr}`))),
    ]);
    return copy;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async open(home: string, startQueued = false): Promise<void> {
    await this.#ask({ kind: 'open', home, startQueued });
  }

  /** @throws StudioError of the call; CopyEnded */
  async call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
    return (await this.#ask({ kind: 'call', name, input })) as CallOutput<N>;
  }

  /** Closes the studio; the process can open another data folder. */
  async shut(): Promise<void> {
    await this.#ask({ kind: 'close' });
    this.events.length = 0;
    this.trainers.length = 0;
  }

  /** Closes the studio and ends the process. */
  async close(): Promise<void> {
    await this.shut();
    this.child.disconnect();
    await this.#exit;
  }

  listen(listener: (event: StudioEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Waits for a job's end. @throws StudioError of its problem */
  async finished({ jobId }: { readonly jobId: string }): Promise<Job> {
    const job = await this.#until(
      'job',
      async () => (await this.call('jobs.list', {})).find(({ id }) => id === jobId),
      ({ id, state }) => id === jobId && state !== 'running',
    );
    if (job.problem) throw StudioError.fromProblem(job.problem);
    return job;
  }

  /** The run when it neither waits nor works any more. */
  runEnded(id: number): Promise<Run> {
    return this.#until(
      'run',
      () => this.call('runs.get', { id }),
      (run) => run.id === id && overRun(run),
    );
  }

  studyEnded(id: number): Promise<Study> {
    return this.#until(
      'study',
      () => this.call('studies.get', { id }),
      (study) => study.id === id && study.state !== 'running',
    );
  }

  /** kill -9, of its trainers too where asked: a power cut. Waits until they are gone; a trainer that lost its host goes by itself. */
  async kill(trainersToo = false): Promise<void> {
    const gone = this.trainers.filter(alive);
    this.child.kill('SIGKILL');
    if (trainersToo) for (const pid of gone) signal(pid, 'SIGKILL');
    await this.#exit;
    const limit = Date.now() + 30_000;
    while (gone.some(alive)) {
      if (Date.now() > limit) throw new Error(`Trainers ${gone.filter(alive).join(', ')} live on without their app.`);
      await pause(5);
    }
  }

  /** The trainer that was started last, if it lives. */
  get trainer(): number | null {
    return this.trainers.findLast(alive) ?? null;
  }

  async #until<T>(name: StudioEvent['event'], now: () => Promise<T | undefined>, fits: (data: T) => boolean) {
    let stop = () => {};
    const told = new Promise<T>((resolve, reject) => {
      const end = () => reject(new CopyEnded());
      const off = this.listen((event) => {
        if (event.event === name && fits(event.data as T)) resolve(event.data as T);
      });
      this.#onEnd.add(end);
      stop = () => {
        off();
        this.#onEnd.delete(end);
      };
    });
    told.catch(() => undefined); // Where what is known already fits, nobody waits for it.
    try {
      // Asked again now and then: not all that another process did is told.
      for (;;) {
        const known = await now();
        if (known !== undefined && fits(known)) return known;
        const found = await Promise.race([told, pause(1000, null, { ref: false })]);
        if (found !== null) return found;
      }
    } finally {
      stop();
    }
  }

  #ask(wish: Wish): Promise<unknown> {
    const id = (this.#wishes += 1);
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(new CopyEnded());
      this.#answers.set(id, { resolve, reject });
      this.child.send({ ...wish, id }, () => undefined);
    });
  }

  #take(told: Told): void {
    switch (told.kind) {
      case 'ready':
        return;
      case 'trainer':
        this.trainers.push(told.pid);
        return;
      case 'event':
        this.events.push(told.event);
        for (const listener of this.#listeners) listener(told.event);
        return;
      case 'answer': {
        const waiting = this.#answers.get(told.id);
        this.#answers.delete(told.id);
        if (told.problem) waiting?.reject(StudioError.fromProblem(told.problem));
        else waiting?.resolve(told.value);
      }
    }
  }
}

/** Is there a process of this number that is no mere entry for its parent to read? */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Signals a process that may be gone already. @returns whether it was there */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Why a program cannot be used here; null where it can. */
export function missing(program: string, ...words: string[]): string | null {
  try {
    execFileSync(program, words, { stdio: 'ignore' });
    return null;
  } catch {
    return `${program} cannot be used here`;
  }
}
