/** Devices that test themselves. Real database, real trainer processes; a driver that hangs or crashes is one that is stopped or killed. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceReport, Run } from '../../../electron/contract/entities.js';
import { planSchema, type DeviceChoice } from '../../../electron/contract/plan.js';
import { deviceTitles } from '../../../electron/studio/device-choice.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

/** Processes are started and ended within this, on a busy machine too. */
const soon = { timeout: 30_000 };
let folder: string;
let studio: TestStudio;
let number = 0;
const freshHome = () => join(folder, `home-${(number += 1)}`);
const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const list = () => studio.handlers['devices.list']({});
const statusOf = (reports: readonly DeviceReport[]) =>
  Object.fromEntries(reports.map(({ id, status }) => [id, status]));
const report = async (id: DeviceReport['id']) => (await list()).find((device) => device.id === id);
/** Resolves with the end of the tests under way or to come. */
const tested = () => studio.waitFor('job', ({ kind, state }) => kind === 'device-test' && state !== 'running');
/** Resolves with the process that tests a device, once it has begun to. */
async function testerOf(id: DeviceReport['id']): Promise<number> {
  await studio.waitFor('job', ({ kind, message }) => kind === 'device-test' && message === deviceTitles[id]);
  const known = studio.pids.length;
  await expect.poll(() => studio.pids.length > known, { ...soon, interval: 5 }).toBe(true);
  return studio.pids.at(-1) ?? 0;
}

async function train(device: DeviceChoice, maxSteps: number): Promise<Run> {
  const { id: projectId } = await studio.handlers['projects.create']({ name: 'Trial', description: '' });
  await studio.handlers['models.add']({ folder: join(folder, 'tiny'), name: 'tiny' });
  await studio.finished(
    await studio.handlers['datasets.import']({
      projectId,
      name: 'rows',
      path: join(folder, 'rows.csv'),
      reading: {},
      task: 'classification',
      textColumn: 'text',
      pairColumn: null,
      labelColumn: 'topic',
      validation: null,
      test: null,
      splitColumn: null,
      seed: 1,
      badRows: 'stop',
    }),
  );
  const plan = planSchema.parse({
    model: 'tiny',
    data: 'rows',
    method: { type: 'lora' },
    training: { batchSize: 8, maxLength: 16, maxSteps },
    device,
  });
  const [run] = await studio.handlers['runs.start']({ projectId, plans: [plan], initFolder: null });
  if (!run) throw new Error('No run was started.');
  return run;
}

const reached = (id: number, ...states: Run['state'][]) =>
  studio.waitFor('run', (run) => run.id === id && states.includes(run.state));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devices-'));
  await makeTinyModel(join(folder, 'tiny'));
  const rows = tinyRows(40).map(({ text, label }) => `"${text}",${label}`);
  await writeFile(join(folder, 'rows.csv'), ['text,topic', ...rows].join('\n'));
}, 120_000);
afterEach(() => studio.close());
afterAll(async () => {
  await removeBundles();
  await rm(folder, { recursive: true, force: true });
});

describe('at the first start', { timeout: 180_000 }, () => {
  it('devices are tested by themselves, the result is kept, and tested anew where the machine has changed', async () => {
    const home = freshHome();
    studio = await openTestStudio(home, { checkDevices: true });
    const done = tested();
    await expect.poll(async () => statusOf(await list())['cpu'], soon).toBe('testing');
    await done;
    const found = await list();
    expect(found.find(({ id }) => id === 'cpu')).toMatchObject({ status: 'passed', difference: 0, reason: null });
    for (const { id, status, reason, testedAt } of found) {
      expect(['passed', 'failed', 'unavailable']).toContain(status);
      expect(testedAt).not.toBeNull();
      if (status !== 'passed') expect(reason, id).toMatch(/\S{3}/);
    }
    expect(found.filter(({ inUse }) => inUse)).toHaveLength(1);
    // One process each, and none is left.
    expect(studio.pids).toHaveLength(found.length);
    await expect.poll(() => studio.pids.some(isRunning), soon).toBe(false);

    await studio.close();
    studio = await openTestStudio(home, { checkDevices: true });
    expect(await list()).toEqual(found);
    expect(studio.pids).toEqual([]);

    await studio.close();
    // A choice of cards in the environment is one of the facts that a result holds for.
    process.env['CUDA_VISIBLE_DEVICES'] = '7';
    try {
      studio = await openTestStudio(home);
      expect(new Set(Object.values(statusOf(await list())))).toEqual(new Set(['untested']));
    } finally {
      delete process.env['CUDA_VISIBLE_DEVICES'];
    }
  });

  it.runIf(process.platform === 'linux')('a device that cannot be there is named with the reason', async () => {
    studio = await openTestStudio(freshHome(), { checkDevices: true });
    await tested();
    expect(await report('cuda')).toMatchObject({
      status: 'unavailable',
      title: 'NVIDIA GPU (CUDA)',
      reason: 'The libraries that ONNX Runtime needs for CUDA are not installed; they are a download of their own.',
      inUse: false,
    });
    const run = await train('cuda', 2);
    expect((await reached(run.id, 'failed', 'finished')).problem).toMatchObject({
      code: 'device-failed',
      message: expect.stringContaining('for CUDA are not installed'),
    });
  });
});

