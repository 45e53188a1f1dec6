/** Stopping a chat's answers before the process that writes them has come to them. */
import { afterEach, expect, it, vi } from 'vitest';
import type { Job, Run } from '../../../electron/contract/index.js';
import { jobs } from '../../../renderer/state/jobs.svelte.js';
import { Chat } from '../../../renderer/screens/chat/chat.svelte.js';
import { runWriter } from '../../../renderer/screens/chat/writers.js';

/** Only what the window reads of it. */
const job = { id: 'job 1', kind: 'generate', state: 'running' } as Job;
const writer = runWriter({ id: 4, modelId: 1, plan: {} } as unknown as Run);

afterEach(() => {
  jobs.byId.clear();
  vi.unstubAllGlobals();
});

/** A studio at other work: answers wait their turn until `end` ends them. */
function waiting(end: (job: Job) => Job) {
  const told: string[] = [];
  const call = async (name: string) => {
    told.push(name);
    if (name === 'jobs.cancel') jobs.receive(end(job));
    return {
      ok: true,
      value: { 'chat.generate': { jobId: job.id }, 'jobs.list': [], 'jobs.cancel': { done: true } }[name],
    };
  };
  vi.stubGlobal('window', { studio: { call, on: () => () => undefined } });
  const chat = new Chat();
  chat.draft = 'Who are you?';
  return { chat, told };
}

it('gives the question back, and is no failure', async () => {
  const { chat, told } = waiting((job) => ({ ...job, state: 'cancelled' }));
  const sent = chat.send([writer], () => null);
  await vi.waitFor(() => expect(told).toContain('jobs.list'));
  await chat.stop();
  await sent;
  expect(chat).toMatchObject({ problem: null, busy: false, turns: [], draft: 'Who are you?' });
});

it('tells what failed meanwhile', async () => {
  const problem = { code: 'internal', message: 'The process ended.', hint: null, context: {} } as const;
  const { chat, told } = waiting((job) => ({ ...job, state: 'failed', problem }));
  const sent = chat.send([writer], () => null);
  await vi.waitFor(() => expect(told).toContain('jobs.list'));
  await chat.stop();
  await sent;
  expect(chat).toMatchObject({ problem: { message: 'The process ended.' }, draft: 'Who are you?' });
});
