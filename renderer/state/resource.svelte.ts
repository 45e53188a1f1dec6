/** A value read from the studio: the last good value, whether a read is under way, and what went wrong. */
import type { Problem } from '../../electron/contract/index.js';
import { toProblem } from './client.js';

export class Resource<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  #turn = 0;
  /** The read that was started last. */
  #last: Promise<boolean> = Promise.resolve(false);

  /**
   * Reads anew; of overlapping reads the last started wins, and the others end with it: whoever waited finds what is current.
   * Returns whether the value is there.
   */
  read(source: () => Promise<T>): Promise<boolean> {
    this.#last = this.#take(source, ++this.#turn);
    return this.#last;
  }

  async #take(source: () => Promise<T>, turn: number): Promise<boolean> {
    this.loading = true;
    try {
      const value = await source();
      if (turn !== this.#turn) return await this.#last;
      this.value = value;
      this.problem = null;
      return true;
    } catch (error) {
      if (turn !== this.#turn) return await this.#last;
      this.problem = toProblem(error);
      return false;
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }

  clear(): void {
    this.#turn += 1;
    this.#last = Promise.resolve(false);
    this.value = null;
    this.problem = null;
    this.loading = false;
  }
}