describe('a driver', { timeout: 120_000 }, () => {
  it('that hangs is ended after the limit, and named; what was found before stands', async () => {
    const home = freshHome();
    studio = await openTestStudio(home, { checkDevices: true });
    await testerOf('webgpu');
    await studio.close();
    studio = await openTestStudio(home, { deviceTests: { secondsToAnswer: 3 } });
    expect(statusOf(await list())).toMatchObject({ cpu: 'passed', webgpu: 'untested' });
    // Stopped, a process answers nothing and takes no signal but the last.
    const stopped = testerOf('webgpu').then((pid) => {
      process.kill(pid, 'SIGSTOP');
      return pid;
    });
    const run = await train('auto', 2);
    expect(await reached(run.id, 'finished', 'failed')).toMatchObject({ state: 'finished', device: 'cpu' });
    expect(await report('webgpu')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('stood still for 3 s'),
      inUse: false,
    });
    await expect.poll(async () => isRunning(await stopped), soon).toBe(false);
    // What a process that is ended leaves of its made-up models goes too.
    const left = await readdir(join(home, 'processes'), { recursive: true });
    expect(left.filter((name) => name.includes('device-'))).toEqual([]);
  });

  it('that takes its process down takes nothing else along', async () => {
    studio = await openTestStudio(freshHome(), { checkDevices: true });
    const done = tested();
    process.kill(await testerOf('webgpu'), 'SIGKILL');
    await done;
    expect(await report('webgpu')).toMatchObject({ status: 'failed', reason: expect.stringContaining('broke off') });
    expect(await report('cpu')).toMatchObject({ status: 'passed', inUse: true });
  });
});

describe('a run', { timeout: 180_000 }, () => {
  it('whose device is left to the studio waits for the test, and its log says which was taken', async () => {
    studio = await openTestStudio(freshHome());
    expect(new Set(Object.values(statusOf(await list())))).toEqual(new Set(['untested']));
    const run = await train('auto', 2);
    const ended = await reached(run.id, 'finished', 'failed');
    const chosen = (await list()).find(({ inUse }) => inUse);
    expect(ended).toMatchObject({ state: 'finished', device: chosen?.id });
    expect(chosen?.status).toBe('passed');
    const { log } = await studio.handlers['runs.history']({ id: run.id, afterStep: 0 });
    expect(log.find(({ level }) => level === 'check')?.message).toContain(`Device: ${chosen?.title}, the fastest`);
  });

  it('that resumes goes on with its device', async () => {
    studio = await openTestStudio(freshHome());
    const run = await train('auto', 100_000);
    const running = await reached(run.id, 'running');
    await studio.waitFor('metrics', ({ runId, steps }) => runId === run.id && steps.length > 0);
    await studio.handlers['runs.pause']({ id: run.id });
    await reached(run.id, 'paused');
    await studio.handlers['runs.resume']({ id: run.id });
    expect(await reached(run.id, 'running', 'failed')).toMatchObject({ state: 'running', device: running.device });
    const { log } = await studio.handlers['runs.history']({ id: run.id, afterStep: 0 });
    expect(log.filter(({ level }) => level === 'check').map(({ message }) => message)).toContainEqual(
      expect.stringContaining('on which the run was begun'),
    );
    await studio.handlers['runs.cancel']({ id: run.id });
    await reached(run.id, 'cancelled');
  });

  it('is not disturbed by a test', async () => {
    studio = await openTestStudio(freshHome());
    const run = await train('cpu', 100_000);
    await reached(run.id, 'running');
    await expect(studio.handlers['devices.test']({})).rejects.toMatchObject({ code: 'conflict' });
    await studio.handlers['runs.cancel']({ id: run.id });
    await reached(run.id, 'cancelled');
    expect(statusOf(await studio.handlers['devices.test']({}))['cpu']).toBe('passed');
  });

  it('that is stopped while it waits for the test waits no longer', async () => {
    studio = await openTestStudio(freshHome());
    const run = await train('auto', 2);
    process.kill(await testerOf('cpu'), 'SIGSTOP');
    await studio.handlers['runs.cancel']({ id: run.id });
    expect(await reached(run.id, 'cancelled', 'finished')).toMatchObject({ state: 'cancelled' });
  });
});
