/** Drafts of forms outlive their screen, the window and a crash: each change is kept in the window's own storage. */
import type { z } from 'zod';

/** Typing is kept when it rests. */
const MILLISECONDS_AT_REST = 300;

export interface Kept<S> {
  /** Its place in the storage: "plan 3/". */
  readonly key: string;
  readonly schema: z.ZodType<S>;
  /** The draft as it stands: reads all of it. */
  readonly read: () => S;
  /** Takes up what was kept. */
  readonly take: (saved: S) => void;
}

/** Takes up what was kept of a draft; what an older app kept in another form is left aside. */
export function restore<S>({ key, schema, take }: Kept<S>): void {
  const text = globalThis.localStorage?.getItem(key);
  if (text == null) return;
  try {
    take(schema.parse(JSON.parse(text)));
  } catch {
    globalThis.localStorage.removeItem(key);
  }
}

export function store(key: string, text: string): void {
  // A full storage loses the draft at the window's end, and nothing else.
  try {
    globalThis.localStorage?.setItem(key, text);
  } catch {}
}

/** Texts of drafts that change, by their places in the storage, until they rest. */
const waiting = new Map<string, string>();

function storeWaiting(key: string): void {
  const text = waiting.get(key);
  waiting.delete(key);
  if (text !== undefined) store(key, text);
}

function storeAllWaiting(): void {
  for (const key of waiting.keys()) storeWaiting(key);
}

/** Restores a draft, and keeps it from then on, as long as the window lives. */
export function keep<S>(draft: Kept<S>): void {
  restore(draft);
  // A window that goes does not wait for typing to rest; a hidden one may be ended without a word. The same listener is added once only.
  for (const sign of ['pagehide', 'visibilitychange']) globalThis.addEventListener?.(sign, storeAllWaiting);
  $effect.root(() => {
    $effect(() => {
      waiting.set(draft.key, JSON.stringify(draft.read()));
      const timer = setTimeout(() => storeWaiting(draft.key), MILLISECONDS_AT_REST);
      return () => clearTimeout(timer);
    });
  });
}
