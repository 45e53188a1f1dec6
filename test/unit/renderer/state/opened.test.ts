import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { opened } from '../../../../renderer/state/opened.js';

let tell: (data: unknown) => void;
beforeEach(() => {
  const on = (name: string, listener: (data: unknown) => void) => {
    expect(name).toBe('opened');
    tell = listener;
    return () => undefined;
  };
  vi.stubGlobal('window', { studio: { on } });
  opened.begin();
});
afterEach(() => vi.unstubAllGlobals());

it('files that come before anybody takes them wait, in their order', () => {
  tell({ path: '/a.peftproject' });
  tell({ path: '/b.peftproject' });
  const taken: string[] = [];
  const stop = opened.listen((path) => taken.push(path));
  expect(taken).toEqual(['/a.peftproject', '/b.peftproject']);
  tell({ path: '/c.peftproject' });
  expect(taken).toEqual(['/a.peftproject', '/b.peftproject', '/c.peftproject']);
  stop();
  tell({ path: '/d.peftproject' });
  expect(taken).toHaveLength(3);
  opened.listen((path) => taken.push(path))();
  expect(taken.at(-1)).toBe('/d.peftproject');
});
