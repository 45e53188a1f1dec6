/** Writes that failed, above all on a full disk: kept in mind and tried again, in order, until they go through. */
import type { ErrorCode } from '../contract/errors.js';
import { problemOf } from '../contract/problem-of.js';
import type { Log } from './log/index.js';

/** What may pass: a full disk, one that may not be written or returns errors, a database that is locked or cannot be written for now. */
export const passing: ReadonlySet<ErrorCode> = new Set(['no-space', 'no-access', 'database'] as const);

export class Unwritten {
  #waiting: (() => Promise<unknown>)[] = [];
  #turn: Promise<void> = Promise.resolve();

  constructor(private readonly log: Log) {}

  add(write: () => Promise<unknown>): void {
    this.#waiting.push(write);
  }

  /** Tries again what waits. @throws whatever the first that still fails throws; it and those behind it go on waiting */
  retry(): Promise<void> {
    const attempt = this.#turn.then(async () => {
      for (let write = this.#waiting[0]; write !== undefined; write = this.#waiting[0]) {
        await write().catch((error: unknown) => {
          if (passing.has(problemOf(error).code)) throw error;
          // What it was about is gone.
          this.log.problem('unwritten', error);
          console.error(error);
        });
        this.#waiting.shift();
      }
    });
    this.#turn = attempt.catch(() => undefined);
    return attempt;
  }
}
