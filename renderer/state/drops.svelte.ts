/** What the user drops on the window, handed to whoever is in front. */
import type { EventData } from '../../electron/contract/index.js';

export type Dropped = EventData<'dropped'>['items'];
type Taker = (items: Dropped) => void;

class Drops {
  /** Dialogs that take drops while they are open, the front one last. */
  #takers: readonly Taker[] = [];

  /** Takes all drops until the returned function is called: call inside an effect and return the answer. */
  claim(taker: Taker): () => void {
    this.#takers = [...this.#takers, taker];
    return () => void (this.#takers = this.#takers.filter((other) => other !== taker));
  }

  /** The front dialog that takes drops; null where none does. */
  get front(): Taker | null {
    return this.#takers.at(-1) ?? null;
  }
}

export const drops = new Drops();
