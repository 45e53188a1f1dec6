/** A value read from the studio: the last good value, whether a read is under way, and what went wrong. */
import type { Problem } from '../../electron/contract/index.js';
import { toProblem } from './client.js';

export class Resource<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  #turn = 0;

  /** Reads anew; of overlapping reads the last started wins. Returns whether the value is there. */
  async read(source: () => Promise<T>): Promise<boolean> {
    const turn = ++this.#turn;
    this.loading = true;
    try {
      const value = await source();
      if (turn !== this.#turn) return false;
      this.value = value;
      this.problem = null;
      return true;
    } catch (error) {
      if (turn === this.#turn) this.problem = toProblem(error);
      return false;
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }

  clear(): void {
    this.#turn += 1;
    this.value = null;
    this.problem = null;
    this.loading = false;
  }
}
