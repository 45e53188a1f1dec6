import { describe, expect, it } from 'vitest';
import { Events, follow } from '../../../electron/cli/session.js';
import type { StudioEvent } from '../../../electron/contract/calls.js';

const changed = (projectId: number): StudioEvent => ({ event: 'changed', data: { kind: 'runs', projectId } });
const numberOf = (event: StudioEvent) => (event.event === 'changed' ? event.data.projectId : null);

describe('follow', () => {
  it('hears what came before the start was done, in order, and ends with the answer', async () => {
    const events = new Events();
    const heard: (number | null)[] = [];
    const end = follow(
      { events, interrupted: new AbortController().signal },
      async () => {
        events.emit(changed(1));
        await Promise.resolve();
        events.emit(changed(2));
        return 'started';
      },
      (event, started) => {
        heard.push(numberOf(event));
        return numberOf(event) === 3 ? `${started} and over` : undefined;
      },
      () => undefined,
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([1, 2]);
    events.emit(changed(3));
    expect(await end).toBe('started and over');
    events.emit(changed(4));
    expect(heard).toEqual([1, 2, 3]);
  });

  it.each([
    ['while it runs', 5],
    ['before the start was done', 0],
  ])('interrupts once, %s', async (_when, delay) => {
    const events = new Events();
    const control = new AbortController();
    const told: string[] = [];
    if (delay === 0) control.abort();
    else setTimeout(() => control.abort(), delay);
    const end = follow(
      { events, interrupted: control.signal },
      () => Promise.resolve('run'),
      (event) => numberOf(event) ?? undefined,
      (started) => {
        told.push(started);
        events.emit(changed(9));
      },
    );
    expect(await end).toBe(9);
    expect(told).toEqual(['run']);
  });

  it('passes on why it did not start, and hears nothing more', async () => {
    const events = new Events();
    let heard = 0;
    const end = follow(
      { events, interrupted: new AbortController().signal },
      () => Promise.reject(new Error('no such run')),
      () => (heard += 1),
      () => undefined,
    );
    await expect(end).rejects.toThrow('no such run');
    events.emit(changed(1));
    expect(heard).toBe(0);
  });
});
