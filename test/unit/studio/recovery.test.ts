/** What outlives the app: the queue, a run that was cut off, settings; and runs that are refused. Real database, real trainer. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { planSchema } from '../../../electron/contract/plan.js';
import { openDatabase, runs } from '../../../electron/storage/index.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let home: string;
let studio: TestStudio;
let projectId: number;

const plan = (training: object, method: object = { type: 'lora' }) =>
  planSchema.parse({
    model: 'tiny',
    data: 'rows',
    method,
    training: { batchSize: 8, maxLength: 16, learningRate: 0.01, ...training },
    device: 'cpu',
  });

const ended = (id: number) => studio.ended(id);

async function start(...plans: ReturnType<typeof plan>[]): Promise<number[]> {
  return (await studio.handlers['runs.start']({ projectId, plans, initFolder: null })).map(({ id }) => id);
}

const losses = async (id: number) =>
  (await studio.handlers['runs.history']({ id, afterStep: 0 })).steps.map(({ step, loss }) => [step, loss]);

async function reopen(): Promise<void> {
  await studio.close();
  studio = await openTestStudio(home);
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'recovery-'));
  studio = await openTestStudio(home);
  projectId = (await studio.handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await studio.handlers['models.add']({ folder: await makeTinyModel(join(home, 'tiny')), name: 'tiny' });
  await studio.importRows(
    projectId,
    'rows',
    tinyRows(120).map(({ text, label }) => ({ text, topic: label })),
  );
}, 60_000);
afterEach(() => studio.handlers['settings.set']({ memoryLimitBytes: null, threads: null }));
afterAll(async () => {
  await studio.close();
  await rm(home, { recursive: true, force: true });
  await removeBundles();
});

it(
  'a run that the app left running is interrupted at the next start, and resumes to the losses of a whole one',
  { timeout: 120_000 },
  async () => {
    const training = { maxSteps: 120, checkpointEverySteps: 10, modelDropout: 0.1 };
    const [whole = 0] = await start(plan(training));
    expect((await ended(whole)).state).toBe('finished');

    const [cut = 0, waiting = 0] = await start(plan(training), plan({ maxSteps: 5 }, { type: 'head' }));
    await studio.waitFor('metrics', ({ runId, steps }) => runId === cut && steps.some(({ step }) => step > 20));
    await studio.close();
    // As a crash leaves it: nobody wrote down that the run has stopped.
    const { database } = await openDatabase(home);
    expect((await runs.getRun(database, cut)).state).toBe('paused');
    await runs.updateRun(database, cut, { state: 'running' });
    await database.close();

    studio = await openTestStudio(home);
    expect((await studio.handlers['app.info']({})).notices).toMatchObject([
      { severity: 'warn', text: expect.stringContaining('cut off') as string },
    ]);
    expect((await studio.handlers['app.info']({})).notices).toEqual([]);
    const found = await studio.handlers['runs.get']({ id: cut });
    expect(found.state).toBe('interrupted');
    expect(found.step).toBeGreaterThan(20);
    expect(found.step).toBeLessThan(120);
    // The queue outlived the app: the waiting run is taken up without being asked for.
    expect((await ended(waiting)).state).toBe('finished');
    await studio.handlers['runs.resume']({ id: cut });
    const resumed = await ended(cut);
    expect(resumed.state).toBe('finished');
    const first = await studio.handlers['runs.get']({ id: whole });
    expect(await losses(cut)).toEqual(await losses(whole));
    expect(resumed.result?.test).toEqual(first.result?.test);
    // Checkpoints go when the trained parameters stand, after the run is told to be finished.
    await expect
      .poll(() => readdir(join(home, 'runs', String(cut))), { timeout: 10_000 })
      .toEqual(['trained.safetensors']);
  },
);

it('runs in order, one at a time, past one that is cancelled while it waits', { timeout: 60_000 }, async () => {
  const order: number[] = [];
  const [a = 0, b = 0, c = 0] = await start(
    plan({ maxSteps: 8 }, { type: 'head' }),
    plan({ maxSteps: 8 }, { type: 'bitfit' }),
    plan({ maxSteps: 8, seed: 2 }, { type: 'head' }),
  );
  await studio.handlers['runs.cancel']({ id: b });
  for (const id of [a, c]) expect((await ended(id)).state).toBe('finished');
  for (const event of studio.events)
    if (event.event === 'run' && event.data.state === 'running' && order.at(-1) !== event.data.id)
      order.push(event.data.id);
  expect(order.slice(-2)).toEqual([a, c]);
  expect((await studio.handlers['runs.get']({ id: b })).state).toBe('cancelled');
  await expect(studio.handlers['runs.resume']({ id: a })).rejects.toMatchObject({ code: 'conflict' });
});

it('refuses a run that cannot fit the memory limit, with remedies', { timeout: 60_000 }, async () => {
  await studio.handlers['settings.set']({ memoryLimitBytes: 60e6 });
  const [id = 0] = await start(plan({ maxSteps: 5 }, { type: 'full' }));
  const run = await ended(id);
  expect(run).toMatchObject({ state: 'failed', step: 0, problem: { code: 'out-of-memory' } });
  expect(run.problem?.hint).toMatch(/LoRA|memory limit/);
  await studio.handlers['settings.set']({ memoryLimitBytes: null });
  await studio.handlers['runs.resume']({ id });
  expect((await ended(id)).state).toBe('finished');
});

it('estimates by real steps', { timeout: 60_000 }, async () => {
  const estimate = await studio.handlers['runs.estimate']({ projectId, plan: plan({ maxSteps: 40 }) });
  expect(estimate).toMatchObject({ totalSteps: 40, fits: true, remedies: [] });
  expect(estimate.secondsPerStep).toBeGreaterThan(0);
  expect(estimate.seconds.high).toBeGreaterThanOrEqual(estimate.seconds.low);
  expect(estimate.peakMemoryBytes).toBeGreaterThan(30e6);
});

it.each([
  ['model', { model: 'nobody' }, 'not-found', 'tiny'],
  ['data', { data: 'nothing' }, 'not-found', 'rows'],
  ['training.maxLength', { training: { maxLength: 65 } }, 'bad-input', '64'],
  ['method.rank', { method: { type: 'lora', rank: 0 } }, 'bad-input', '1'],
])('refuses a plan at once: %s', async (path, change, code, allowed) => {
  const before = await studio.handlers['runs.list']({ projectId });
  const wrong = {
    ...plan({}),
    ...change,
    training: { ...plan({}).training, ...('training' in change ? change.training : {}) },
  };
  const error: unknown = await studio.handlers['runs.start']({
    projectId,
    plans: [plan({}), wrong],
    initFolder: null,
  }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code, message: expect.stringContaining(path) as string });
  expect(JSON.stringify(error) + String(error)).toContain(allowed);
  // All or none: the right plan beside it was not started either.
  expect(await studio.handlers['runs.list']({ projectId })).toHaveLength(before.length);
});

it('keeps settings and what was shown', async () => {
  await studio.handlers['settings.set']({ theme: 'dark' });
  await reopen();
  expect(await studio.handlers['settings.get']({})).toMatchObject({ theme: 'dark', onClose: 'ask' });
  await expect(studio.handlers['settings.set']({ threads: 0 })).rejects.toThrow();
});

it(
  'what a deletion that was cut off left goes at the next start; what is in the database stays',
  { timeout: 60_000 },
  async () => {
    const [id = 0] = await start(plan({ maxSteps: 1 }));
    await ended(id);
    await studio.close();
    const killed = join(home, 'processes', randomUUID());
    await mkdir(killed);
    await writeFile(`${killed}.lock`, '');
    for (const [at, name] of ['runs/4000', 'datasets/4000', `runs/${id}`, 'elsewhere/4000'].entries()) {
      await mkdir(join(home, name), { recursive: true });
      await writeFile(join(home, name, 'kept'), '');
      await writeFile(join(killed, `${at}.making`), join(home, name));
    }
    studio = await openTestStudio(home);
    expect(await readdir(join(home, 'runs'))).not.toContain('4000');
    expect(await readdir(join(home, 'datasets'))).not.toContain('4000');
    expect(await readdir(join(home, 'runs', String(id)))).toContain('trained.safetensors');
    expect(await readdir(join(home, 'elsewhere/4000'))).toEqual(['kept']);
  },
);
