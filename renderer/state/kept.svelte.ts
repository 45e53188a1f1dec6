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

/** Restores a draft, and keeps it from then on, as long as the window lives. */
export function keep<S>(draft: Kept<S>): void {
  restore(draft);
  $effect.root(() => {
    $effect(() => {
      const text = JSON.stringify(draft.read());
      const timer = setTimeout(() => store(draft.key, text), MILLISECONDS_AT_REST);
      return () => clearTimeout(timer);
    });
  });
}
