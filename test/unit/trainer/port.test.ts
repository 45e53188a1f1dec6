import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { connectToHost } from '../../../electron/trainer/port.js';

const ownSend = Object.getOwnPropertyDescriptor(process, 'send');
afterEach(() => {
  Reflect.deleteProperty(process, 'parentPort');
  if (ownSend) Object.defineProperty(process, 'send', ownSend);
});

describe('connectToHost', () => {
  it("speaks through Electron's parentPort where there is one", async () => {
    const sent: unknown[] = [];
    const parentPort = Object.assign(new EventEmitter(), { postMessage: (message: unknown) => sent.push(message) });
    Reflect.set(process, 'parentPort', parentPort);
    const port = connectToHost();
    const got: unknown[] = [];
    port.onMessage((message) => got.push(message));
    parentPort.emit('message', { data: { kind: 'exit' } });
    await port.send({ kind: 'ready' });
    expect(got).toEqual([{ kind: 'exit' }]);
    expect(sent).toEqual([{ kind: 'ready' }]);
  });

  it('rejects a message when the IPC channel is gone', async () => {
    const closed = Object.assign(new Error('Channel closed'), { code: 'ERR_IPC_CHANNEL_CLOSED' });
    Object.defineProperty(process, 'send', {
      configurable: true,
      value: (_: unknown, __: unknown, ___: unknown, done: (error: Error | null) => void) => {
        done(closed);
        return false;
      },
    });
    await expect(connectToHost().send({})).rejects.toBe(closed);
  });

  it('says that nobody started it', () => {
    Object.defineProperty(process, 'send', { configurable: true, value: undefined });
    expect(() => connectToHost()).toThrow('started by the studio');
  });
});
