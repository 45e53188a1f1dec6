/** Two processes in one data folder: the studio here and the real command, which is killed while the studio stays open. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Run } from '../../../electron/contract/entities.js';
import { buildCommand, removeCommand, runCommand, type PrintedEvent } from '../../helpers/command.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

/** Under way for as long as the studio is asked all that is asked of it meanwhile, and another one is opened. */
const maxSteps = 600;
const training = { batchSize: 8, maxLength: 16, learningRate: 0.01, checkpointEverySteps: 10, maxSteps };
let home: string;
let studio: TestStudio;
const at = (name: string) => join(home, name);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'other-process-'));
  await Promise.all([buildCommand(), makeTinyModel(at('tiny'))]);
  const rows = tinyRows(120).map(({ text, label }) => `${text},${label}`);
  await writeFile(at('rows.csv'), ['text,label', ...rows].join('\n'));
  const shared = { model: 'tiny', data: 'rows', training };
  await writeFile(at('plan.json'), JSON.stringify({ ...shared, method: { type: 'lora' } }));
  await writeFile(at('matrix.json'), JSON.stringify({ ...shared, methods: [{ type: 'head' }], seeds: [1, 2] }));
  for (const words of [
    ['model', 'add', at('tiny'), '--name', 'tiny'],
    ['data', 'add', at('rows.csv'), '--name', 'rows', '--text', 'text', '--label', 'label', '--test', '0.2'],
  ])
    expect(await runCommand([...words, '--home', home])).toMatchObject({ code: 0 });
  studio = await openTestStudio(home);
}, 120_000);
afterAll(async () => {
  await studio.close();
  await rm(home, { recursive: true, force: true });
  await Promise.all([removeBundles(), removeCommand()]);
});

/** Runs a command and kills it -9 once `meanwhile`, begun at step 30, has ended. */
async function killed(words: readonly string[], meanwhile: () => Promise<void>): Promise<PrintedEvent[]> {
  let done: Promise<void> | null = null;
  const { code, events } = await runCommand([...words, '--home', home], ({ event, step }, child) => {
    if (event !== 'step' || Number(step) < 30) return;
    done ??= meanwhile().finally(() => child.kill('SIGKILL'));
  });
  expect(code).toBe(null);
  await done;
  return events;
}

const get = (id: number) => studio.handlers['runs.get']({ id });
const isOver = ({ state }: Run) => ['finished', 'failed', 'interrupted'].includes(state);
const losses = async (id: number) =>
  (await studio.handlers['runs.history']({ id, afterStep: 0 })).steps.map(({ step, loss }) => [step, loss]);

it(
  'an open studio leaves a run of another process alone, and marks it when that process is killed',
  { timeout: 120_000 },
  async () => {
    const whole = await runCommand(['run', at('plan.json'), '--home', home]);
    expect(whole.code).toBe(0);
    const id = 2;
    const noticed = studio.waitFor('run', (run) => run.id === id && run.state === 'interrupted');
    const events = await killed(['run', at('plan.json')], async () => {
      expect((await get(id)).state).toBe('running');
      for (const call of ['runs.pause', 'runs.resume', 'runs.cancel', 'runs.remove'] as const)
        await expect(studio.handlers[call]({ id }), call).rejects.toMatchObject({
          code: 'conflict',
          message: expect.stringContaining('another PEFT Studio') as string,
        });
      // Nor does one that is opened meanwhile take it for a dead one's.
      const third = await openTestStudio(home);
      expect((await third.handlers['runs.get']({ id })).state).toBe('running');
      await third.close();
    });
    expect(events[0]).toEqual({ event: 'start', run: id });
    const cut = await noticed;
    expect(cut.step).toBeGreaterThanOrEqual(30);
    expect(cut.step).toBeLessThan(maxSteps);

    const ended = studio.waitFor('run', (run) => run.id === id && isOver(run));
    await studio.handlers['runs.resume']({ id });
    expect((await ended).state).toBe('finished');
    expect(await losses(id)).toEqual(await losses(1));
  },
);

it('takes up what a killed process left waiting', { timeout: 120_000 }, async () => {
  const [first, second] = [3, 4];
  const interrupted = studio.waitFor('run', (run) => run.id === first && run.state === 'interrupted');
  const finished = studio.waitFor('run', (run) => run.id === second && isOver(run));
  await killed(['compare', '--plan', at('matrix.json')], async () => {
    await expect(studio.handlers['runs.resume']({ id: second })).rejects.toMatchObject({ code: 'conflict' });
    expect((await get(second)).state).toBe('queued');
  });
  await interrupted;
  expect((await finished).state).toBe('finished');
});

it('the next command finds the interrupted run and goes on', { timeout: 60_000 }, async () => {
  const resumed = await runCommand(['resume', '3', '--home', home]);
  expect(resumed).toMatchObject({ code: 0 });
  expect(resumed.events.at(-1)).toMatchObject({ event: 'result', run: 3 });
});
