/** Which projects were open, the last first: kept through restarts. */
import { z } from 'zod';

const KEY = 'recent projects';
const MOST = 50;
const savedSchema = z.array(z.int().positive()).max(MOST);

/** What was kept; anything else is left aside. */
function kept(): readonly number[] {
  try {
    return savedSchema.parse(JSON.parse(globalThis.localStorage?.getItem(KEY) ?? '[]'));
  } catch {
    return [];
  }
}

class Recent {
  #ids = $state.raw<readonly number[]>(kept());

  opened(id: number): void {
    if (this.#ids[0] !== id) this.#keep([id, ...this.#ids.filter((other) => other !== id)].slice(0, MOST));
  }

  /** Forgets projects that are gone: a new one may get their number. */
  forgetAllBut(ids: readonly number[]): void {
    const there = this.#ids.filter((id) => ids.includes(id));
    if (there.length < this.#ids.length) this.#keep(there);
  }

  /** The last opened first, then the others in their order. */
  sorted<T extends { readonly id: number }>(projects: readonly T[]): readonly T[] {
    const placeOf = ({ id }: T) => {
      const place = this.#ids.indexOf(id);
      return place < 0 ? Infinity : place;
    };
    return projects.toSorted((a, b) => {
      const [first, second] = [placeOf(a), placeOf(b)];
      return first === second ? 0 : first - second;
    });
  }

  #keep(ids: readonly number[]): void {
    this.#ids = ids;
    // A full storage forgets the order at the window's end, and nothing else.
    try {
      globalThis.localStorage?.setItem(KEY, JSON.stringify(ids));
    } catch {}
  }
}

export const recent = new Recent();
