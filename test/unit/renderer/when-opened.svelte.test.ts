import { flushSync } from 'svelte';
import { expect, it } from 'vitest';
import { whenOpened } from '../../../renderer/components/index.js';

it('takes a choice over when the dialog opens, and not when its list is made anew meanwhile', () => {
  class Screen {
    open = $state(false);
    runs = $state.raw([{ id: 1 }, { id: 2 }]);
    chosen = $derived(this.runs.map(({ id }) => id));
    picked = $state.raw<readonly number[]>([]);
  }
  const screen = new Screen();
  const stop = $effect.root(() =>
    whenOpened(
      () => screen.open,
      () => (screen.picked = screen.chosen),
    ),
  );
  const set = (change: Partial<Screen>) => {
    Object.assign(screen, change);
    flushSync();
  };
  set({ open: false });
  expect(screen.picked).toEqual([]);
  set({ open: true });
  expect(screen.picked).toEqual([1, 2]);
  set({ picked: [1] });
  // The progress of a run arrives: it makes the list anew.
  set({ runs: [...screen.runs, { id: 3 }] });
  expect(screen.picked).toEqual([1]);
  set({ open: false });
  expect(screen.picked).toEqual([1]);
  set({ open: true });
  expect(screen.picked).toEqual([1, 2, 3]);
  stop();
});
