import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { keep } from '../../../../renderer/state/kept.svelte.js';

let stored: Map<string, string>;
let page: EventTarget;
beforeEach(() => {
  vi.useFakeTimers();
  stored = new Map();
  page = new EventTarget();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  });
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A draft of one text that is kept under a key. */
function draftAt(key: string) {
  let text = $state('');
  keep({ key, schema: z.string(), read: () => text, take: (saved) => (text = saved) });
  flushSync();
  return {
    write(value: string) {
      text = value;
      flushSync();
    },
  };
}

it('stores a draft when typing rests', () => {
  const draft = draftAt('resting');
  draft.write('a');
  vi.advanceTimersByTime(200);
  draft.write('ab');
  vi.advanceTimersByTime(200);
  expect(stored.has('resting')).toBe(false);
  vi.advanceTimersByTime(100);
  expect(stored.get('resting')).toBe('"ab"');
});

it.each(['pagehide', 'visibilitychange'])('stores every draft that does not rest yet at %s, and each once', (sign) => {
  const [one, other] = [draftAt(`one ${sign}`), draftAt(`other ${sign}`)];
  one.write('typed last');
  other.write('so is this');
  page.dispatchEvent(new Event(sign));
  expect(Object.fromEntries(stored)).toEqual({ [`one ${sign}`]: '"typed last"', [`other ${sign}`]: '"so is this"' });
  // Nothing waits any more that could overwrite what came after.
  stored.clear();
  vi.advanceTimersByTime(1000);
  expect(stored.size).toBe(0);
  other.write('more');
  vi.advanceTimersByTime(300);
  expect(stored.get(`other ${sign}`)).toBe('"more"');
});
