import { afterEach, describe, expect, it, vi } from 'vitest';
import { StudioError } from '../../../../electron/contract/index.js';
import { call, listen, toProblem } from '../../../../renderer/state/client.js';

/** Puts a bridge on a window of its own, as the preload does. */
function bridge(answer: unknown) {
  const asked: unknown[] = [];
  const listeners: ((data: unknown) => void)[] = [];
  const studio = {
    call: (name: string, input: unknown) => {
      asked.push([name, input]);
      return Promise.resolve(answer);
    },
    on: (_name: string, listener: (data: unknown) => void) => {
      listeners.push(listener);
      return () => listeners.splice(listeners.indexOf(listener), 1);
    },
  };
  vi.stubGlobal('window', { studio });
  return { asked, listeners };
}
const problem = {
  code: 'bad-model',
  message: 'config.json is missing.',
  hint: 'Choose the folder that holds it.',
  context: { folder: '/m' },
};

afterEach(() => vi.unstubAllGlobals());

describe('call', () => {
  it('gives the checked value', async () => {
    const { asked } = bridge({ ok: true, value: { done: true } });
    await expect(call('models.remove', { id: 3 })).resolves.toEqual({ done: true });
    expect(asked).toEqual([['models.remove', { id: 3 }]]);
  });
  it('copies the request to plain data, as proxies cannot cross processes', async () => {
    const { asked } = bridge({ ok: true, value: { done: true } });
    const proxy = new Proxy({ path: '/x' }, {});
    await call('files.show', proxy);
    expect(() => structuredClone(asked[0])).not.toThrow();
  });
  it('throws the studio’s problem with its code and hint', async () => {
    bridge({ ok: false, problem });
    const error = await call('models.inspect', { folder: '/m' }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StudioError);
    expect(toProblem(error)).toEqual(problem);
  });
  it('refuses a request that breaks the contract before it is sent, naming the key', async () => {
    const { asked } = bridge({ ok: true, value: { done: true } });
    await expect(call('models.remove', { id: -1 })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('id'),
    });
    expect(asked).toEqual([]);
  });
  it('refuses an answer in another shape than agreed', async () => {
    bridge({ ok: true, value: { done: 'yes' } });
    await expect(call('models.remove', { id: 1 })).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('models.remove'),
    });
  });
  it('says so where there is no bridge', async () => {
    vi.stubGlobal('window', {});
    await expect(call('models.remove', { id: 1 })).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('listen', () => {
  it('passes good events on, drops others with a note, and stops', () => {
    const { listeners } = bridge(null);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const seen: unknown[] = [];
    const stop = listen('changed', (data) => seen.push(data));
    listeners[0]?.({ kind: 'runs', projectId: 1 });
    listeners[0]?.({ kind: 'nonsense', projectId: 1 });
    expect(seen).toEqual([{ kind: 'runs', projectId: 1 }]);
    expect(warn).toHaveBeenCalledOnce();
    stop();
    expect(listeners).toEqual([]);
    warn.mockRestore();
  });
});
