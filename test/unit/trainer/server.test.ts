import { describe, expect, it } from 'vitest';
import { StudioError } from '../../../electron/contract/errors.js';
import { trainerMessageSchema, type HostMessage, type TrainerMessage } from '../../../electron/trainer/protocol.js';
import { serve, type JobHandlers } from '../../../electron/trainer/server.js';

/** A port whose host end is this test. */
function host(handlers: Partial<JobHandlers>, refuse?: Error) {
  const received: TrainerMessage[] = [];
  const codes: number[] = [];
  let tell: (message: unknown) => void = () => undefined;
  let close: () => void = () => undefined;
  const waiters: { test: (message: TrainerMessage) => boolean; resolve: (message: TrainerMessage) => void }[] = [];
  const unused = async () => {
    throw new Error('not part of this test');
  };
  const all: JobHandlers = {
    train: unused,
    test: unused,
    probe: unused,
    predict: unused,
    'predict-file': unused,
    'prove-export': unused,
    generate: unused,
    'merge-check': unused,
    'serve-together': unused,
    profile: unused,
    'virtual-words': unused,
    'score-wording': unused,
    pretrain: unused,
    'device-test': unused,
    ...handlers,
  };
  void serve(
    {
      send: async (raw) => {
        if (refuse !== undefined && received.length > 0) throw refuse;
        const message = trainerMessageSchema.parse(JSON.parse(JSON.stringify(raw)));
        received.push(message);
        for (const waiter of waiters.splice(0))
          if (waiter.test(message)) waiter.resolve(message);
          else waiters.push(waiter);
      },
      onMessage: (listener) => {
        tell = listener;
      },
      onClose: (listener) => {
        close = listener;
      },
    },
    all,
    (code) => codes.push(code),
  );
  return {
    received,
    codes,
    send: (message: HostMessage | object) => tell(message),
    close: () => close(),
    wait: (test: (message: TrainerMessage) => boolean) => {
      const already = received.find(test);
      return already !== undefined
        ? Promise.resolve(already)
        : new Promise<TrainerMessage>((resolve) => waiters.push({ test, resolve }));
    },
  };
}

const count = (id: string, limit = 2) => ({
  kind: 'job' as const,
  id,
  job: {
    type: 'prove-export' as const,
    format: 'peft' as const,
    folder: 'f',
    rowsFile: 'r',
    limit,
    model: {
      key: 'k',
      modelFolder: 'm',
      runFolder: null,
      method: { type: 'head' },
      objective: { type: 'classification', labels: ['a', 'b'] },
      maxLength: 8,
      seed: 1,
    },
  },
});
const proved = (rows: number) => ({ type: 'prove-export' as const, rows, largestDifference: 0, sameLabels: true });
const ended = (id: string) => (message: TrainerMessage) =>
  (message.kind === 'done' || message.kind === 'failed') && message.id === id;

describe('serve', () => {
  it('says ready, then works jobs one after another in order', async () => {
    let running = 0;
    const there = host({
      'prove-export': async (job, { breathe }) => {
        running += 1;
        expect(running).toBe(1);
        for (let turn = 0; turn < 3; turn += 1) await breathe();
        running -= 1;
        return proved(job.limit);
      },
    });
    there.send(count('a', 2));
    there.send(count('b', 3));
    expect(await there.wait(ended('b'))).toMatchObject({ kind: 'done', result: { rows: 3 } });
    expect(there.received.map((message) => message.kind)).toEqual(['ready', 'done', 'done']);
  });

  it('lets a cancel reach a running and a waiting job', async () => {
    const there = host({
      'prove-export': async (_, { breathe }) => {
        for (;;) await breathe();
      },
    });
    there.send(count('a'));
    there.send(count('b'));
    there.send({ kind: 'cancel', id: 'b' });
    there.send({ kind: 'cancel', id: 'a' });
    expect(await there.wait(ended('a'))).toMatchObject({ kind: 'failed', problem: { code: 'cancelled' } });
    expect(await there.wait(ended('b'))).toMatchObject({ kind: 'failed', problem: { code: 'cancelled' } });
  });

  it('tells a job of a pause, and only that job', async () => {
    const there = host({
      'prove-export': async (_, { breathe, pauseRequested }) => {
        for (let turn = 1; turn < 50; turn += 1) {
          await breathe();
          if (pauseRequested()) return proved(turn);
        }
        return proved(50);
      },
    });
    there.send(count('a'));
    there.send({ kind: 'pause', id: 'a' });
    there.send({ kind: 'pause', id: 'unknown' });
    there.send(count('unknown'));
    expect(await there.wait(ended('a'))).toMatchObject({ result: { rows: expect.any(Number) as number } });
    expect(await there.wait(ended('a'))).not.toMatchObject({ result: { rows: 50 } });
    expect(await there.wait(ended('unknown'))).toMatchObject({ result: { rows: 50 } });
  });

  it('tells a job how many of its events are stored', async () => {
    const there = host({
      'prove-export': async (_, { breathe, storedEvents }) => {
        for (let turn = 1; turn < 50 && storedEvents() < 7; turn += 1) await breathe();
        return proved(storedEvents());
      },
    });
    there.send(count('a'));
    there.send({ kind: 'stored', id: 'a', events: 7 });
    there.send({ kind: 'stored', id: 'b', events: 9 });
    there.send(count('b'));
    expect(await there.wait(ended('a'))).toMatchObject({ result: { rows: 7 } });
    expect(await there.wait(ended('b'))).toMatchObject({ result: { rows: 0 } });
  });

  it('answers a job that does not fit the protocol, and goes on', async () => {
    const there = host({ 'prove-export': async () => proved(1) });
    there.send({ kind: 'job', id: 'x', job: { ...count('x', 0).job } });
    there.send({ nonsense: true });
    there.send(count('y'));
    expect(await there.wait(ended('x'))).toMatchObject({
      kind: 'failed',
      problem: { code: 'bad-input', message: expect.stringContaining('job.limit') },
    });
    expect(await there.wait(ended('y'))).toMatchObject({ kind: 'done' });
  });

  it('sends what a job throws as a problem by its code', async () => {
    const there = host({
      'prove-export': async () => {
        throw new StudioError('bad-model', 'no such layer', 'look', { layer: 3 });
      },
    });
    there.send(count('a'));
    expect(await there.wait(ended('a'))).toMatchObject({
      problem: { code: 'bad-model', message: 'no such layer', hint: 'look', context: { layer: 3 } },
    });
  });

  it('leaves when asked, when the host closes, and when the channel is gone', async () => {
    const asked = host({});
    asked.send({ kind: 'exit' });
    expect(asked.codes).toEqual([0]);
    const closed = host({});
    closed.close();
    expect(closed.codes).toEqual([1]);
    const gone = host(
      { 'prove-export': async () => proved(1) },
      Object.assign(new Error('channel closed'), { code: 'ERR_IPC_CHANNEL_CLOSED' }),
    );
    await gone.wait((message) => message.kind === 'ready');
    gone.send(count('a'));
    await expect.poll(() => gone.codes).toEqual([1]);
  });
});
