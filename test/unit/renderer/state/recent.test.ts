import { afterEach, beforeEach, expect, it, vi } from 'vitest';

let stored: Map<string, string>;
beforeEach(() => {
  stored = new Map();
  vi.resetModules();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  });
});
afterEach(() => void vi.unstubAllGlobals());

/** As a window that opens has it. */
const fresh = async () => {
  vi.resetModules();
  return (await import('../../../../renderer/state/recent.svelte.js')).recent;
};
const projects = [{ id: 9 }, { id: 5 }, { id: 3 }, { id: 1 }];
const ids = (list: readonly { id: number }[]) => list.map(({ id }) => id);

it('puts the last opened first, after a restart too, and the others behind in their order', async () => {
  const recent = await fresh();
  expect(ids(recent.sorted(projects))).toEqual([9, 5, 3, 1]);
  for (const id of [1, 3, 1]) recent.opened(id);
  expect(ids(recent.sorted(projects))).toEqual([1, 3, 9, 5]);
  expect(ids((await fresh()).sorted(projects))).toEqual([1, 3, 9, 5]);
});

it('forgets what is gone, so that a new project does not take its place', async () => {
  const recent = await fresh();
  for (const id of [1, 3]) recent.opened(id);
  recent.forgetAllBut([9, 5, 1]);
  expect(ids(recent.sorted(projects))).toEqual([1, 9, 5, 3]);
  expect(ids((await fresh()).sorted(projects))).toEqual([1, 9, 5, 3]);
});

it('leaves aside what is no list of projects', async () => {
  stored.set('recent projects', '{"id": 1}');
  expect(ids((await fresh()).sorted(projects))).toEqual([9, 5, 3, 1]);
});
