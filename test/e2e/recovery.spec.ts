/** Runs outlive whatever is killed: the trainer, the whole app, the window. */
import { execFileSync } from 'node:child_process';
import { expect, Studio, test } from './harness.js';
import { sampleProject, startRun } from './sample-runs.js';

const slow = { timeout: 120_000 };
/** Steps of a run that does not end by itself while a test looks at it. */
const endless = 5000;

const stepOf = async (studio: Studio, id: number) =>
  (await studio.call('runs.history', { id })).steps.at(-1)?.step ?? 0;
const lossesOf = async (studio: Studio, id: number) =>
  (await studio.call('runs.history', { id })).steps.map((step) => step.loss);
const stateOf = async (studio: Studio, id: number) => (await studio.call('runs.get', { id })).state;

/** Processes below the app that work on a run: Electron's utility processes of the node kind. */
function trainers(studio: Studio): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null);
  const below = new Set([studio.app.process().pid]);
  for (let grown = -1; grown !== below.size;) {
    grown = below.size;
    for (const [, pid, parent] of lines) if (below.has(Number(parent))) below.add(Number(pid));
  }
  return lines
    .filter(([, pid, , args]) => below.has(Number(pid)) && args?.includes('--utility-sub-type=node.mojom.NodeService'))
    .map(([, pid]) => Number(pid));
}

test('a killed trainer and a killed app resume to the losses of an undisturbed run', async ({ studio, home }) => {
  test.setTimeout(420_000);
  // Enough to be far from the end at both kills, however late they come.
  const steps = 200;
  const undisturbed = await startRun(studio, await sampleProject(studio), steps);
  await expect.poll(() => stateOf(studio, undisturbed.id), slow).toBe('finished');
  const expected = await lossesOf(studio, undisturbed.id);
  expect(expected).toHaveLength(steps);

  const [again] = await studio.call('runs.start', { projectId: undisturbed.projectId, plans: [undisturbed.plan] });
  const id = again?.id ?? 0;
  await expect.poll(() => stepOf(studio, id), { ...slow, intervals: [50] }).toBeGreaterThan(12);
  const pids = trainers(studio);
  expect(pids.length).toBeGreaterThan(0);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await expect.poll(() => stateOf(studio, id), slow).toBe('interrupted');
  expect((await studio.call('runs.get', { id })).problem?.code).toBe('trainer-lost');
  await studio.go(`#/project/${undisturbed.projectId}/runs/${id}`);
  await expect(studio.page.getByTestId('run-problem')).toBeVisible();
  const cut = await stepOf(studio, id);
  expect(cut).toBeLessThan(steps);

  await studio.page.getByTestId('run-resume-remedy').click();
  await expect.poll(() => stepOf(studio, id), { ...slow, intervals: [50] }).toBeGreaterThan(cut + 3);
  await studio.kill();

  const revived = await Studio.start(home);
  try {
    await expect.poll(() => stateOf(revived, id), slow).toBe('interrupted');
    await revived.call('runs.resume', { id });
    await expect.poll(() => stateOf(revived, id), slow).toBe('finished');
    expect(await lossesOf(revived, id)).toEqual(expected);
    const [one, other] = await Promise.all([
      revived.call('runs.get', { id: undisturbed.id }),
      revived.call('runs.get', { id }),
    ]);
    expect(other.result?.test).toEqual(one.result?.test);
  } finally {
    await revived.close();
  }
});

test('pause, resume and cancel do what they say', async ({ studio }) => {
  const run = await startRun(studio, await sampleProject(studio), endless);
  await studio.go(`#/project/${run.projectId}/runs/${run.id}`);
  await expect.poll(() => stepOf(studio, run.id), slow).toBeGreaterThan(3);
  await studio.page.getByTestId('run-pause').click();
  await expect(studio.page.getByTestId('run-state')).toHaveAttribute('data-state', 'paused', slow);
  const paused = await stepOf(studio, run.id);
  await studio.page.waitForTimeout(1500);
  expect(await stepOf(studio, run.id)).toBe(paused);
  await studio.page.getByTestId('run-resume').click();
  await expect.poll(() => stepOf(studio, run.id), slow).toBeGreaterThan(paused);
  await studio.call('runs.cancel', { id: run.id });
  await expect.poll(() => stateOf(studio, run.id), slow).toBe('cancelled');
});

test('closing the window leaves the run going or pauses it, as the user set', async ({ studio, home }) => {
  test.setTimeout(300_000);
  const run = await startRun(studio, await sampleProject(studio), endless);
  await expect.poll(() => stepOf(studio, run.id), slow).toBeGreaterThan(2);
  await studio.call('settings.set', { onClose: 'continue' });
  await studio.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
  await expect.poll(() => studio.app.windows().length).toBe(0);
  // A second start brings the window back, in the same process.
  const opened = studio.app.waitForEvent('window');
  await studio.inMain(({ app }) => void app.emit('second-instance'));
  const page = await opened;
  await page.waitForLoadState('domcontentloaded');
  const state = await page.evaluate(async (id) => window.studio?.call('runs.get', { id }), run.id);
  expect(state).toMatchObject({ ok: true, value: { state: 'running' } });

  await page.evaluate(async () => window.studio?.call('settings.set', { onClose: 'pause' }));
  await studio.closeWindow();
  const later = await Studio.start(home);
  try {
    expect(await stateOf(later, run.id)).toBe('paused');
  } finally {
    await later.close();
  }
});
