/** Masked language modelling over the real trainer process: rows, masks, scores, kill and resume, refined by a task. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Artefact, Run } from '../../../electron/contract/entities.js';
import { askedPlanSchema, type AskedPlan } from '../../../electron/contract/plan.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;

const plan = (method: object, more: Partial<AskedPlan> = {}, training: object = {}) =>
  askedPlanSchema.parse({
    model: 'tiny',
    data: 'texts',
    method,
    device: 'cpu',
    ...more,
    training: { maxSteps: 20, batchSize: 8, maxLength: 24, learningRate: 0.005, ...training },
  });

const over = ({ state }: Run) => !['queued', 'preparing', 'running'].includes(state);
async function ended(id: number): Promise<Run> {
  const listening = studio.waitFor('run', (data) => data.id === id && over(data));
  const now = await studio.handlers['runs.get']({ id });
  return over(now) ? now : listening;
}
const start = async (asked: AskedPlan) =>
  (await studio.handlers['runs.start']({ projectId, plans: [asked], initFolder: null }))[0]?.id ?? 0;
async function train(asked: AskedPlan): Promise<Run> {
  const run = await ended(await start(asked));
  expect(run.problem).toBeNull();
  return run;
}
const losses = async ({ id }: Pick<Run, 'id'>) =>
  (await studio.handlers['runs.history']({ id, afterStep: 0 })).steps.map(({ step, loss }) => [step, loss]);

beforeAll(async () => {
  studio = await openTestStudio();
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await handlers['models.add']({ folder: await makeTinyModel(join(studio.home, 'tiny')), name: 'tiny' });
  const shared = {
    projectId,
    validation: 0.2,
    test: 0.25,
    splitColumn: null,
    seed: 1,
    badRows: 'stop',
  } as const;
  const rows = join(studio.home, 'rows.csv');
  await writeFile(rows, ['text,topic', ...tinyRows(120).map(({ text, label }) => `"${text}",${label}`)].join('\n'));
  await studio.finished(
    await handlers['datasets.import']({
      ...shared,
      name: 'rows',
      path: rows,
      reading: {},
      task: 'classification',
      textColumn: 'text',
      pairColumn: null,
      labelColumn: 'topic',
    }),
  );
  await studio.finished(
    await handlers['datasets.import']({
      ...shared,
      name: 'texts',
      path: rows,
      reading: {},
      task: 'generation',
      columns: { form: 'text', text: 'text' },
    }),
  );
}, 240_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

it('lowers the held-out loss, tells the head that the base lacked, and measures all runs on the same masks', async () => {
  const before = await train(plan({ type: 'full' }, {}, { maxSteps: 0, seed: 5 }));
  const run = await train(plan({ type: 'full' }, {}, { maxSteps: 80 }));
  expect(run.plan.objective).toBe('masked-lm');
  expect(run.result?.test?.perplexity).toBeLessThan(0.8 * (before.result?.test?.perplexity ?? 0));
  const { log } = await studio.handlers['runs.history']({ id: run.id, afterStep: 0 });
  const told = log.map(({ message }) => message).join('\n');
  expect(told).toMatch(/no language-model head/);
  expect(told).toMatch(/texts in .* rows of at most 24 tokens: short ones share a row/);
  const comparison = await studio.handlers['compare.runs']({
    projectId,
    datasetId: run.datasetId,
    modelId: run.modelId,
    runIds: [before.id, run.id],
    measure: 'perplexity',
    zone: 1,
  });
  expect(comparison.testRows).toBe(30);
}, 240_000);

it('ends the same after kill -9, and exports what it made', async () => {
  const asked = plan({ type: 'lora', rank: 2 }, {}, { maxSteps: 60, checkpointEverySteps: 5, modelDropout: 0.1 });
  const whole = await train(asked);
  const cut = await start(asked);
  await studio.waitFor('metrics', ({ runId, steps }) => runId === cut && steps.some(({ step }) => step > 10));
  process.kill(studio.pids.at(-1) ?? 0, 'SIGKILL');
  expect(await ended(cut)).toMatchObject({ state: 'interrupted' });
  await studio.handlers['runs.resume']({ id: cut });
  const resumed = await ended(cut);
  expect(await losses(resumed)).toEqual(await losses(whole));
  expect(resumed.result?.test).toEqual(whole.result?.test);
  for (const format of ['studio', 'merged'] as const) {
    const job = await studio.handlers['exports.start']({
      runId: whole.id,
      format,
      folder: join(studio.home, 'out', format),
    });
    const { proof } = (await studio.finished(job)).result as Artefact;
    expect(proof.largestDifference).toBeLessThan(1e-4);
  }
  const job = await studio.handlers['exports.start']({
    runId: whole.id,
    format: 'peft',
    folder: join(studio.home, 'out', 'peft'),
  });
  await expect(studio.finished(job)).rejects.toThrow(/no place for it/);
}, 240_000);

it('is a step before a task: refined by a classifier, which the pretraining changes', async () => {
  const pretrained = await train(plan({ type: 'full' }, {}, { maxSteps: 30 }));
  const task = plan({ type: 'lora', rank: 2 }, { data: 'rows' });
  const plain = await train(task);
  const refined = await train({ ...task, refines: pretrained.id });
  expect(refined.plan).toMatchObject({ objective: 'classification', refineBy: 'merge' });
  expect((await losses(refined))[3]).not.toEqual((await losses(plain))[3]);
  const rounds = await studio.handlers['refinements.lineage']({ id: refined.id });
  expect(rounds.map(({ id, test, reason }) => [id, test, reason])).toEqual([
    [pretrained.id, null, null],
    [refined.id, null, 'on other data'],
  ]);
  const answers = await studio.handlers['playground.predict']({
    runIds: [refined.id],
    text: 'a cat',
    pair: null,
    untrained: false,
  });
  expect(answers[0]?.problem).toBeNull();
  // A further round of pretraining goes on from the head that the first one made.
  const on = await train(plan({ type: 'full' }, { refines: pretrained.id }, { maxSteps: 0 }));
  expect(on.result?.test?.loss).toBeCloseTo(pretrained.result?.test?.loss ?? 0, 5);
}, 240_000);

it.each([
  [{ data: 'rows', objective: 'masked-lm' as const }, { type: 'lora' }, {}, /takes plain texts.*texts with classes/],
  [
    { verbalizer: { template: '{text} [MASK]', words: {}, score: 'mean' as const } },
    { type: 'lora' },
    {},
    /no labels to give words to/,
  ],
  [{ objective: 'causal-lm' as const }, { type: 'lora' }, {}, /cannot be trained for causal-lm/],
  [{}, { type: 'head' }, {}, /"head" trains a classifier/],
  [{}, { type: 'lora' }, { classWeights: 'balanced' }, /no classes with the objective masked-lm/],
])('refuses %j %j', async (more, method, training, reason) => {
  await expect(start(plan(method, more, training))).rejects.toThrow(reason);
});
