/** What the user deleted a moment ago: hidden at once, removed for good when the time to take it back is over. */
import { SvelteSet } from 'svelte/reactivity';
import { t } from '../language.js';
import { confirm } from './confirm.svelte.js';
import { toasts } from './toasts.svelte.js';

const SECONDS_TO_UNDO = 8;

interface Removal {
  /** "run/12" */
  readonly key: string;
  /** Keys of what goes with it: a study's runs. */
  readonly with?: readonly string[];
  /** What the notice says: "LoRA, seed 1, was deleted." */
  readonly text: string;
  /** Removes it for good. */
  readonly remove: () => Promise<unknown>;
}

const keysOf = (removal: Removal): readonly string[] => [removal.key, ...(removal.with ?? [])];

class Removals {
  /** Keys of what lists leave out. */
  readonly hidden = new SvelteSet<string>();
  #waiting: {
    readonly removal: Removal;
    readonly timer: ReturnType<typeof setTimeout>;
    readonly notice: number;
  } | null = null;

  constructor() {
    // A window that goes removes what it has hidden: nothing comes back by itself.
    globalThis.addEventListener?.('pagehide', () => void this.flush());
  }

  /** Says what goes, asks, hides; it can be taken back for some seconds. Returns whether it went. */
  async ask(
    goes: () => Promise<Parameters<typeof confirm.removal>[0]>,
    title: string,
    removal: Removal,
  ): Promise<boolean> {
    await this.flush();
    if (!(await confirm.removal(await goes(), title))) return false;
    await this.add(removal);
    return true;
  }

  /** Hides something and tells it, with a way back for some seconds. What waited before goes for good. */
  async add(removal: Removal): Promise<void> {
    await this.flush();
    for (const key of keysOf(removal)) this.hidden.add(key);
    const notice = toasts.add(removal.text, {
      seconds: SECONDS_TO_UNDO,
      action: { label: t('Undo'), run: () => this.#undo(removal) },
    });
    this.#waiting = { removal, notice, timer: setTimeout(() => void this.flush(), SECONDS_TO_UNDO * 1000) };
  }

  /** Removes for good what waits: before anything is asked that it would stand in the way of. */
  async flush(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    clearTimeout(waiting.timer);
    toasts.close(waiting.notice);
    try {
      await waiting.removal.remove();
    } catch (error) {
      toasts.problem(error);
    } finally {
      // Lists that were read again lack it; where it could not go, it is there again.
      for (const key of keysOf(waiting.removal)) this.hidden.delete(key);
    }
  }

  #undo(removal: Removal): void {
    if (this.#waiting?.removal !== removal) return;
    clearTimeout(this.#waiting.timer);
    this.#waiting = null;
    for (const key of keysOf(removal)) this.hidden.delete(key);
  }
}

export const removals = new Removals();
