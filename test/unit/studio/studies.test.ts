/** Studies over the real trainer process and a real database: carried out, stopped, gone on with, repeated from their own report. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report } from '../../../electron/contract/entities.js';
import type { Plan } from '../../../electron/contract/plan.js';
import { classScores } from '../../helpers/scores.js';
import { studioWithRows, smallStudy, studyEnded, timeless } from '../../helpers/study.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;
/** Of the study that nothing disturbed. */
let whole: Report;

beforeAll(async () => {
  ({ studio, projectId } = await studioWithRows());
}, 60_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

async function reportOf(id: number): Promise<Report> {
  const { handlers } = studio;
  const ended = await studyEnded(studio, id);
  expect([ended.state, ended.problem]).toEqual(['finished', null]);
  const { report, whole: all } = await handlers['studies.report']({ id });
  expect(all).toBe(true);
  return report;
}

it('chooses each rate on validation alone, then tests the final runs of every seed', { timeout: 180_000 }, async () => {
  const { handlers } = studio;
  const outline = await handlers['studies.check']({ projectId, study: smallStudy() });
  // Two rates on the first seed and one run on the second, of two methods and full fine-tuning.
  expect(outline.runs).toBe(9);
  const { id } = await handlers['studies.start']({ projectId, study: smallStudy(), goOn: false });
  whole = await reportOf(id);
  // The time left is told before the first run has ended, by a few steps of each method.
  const told = studio.events.flatMap((event) =>
    event.event === 'study' && event.data.id === id ? event.data.progress : [],
  );
  expect(told.find(({ doing }) => doing.startsWith('a few steps'))).toMatchObject({ done: 0, secondsLeft: null });
  const first = told.find(({ doing }) => doing.includes('seed 1'));
  expect(first).toMatchObject({ done: 0, secondsLeft: expect.any(Number) as number });
  expect(first?.secondsLeft).toBeGreaterThan(0);
  const runs = await handlers['studies.runs']({ id });
  expect(runs.map(({ state }) => state)).toEqual(runs.map(() => 'finished'));
  const all = (await handlers['runs.list']({ projectId })).filter(({ study }) => study?.id === id);
  expect(all).toHaveLength(9);
  for (const run of all) {
    expect(run.result?.test === null).toBe(run.study?.role === 'choice');
    expect(run.plan.readTest).toBe(run.study?.role === 'final');
  }
  // One rate of each method's two is chosen, and its other seed has that rate.
  for (const method of ['Full fine-tuning', 'LoRA', 'Head only']) {
    const own = all.filter(({ methodName }) => methodName === method);
    const finals = own.filter(({ study }) => study?.role === 'final');
    expect(finals.map(({ seed }) => seed).sort()).toEqual([1, 2]);
    expect(new Set(finals.map(({ plan }) => plan.training.learningRate)).size).toBe(1);
    const best = own
      .filter(({ seed }) => seed === 1)
      .sort((a, b) => classScores(b.result?.validation).macroF1 - classScores(a.result?.validation).macroF1);
    const [first, second] = best.map(({ result }) => classScores(result?.validation).macroF1);
    if (first !== second) expect(best[0]?.study?.role).toBe('final');
  }
  expect(whole.verdicts).toHaveLength(2);
  expect(whole.tables.map(({ id: name, rows }) => [name, rows.length])).toEqual([
    ['gaps', 3],
    ['choices', 6],
    ['runs', 6],
  ]);
});

it('reads the same test as a run that had it from the start', { timeout: 60_000 }, async () => {
  const { handlers } = studio;
  const [tested] = (await handlers['runs.list']({ projectId })).filter(
    ({ study, seed, plan }) => study?.role === 'final' && seed === 1 && plan.method.type === 'lora',
  );
  const [again] = await handlers['runs.start']({ projectId, plans: [tested?.plan as Plan], initFolder: null });
  const ended = await studio.waitFor('run', ({ id, state }) => id === again?.id && state === 'finished');
  expect(classScores(ended.result?.test)).toEqual(classScores(tested?.result?.test));
});

it('gives the same report after its trainer and its app were killed', { timeout: 180_000 }, async () => {
  const { handlers } = studio;
  const { id } = await handlers['studies.repeat']({ id: 1 });
  await studio.waitFor('metrics', ({ steps }) => steps.some(({ step }) => step > 5));
  process.kill(studio.pids.at(-1) as number, 'SIGKILL');
  await studio.waitFor('study', (study) => study.id === id && study.progress.done >= 4);
  await studio.close();
  studio = await openTestStudio(studio.home);
  expect(await studio.handlers['studies.get']({ id })).toMatchObject({ state: 'interrupted' });
  const soFar = await studio.handlers['studies.report']({ id });
  expect(soFar.whole).toBe(false);
  await studio.handlers['studies.resume']({ id });
  expect(timeless(await reportOf(id))).toEqual(timeless(whole));
});

it('pauses with its run, goes on, and is cancelled', { timeout: 120_000 }, async () => {
  const { handlers } = studio;
  const { id } = await handlers['studies.start']({
    projectId,
    study: smallStudy({ methods: [{ type: 'bitfit' }], training: { maxSteps: 300, batchSize: 8, maxLength: 16 } }),
    goOn: true,
  });
  await studio.waitFor('metrics', () => true);
  const paused = studio.waitFor('study', (study) => study.id === id && study.state === 'paused');
  await handlers['studies.pause']({ id });
  await paused;
  const [run] = (await handlers['studies.runs']({ id })).filter(({ state }) => state === 'paused');
  expect(run).toBeDefined();
  // The same file again goes on with this one instead of another.
  const same = await handlers['studies.start']({
    projectId,
    study: smallStudy({ methods: [{ type: 'bitfit' }], training: { maxSteps: 300, batchSize: 8, maxLength: 16 } }),
    goOn: true,
  });
  expect([same.id, same.state]).toEqual([id, 'running']);
  await studio.waitFor('metrics', () => true);
  await expect(handlers['studies.remove']({ id, runs: true })).rejects.toMatchObject({ code: 'conflict' });
  const cancelled = studio.waitFor('study', (study) => study.id === id && study.state === 'cancelled');
  await handlers['studies.cancel']({ id });
  await cancelled;
  await handlers['studies.remove']({ id, runs: true });
  expect((await handlers['runs.list']({ projectId })).filter(({ study }) => study?.id === id)).toEqual([]);
});

it('goes on past a run that fails, and says so', { timeout: 120_000 }, async () => {
  const { handlers } = studio;
  const { id } = await handlers['studies.start']({
    projectId,
    study: smallStudy({
      methods: [{ type: 'lora' }],
      // The highest rate leaves no finite loss.
      learningRates: [0.01, 10],
      training: { maxSteps: 30, batchSize: 8, maxLength: 16, gradientClip: null, optimizer: 'sgd' },
    }),
    goOn: false,
  });
  const report = await reportOf(id);
  const states = (await handlers['studies.runs']({ id })).map(({ state }) => state);
  if (states.includes('failed')) expect(report.notes.join(' ')).toMatch(/failed and is left out/);
  expect(states.filter((state) => state === 'finished').length).toBeGreaterThanOrEqual(4);
});

it.each([
  ['training.seed', { training: { seed: 3 } }],
  ['seeds', { seeds: [1, 1] }],
  ['data', { data: ['nothing'] }],
  ['methods.0.rank', { methods: [{ type: 'lora', rank: 0 }] }],
  ['training.maxLength', { training: { maxLength: 400 } }],
])('refuses a study at once: %s', async (path, change) => {
  const before = await studio.handlers['studies.list']({ projectId });
  const error: unknown = await studio.handlers['studies.start']({
    projectId,
    study: smallStudy(change),
    goOn: false,
  }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ message: expect.stringContaining(path) as string });
  expect(await studio.handlers['studies.list']({ projectId })).toHaveLength(before.length);
});
