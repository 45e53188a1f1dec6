import { afterEach, expect, it, vi } from 'vitest';
import { runSchema, type Run } from '../../../../electron/contract/index.js';
import { app } from '../../../../renderer/state/app.svelte.js';
import { runs } from '../../../../renderer/state/runs.svelte.js';

const runOf = (id: number, more: object = {}): Run =>
  runSchema.parse({
    id,
    projectId: 1,
    modelId: 1,
    datasetId: 1,
    modelName: 'tiny',
    datasetName: 'rows',
    methodName: 'LoRA',
    setting: 'r 8',
    seed: id,
    plan: { model: 'tiny', data: 'rows', method: { type: 'lora' } },
    state: 'queued',
    step: 0,
    totalSteps: 10,
    secondsLeft: null,
    device: null,
    createdAt: '2026-11-24T21:13:00.000Z',
    startedAt: null,
    endedAt: null,
    validation: null,
    result: null,
    problem: null,
    ...more,
  });

let stop = () => undefined as void;
afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

/** Starts the window's state over a studio that knows three runs; answers its calls and a way to tell it something. */
async function start() {
  const called: string[] = [];
  const listeners = new Map<string, (data: unknown) => void>();
  const known: Readonly<Record<string, unknown>> = {
    'runs.list': [3, 2, 1].map((id) => runOf(id)),
    'projects.list': [],
  };
  vi.stubGlobal('window', {
    studio: {
      call: async (name: string) => {
        called.push(name);
        return { ok: true, value: known[name] };
      },
      on: (name: string, listener: (data: unknown) => void) => {
        listeners.set(name, listener);
        return () => listeners.delete(name);
      },
    },
  });
  runs.byId.clear();
  runs.loaded = false;
  stop = app.start();
  await vi.waitFor(() => {
    expect(runs.loaded).toBe(true);
    // Those in use, and those that are archived.
    expect(called.filter((name) => name === 'projects.list')).toHaveLength(2);
  });
  called.length = 0;
  return { called, tell: (name: string, data: unknown) => listeners.get(name)?.(data) };
}

it('a run that ends changes one of the list; nothing but its project is asked for', async () => {
  const { called, tell } = await start();
  const before = runs.list;
  tell('run', runOf(2, { state: 'finished', step: 10 }));
  tell('changed', { kind: 'projects', projectId: null });
  await vi.waitFor(() => expect(called).toContain('projects.list'));
  expect(called.filter((name) => name.startsWith('runs.'))).toEqual([]);
  expect(runs.list.map(({ id, state }) => [id, state])).toEqual([
    [3, 'queued'],
    [2, 'finished'],
    [1, 'queued'],
  ]);
  expect(runs.list.map((run, i) => run === before[i])).toEqual([true, false, true]);
});

it('a new run stands in the list before any list is read', async () => {
  const { called, tell } = await start();
  tell('run', runOf(4));
  expect(runs.list.map(({ id }) => id)).toEqual([4, 3, 2, 1]);
  expect(called).toEqual([]);
});

it('where several changed, the list is read again', async () => {
  const { called, tell } = await start();
  tell('run', runOf(9));
  tell('changed', { kind: 'runs', projectId: null });
  await vi.waitFor(() => expect(runs.list.map(({ id }) => id)).toEqual([3, 2, 1]));
  expect(called).toContain('runs.list');
});
