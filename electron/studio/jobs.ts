/** Long work with progress and cancel. A job's promise never rejects: its end is its state. */
import { randomUUID } from 'node:crypto';
import type { Job } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { problemOf } from '../contract/problem-of.js';

export interface JobHandle {
  readonly signal: AbortSignal;
  progress(done: number, total: number | null, message: string, secondsLeft?: number | null): void;
}

interface Running {
  readonly abort: AbortController;
  /** Where it works, if what it does is of no use without that folder. */
  readonly folder: string | null;
  readonly end: Promise<void>;
}

const KEPT = 50;
const MILLISECONDS_BETWEEN = 100;

export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Map<string, Running>();

  constructor(private readonly tell: (job: Job) => void) {}

  list(): Job[] {
    return [...this.#jobs.values()].reverse();
  }

  /**
   * Starts work at once and returns the job's number; the work's result stands in the job when it is done.
   * @param folder the job is cancelled where this folder is removed
   */
  start(
    kind: Job['kind'],
    title: string,
    work: (handle: JobHandle) => Promise<unknown>,
    folder: string | null = null,
  ): { jobId: string } {
    const id = randomUUID();
    const abort = new AbortController();
    this.#put({
      id,
      kind,
      title,
      state: 'running',
      done: 0,
      total: null,
      message: '',
      secondsLeft: null,
      problem: null,
    });
    let told = 0;
    const handle: JobHandle = {
      signal: abort.signal,
      progress: (done, total, message, secondsLeft = null) => {
        const job = { ...this.#get(id), done, total, message, secondsLeft };
        this.#jobs.set(id, job);
        if (Date.now() - told < MILLISECONDS_BETWEEN) return;
        told = Date.now();
        this.tell(job);
      },
    };
    const end = work(handle).then(
      (result) => this.#put({ ...this.#get(id), state: 'done', secondsLeft: 0, result }),
      (error: unknown) => {
        const problem = problemOf(error);
        this.#put({
          ...this.#get(id),
          state: problem.code === 'cancelled' ? 'cancelled' : 'failed',
          secondsLeft: null,
          problem,
        });
      },
    );
    this.#running.set(id, { abort, folder, end: end.finally(() => this.#running.delete(id)) });
    return { jobId: id };
  }

  /** Throws StudioError 'not-found'. A job that has ended stays as it is. */
  cancel(id: string): void {
    this.#get(id);
    this.#running.get(id)?.abort.abort();
  }

  /** Cancels the jobs that work in these folders, and waits until none does. */
  async leave(folders: readonly string[]): Promise<void> {
    await this.#end([...this.#running.values()].filter(({ folder }) => folder !== null && folders.includes(folder)));
  }

  async close(): Promise<void> {
    await this.#end([...this.#running.values()]);
  }

  async #end(running: readonly Running[]): Promise<void> {
    for (const { abort } of running) abort.abort();
    await Promise.all(running.map(({ end }) => end));
  }

  #get(id: string): Job {
    const job = this.#jobs.get(id);
    if (!job) throw new StudioError('not-found', `There is no job ${id}.`);
    return job;
  }

  #put(job: Job): void {
    this.#jobs.set(job.id, job);
    for (const [id, old] of this.#jobs) if (this.#jobs.size > KEPT && old.state !== 'running') this.#jobs.delete(id);
    this.tell(job);
  }
}

/** Time left by the pace since the first step of this process; null before the third. */
export function secondsLeft(): (progress: { readonly done: number; readonly total: number | null }) => number | null {
  let first: { readonly done: number; readonly at: number } | null = null;
  return ({ done, total }) => {
    if (total === null) return null;
    first ??= { done, at: performance.now() };
    const steps = done - first.done;
    return steps < 3 ? null : (((performance.now() - first.at) / 1000) * (total - done)) / steps;
  };
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new StudioError('cancelled', 'Cancelled.');
}
