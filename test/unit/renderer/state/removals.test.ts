import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { removals } from '../../../../renderer/state/removals.svelte.js';
import { toasts } from '../../../../renderer/state/toasts.svelte.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  await removals.flush();
  vi.useRealTimers();
});

const removal = (key: string) => ({ key, text: `${key} was deleted.`, remove: vi.fn(async () => undefined) });
const undo = () => toasts.list.at(-1)?.action?.run();

it('hides at once, removes when the time is over, and not before', async () => {
  const run = removal('run/1');
  await removals.add(run);
  expect(removals.hidden.has('run/1')).toBe(true);
  await vi.advanceTimersByTimeAsync(7000);
  expect(run.remove).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2000);
  expect(run.remove).toHaveBeenCalledOnce();
  expect(removals.hidden.has('run/1')).toBe(false);
});

it('takes back what it hid, and then removes nothing', async () => {
  const run = removal('run/2');
  await removals.add(run);
  undo();
  expect(removals.hidden.has('run/2')).toBe(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(run.remove).not.toHaveBeenCalled();
});

it('hides and brings back with it what goes with it', async () => {
  const study = { ...removal('study/1'), with: ['run/7', 'run/8'] };
  await removals.add(study);
  expect([...removals.hidden]).toEqual(['study/1', 'run/7', 'run/8']);
  undo();
  expect([...removals.hidden]).toEqual([]);
});

it('leaves no way back in sight that leads nowhere', async () => {
  const run = removal('run/6');
  await removals.add(run);
  const shown = toasts.list.at(-1)?.id;
  await removals.flush();
  expect(toasts.list.some(({ id }) => id === shown)).toBe(false);
});

it('removes what waits before the next, and before anything is asked; its undo then does nothing', async () => {
  const [first, second] = [removal('run/3'), removal('run/4')];
  await removals.add(first);
  const late = toasts.list.at(-1)?.action?.run;
  await removals.add(second);
  expect(first.remove).toHaveBeenCalledOnce();
  late?.();
  expect(removals.hidden.has('run/4')).toBe(true);
  await removals.flush();
  expect(second.remove).toHaveBeenCalledOnce();
});

it('shows again what could not be removed, with the reason', async () => {
  const run = { ...removal('run/5'), remove: vi.fn(async () => Promise.reject(new Error('It is in use.'))) };
  await removals.add(run);
  await removals.flush();
  expect(removals.hidden.has('run/5')).toBe(false);
  expect(toasts.list.at(-1)).toMatchObject({ tone: 'bad' });
});
