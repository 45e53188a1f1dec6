import { describe, expect, it, vi } from 'vitest';
import { calls, type CallName, type Handlers } from '../../../electron/contract/calls.js';
import { StudioError } from '../../../electron/contract/errors.js';
import { createDispatch } from '../../../electron/shell/dispatch.js';
import { Grants } from '../../../electron/shell/grants.js';

const unused = () => Promise.reject(new Error('not part of this test'));

/** A studio whose other calls are never reached. */
function studio(own: Partial<Handlers>): Handlers {
  const all = Object.fromEntries(Object.keys(calls).map((name) => [name, unused]));
  return { ...(all as Record<CallName, typeof unused>), ...own };
}

const settings = {
  theme: 'dark',
  language: 'system',
  device: 'auto',
  threads: null,
  memoryLimitBytes: null,
  density: 'normal',
  onClose: 'ask',
  notifications: true,
  preventSleep: true,
  updates: 'daily',
} as const;

describe('createDispatch', () => {
  it('hands a checked request, with its defaults, to the handler and its answer back', async () => {
    const list = vi.fn(async () => []);
    const dispatch = createDispatch(studio({ 'projects.list': list }), new Grants());
    expect(await dispatch('projects.list', {})).toEqual({ ok: true, value: [] });
    expect(list).toHaveBeenCalledWith({ archived: false });
  });

  it.each([
    ['a value out of range', 'projects.get', { id: -1 }, /id/],
    ['an unknown key', 'projects.get', { id: 1, more: true }, /more/],
    ['nothing at all', 'projects.get', undefined, /projects\.get/],
    ['an unknown call', 'projects.drop', {}, /no call named "projects\.drop"/],
    ['an inherited name', 'toString', {}, /no call named "toString"/],
    ['no name', null, {}, /no call named null/],
  ])('refuses %s as bad input', async (_what, name, input, message) => {
    const get = vi.fn(unused);
    const answer = await createDispatch(studio({ 'projects.get': get }), new Grants())(name, input);
    expect(answer).toMatchObject({
      ok: false,
      problem: { code: 'bad-input', message: expect.stringMatching(message) },
    });
    expect(get).not.toHaveBeenCalled();
  });

  it('refuses a path that the user did not choose before the studio sees it', async () => {
    const inspect = vi.fn(unused);
    const grants = new Grants();
    const dispatch = createDispatch(studio({ 'datasets.inspect': inspect }), grants);
    expect(await dispatch('datasets.inspect', { path: '/etc/passwd' })).toMatchObject({
      ok: false,
      problem: { code: 'no-access', context: { path: '/etc/passwd' } },
    });
    expect(inspect).not.toHaveBeenCalled();
  });

  it('passes a StudioError on with code, hint and facts', async () => {
    const failure = new StudioError('conflict', 'The name is in use.', 'Take another.', { name: 'a' });
    const dispatch = createDispatch(studio({ 'settings.get': () => Promise.reject(failure) }), new Grants());
    expect(await dispatch('settings.get', {})).toEqual({
      ok: false,
      problem: { code: 'conflict', message: 'The name is in use.', hint: 'Take another.', context: { name: 'a' } },
    });
  });

  it('names a full disk instead of an error number', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', path: '/home/x' });
    const dispatch = createDispatch(studio({ 'settings.get': () => Promise.reject(full) }), new Grants());
    expect(await dispatch('settings.get', {})).toMatchObject({
      ok: false,
      problem: { code: 'no-space', message: '/home/x: the disk is full.' },
    });
  });

  it('turns an answer that breaks the contract into a fault of the app', async () => {
    const broken = studio({ 'settings.get': async () => ({ ...settings, theme: 'purple' as 'dark' }) });
    expect(await createDispatch(broken, new Grants())('settings.get', {})).toMatchObject({
      ok: false,
      problem: { code: 'internal', message: expect.stringContaining('theme') },
    });
  });

  it('lets the window show, not read, the folders of exports it was told of', async () => {
    const grants = new Grants();
    const artefact = {
      id: 1,
      runId: 1,
      format: 'peft',
      folder: '/exports/one',
      bytes: 1,
      createdAt: '2026-01-01T00:00:00Z',
      proof: { rows: 1, largestDifference: 0, sameLabels: true },
    } as const;
    await createDispatch(studio({ 'exports.list': async () => [artefact] }), grants)('exports.list', { projectId: 1 });
    expect(() => grants.checkShow('/exports/one')).not.toThrow();
    expect(grants.allows('/exports/one')).toBe(false);
  });
});
