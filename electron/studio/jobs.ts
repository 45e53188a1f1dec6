/** Long work with progress and cancel. A job's promise never rejects: its end is its state. */
import { randomUUID } from 'node:crypto';
import type { Job } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { problemOf } from '../contract/problem-of.js';

export interface JobHandle {
  readonly signal: AbortSignal;
  progress(done: number, total: number | null, message: string, secondsLeft?: number | null): void;
}

const KEPT = 50;
const MILLISECONDS_BETWEEN = 100;

export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #aborts = new Map<string, AbortController>();
  readonly #ends = new Set<Promise<void>>();

  constructor(private readonly tell: (job: Job) => void) {}

  list(): Job[] {
    return [...this.#jobs.values()].reverse();
  }

  /** Starts work at once and returns the job's number; the work's result stands in the job when it is done. */
  start(kind: Job['kind'], title: string, work: (handle: JobHandle) => Promise<unknown>): { jobId: string } {
    const id = randomUUID();
    const abort = new AbortController();
    this.#aborts.set(id, abort);
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
    const settled = end.finally(() => {
      this.#aborts.delete(id);
      this.#ends.delete(settled);
    });
    this.#ends.add(settled);
    return { jobId: id };
  }

  /** Throws StudioError 'not-found'. A job that has ended stays as it is. */
  cancel(id: string): void {
    this.#get(id);
    this.#aborts.get(id)?.abort();
  }

  async close(): Promise<void> {
    for (const abort of this.#aborts.values()) abort.abort();
    await Promise.all(this.#ends);
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

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new StudioError('cancelled', 'Cancelled.');
}
