import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Update } from '../../../electron/contract/entities.js';
import { StudioError } from '../../../electron/contract/errors.js';
import { Updates, type UpdateParts, type UpdateSource } from '../../../electron/shell/updates.js';

const hour = 3600_000;
let folder: string;
let clock: number;
let running: boolean;
let allowed: boolean;
let told: Update[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'peft-studio-updates-'));
  clock = Date.parse('2026-01-01T00:00:00Z');
  running = false;
  allowed = true;
  told = [];
});
afterEach(() => rm(folder, { recursive: true }));

/** A feed that has `version`, and a file of it that is as it should be. */
function feed(download: UpdateSource['download'] = async (onShare) => onShare(0.5)) {
  return {
    check: vi.fn(async (): Promise<string | null> => '0.2.0'),
    download: vi.fn(download),
    install: vi.fn(),
  };
}

function updates(source: UpdateSource | null, own: Partial<UpdateParts> = {}): Updates {
  return new Updates({
    source,
    reason: source === null ? 'This copy was installed as a package.' : null,
    file: path.join(folder, 'updates.json'),
    emit: (update) => told.push(update),
    isBusy: async () => running,
    isAllowed: async () => allowed,
    prepareToQuit: vi.fn(async () => undefined),
    now: () => clock,
    ...own,
  });
}

describe('looking by itself', () => {
  it('asks nothing in the first day, then once a day', async () => {
    const source = feed();
    await updates(source).tick();
    clock += 23 * hour;
    await updates(source).tick();
    expect(source.check).not.toHaveBeenCalled();
    clock += hour;
    // A new start remembers.
    const later = updates(source);
    await later.tick();
    await later.tick();
    expect(source.check).toHaveBeenCalledTimes(1);
    clock += 24 * hour;
    await later.tick();
    expect(source.check).toHaveBeenCalledTimes(2);
  });

  it('asks nothing where the settings say so, while a run is going, and in a copy that does not update itself', async () => {
    const source = feed();
    const own = updates(source);
    await own.tick();
    clock += 48 * hour;
    allowed = false;
    await own.tick();
    allowed = true;
    running = true;
    await own.tick();
    await updates(null).tick();
    expect(source.check).not.toHaveBeenCalled();
    running = false;
    await own.tick();
    expect(source.check).toHaveBeenCalledTimes(1);
  });

  it('begins anew with a broken memory, and does not load by itself', async () => {
    await writeFile(path.join(folder, 'updates.json'), '{"firstStart":');
    const source = feed();
    await updates(source).tick();
    expect(JSON.parse(await readFile(path.join(folder, 'updates.json'), 'utf8'))).toMatchObject({ checkedAt: null });
    clock += 25 * hour;
    await updates(source).tick();
    expect(told.map(({ state }) => state)).toEqual(['checking', 'available']);
    expect(source.download).not.toHaveBeenCalled();
  });
});

describe('what the user asks for', () => {
  it('goes from looking over loading to the exchange', async () => {
    const source = feed();
    const prepareToQuit = vi.fn(async () => undefined);
    const { handlers } = updates(source, { prepareToQuit });
    expect(await handlers['updates.check']({})).toMatchObject({ state: 'available', version: '0.2.0', problem: null });
    expect(await handlers['updates.download']({})).toMatchObject({ state: 'ready', version: '0.2.0' });
    expect(told.map(({ state, share }) => [state, share])).toEqual([
      ['checking', null],
      ['available', null],
      ['downloading', 0],
      ['downloading', 0.5],
      ['ready', null],
    ]);
    await handlers['updates.install']({});
    expect(prepareToQuit.mock.invocationCallOrder[0]).toBeLessThan(source.install.mock.invocationCallOrder[0] ?? 0);
  });

  it('does nothing of it while a run is going', async () => {
    const source = feed();
    const { handlers } = updates(source);
    await handlers['updates.check']({});
    running = true;
    for (const name of ['updates.check', 'updates.download', 'updates.install'] as const)
      await expect(handlers[name]({})).rejects.toThrow('A run is under way.');
    expect(source.check).toHaveBeenCalledTimes(1);
    expect(source.download).not.toHaveBeenCalled();
    expect(source.install).not.toHaveBeenCalled();
  });

  it('a run that begins ends a download', async () => {
    const source = feed(
      (_onShare, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
    );
    const own = updates(source);
    await own.handlers['updates.check']({});
    const loading = own.handlers['updates.download']({});
    await vi.waitFor(() => expect(source.download).toHaveBeenCalled());
    own.stopForRun();
    expect(await loading).toMatchObject({ state: 'available', problem: { message: 'A run is under way.' } });
  });

  it('tells what went wrong, and offers nothing that was not checked', async () => {
    const source = feed(() => Promise.reject(new StudioError('bad-file', 'The checksum differs.')));
    const { handlers } = updates(source);
    await expect(handlers['updates.download']({})).rejects.toThrow('No newer version is known');
    await handlers['updates.check']({});
    expect(await handlers['updates.download']({})).toMatchObject({
      state: 'available',
      problem: { message: 'The checksum differs.' },
    });
    await expect(handlers['updates.install']({})).rejects.toThrow('No new version is loaded');
    source.check.mockRejectedValueOnce(new StudioError('not-found', 'No answer.'));
    expect(await handlers['updates.check']({})).toMatchObject({ state: 'failed', problem: { message: 'No answer.' } });
    source.check.mockResolvedValueOnce(null);
    expect(await handlers['updates.check']({})).toMatchObject({ state: 'current', version: null, problem: null });
  });

  it('says why a copy does not update itself', async () => {
    const { handlers } = updates(null);
    expect(await handlers['updates.get']({})).toMatchObject({ reason: 'This copy was installed as a package.' });
    await expect(handlers['updates.check']({})).rejects.toThrow('installed as a package');
  });
});
