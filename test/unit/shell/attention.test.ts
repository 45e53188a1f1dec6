import { beforeEach, describe, expect, it } from 'vitest';
import type { Run, Study } from '../../../electron/contract/entities.js';
import { Attention, type Notice } from '../../../electron/shell/attention.js';

let settings: { notifications: boolean; preventSleep: boolean };
let watched: boolean;
let notices: Notice[];
let awake: boolean[];
let attention: Attention;

beforeEach(() => {
  settings = { notifications: true, preventSleep: true };
  watched = false;
  notices = [];
  awake = [];
  attention = new Attention({
    settings: async () => settings,
    isWatched: () => watched,
    notify: (notice) => notices.push(notice),
    holdAwake: (on) => awake.push(on),
  });
});

const run = (id: number, state: Run['state'], more: Partial<Run> = {}) =>
  attention.hear({
    event: 'run',
    data: {
      id,
      projectId: 3,
      methodName: 'LoRA',
      seed: 1,
      datasetName: 'topics',
      state,
      result:
        state === 'finished' ? { test: { objective: 'classification', macroF1: 0.5, accuracy: 0.5, loss: 1 } } : null,
      problem: null,
      ...more,
    } as Run,
  });
const study = (state: Study['state']) =>
  attention.hear({ event: 'study', data: { id: 7, projectId: 3, name: 'Gap', state, problem: null } as Study });

describe('sleep', () => {
  it('is held off from the first run that trains to the end of the last', async () => {
    await run(1, 'queued');
    await run(1, 'preparing');
    await run(1, 'running');
    await run(2, 'running');
    await run(1, 'finished');
    expect(awake).toEqual([true]);
    await run(2, 'paused');
    expect(awake).toEqual([true, false]);
  });

  it('is let be where the setting says so, also in the middle of a run', async () => {
    settings.preventSleep = false;
    await run(1, 'running');
    expect(awake).toEqual([]);
    settings.preventSleep = true;
    await attention.settle();
    settings.preventSleep = false;
    await attention.settle();
    await run(1, 'finished');
    expect(awake).toEqual([true, false]);
  });
});

describe('notices', () => {
  it('tell the end of a run with its score, and where it is', async () => {
    await run(1, 'running');
    await run(1, 'finished');
    expect(notices).toEqual([
      { title: 'LoRA, seed 1, is finished', body: 'Test macro F1 50.0 % on topics', route: '#/project/3/runs/1' },
    ]);
    await run(2, 'running');
    await run(2, 'failed', {
      problem: { code: 'diverged', message: 'The loss is gone.', hint: '', context: {} } as never,
    });
    expect(notices[1]).toMatchObject({ title: 'LoRA, seed 1, has stopped', body: 'The loss is gone.' });
  });

  it('are not given of what is watched, what the user stopped, runs of a study, runs that ended before, or against the setting', async () => {
    watched = true;
    await run(1, 'running');
    await run(1, 'finished');
    watched = false;
    await run(2, 'running');
    await run(2, 'paused');
    await run(3, 'running');
    await run(3, 'cancelled');
    await run(4, 'running', { study: { id: 7, name: 'Gap', role: 'final' } });
    await run(4, 'finished', { study: { id: 7, name: 'Gap', role: 'final' } });
    await run(5, 'finished');
    settings.notifications = false;
    await run(6, 'running');
    await run(6, 'finished');
    expect(notices).toEqual([]);
  });

  it('tell the end of a study once', async () => {
    await study('running');
    await study('running');
    await study('finished');
    await study('finished');
    expect(notices).toEqual([
      { title: 'The study Gap is finished', body: 'Its report can be read.', route: '#/project/3/studies/7' },
    ]);
  });
});
