/** Bytes done over several files and passes, told a few times a second with the time left. */
import type { ImportProgress, ReadHooks } from './types.js';

const millisecondsBetween = 150;

export class ProgressMeter {
  rows = 0;
  private before = 0;
  private readonly started = performance.now();
  private told = -Infinity;

  constructor(
    private readonly total: number,
    private readonly listener: ((progress: ImportProgress) => void) | undefined,
  ) {}

  /** Hooks for one pass over one file; passes follow one another. */
  hooks(signal: AbortSignal | undefined, message: string): ReadHooks {
    const start = this.before;
    return {
      signal,
      onBytes: (bytes) => {
        this.before = start + bytes;
        const now = performance.now();
        if (this.listener === undefined || (now - this.told < millisecondsBetween && this.before < this.total)) return;
        this.told = now;
        const seconds = (now - this.started) / 1000;
        this.listener({
          done: this.before,
          total: this.total,
          rows: this.rows,
          secondsLeft: seconds > 0.5 && this.before > 0 ? (seconds / this.before) * (this.total - this.before) : null,
          message,
        });
      },
    };
  }
}
