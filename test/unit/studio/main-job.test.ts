/** The main job through the studio's calls, over the real trainer process and a real database. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Run } from '../../../electron/contract/entities.js';
import { planSchema } from '../../../electron/contract/plan.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';
import { classScores } from '../../helpers/scores.js';

let studio: TestStudio;
let projectId = 0;

beforeAll(async () => {
  studio = await openTestStudio();
  await makeTinyModel(join(studio.home, 'tiny'));
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await handlers['models.add']({ folder: join(studio.home, 'tiny'), name: 'tiny' });
  await studio.importRows(
    projectId,
    'rows',
    tinyRows(160).map(({ text, label }) => ({ text, topic: label })),
    { textColumn: 'text', labelColumn: 'topic', test: 0.25 },
  );
}, 60_000);

afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const plan = (type: string, seed: number, more: object = {}) =>
  planSchema.parse({
    model: 'tiny',
    data: 'rows',
    method: { type },
    training: { maxSteps: 60, batchSize: 8, maxLength: 16, learningRate: 0.01, seed, ...more },
    device: 'cpu',
  });

it('trains methods beside full fine-tuning, compares, answers and exports', async () => {
  const { handlers } = studio;
  const started = await handlers['runs.start']({
    projectId,
    plans: ['full', 'lora', 'bottleneck'].flatMap((type) => [plan(type, 1), plan(type, 2)]),
    initFolder: null,
  });
  const finished: Run[] = [];
  for (const run of started) finished.push(await studio.ended(run.id));
  expect(finished.map(({ state, problem }) => [state, problem])).toEqual(finished.map(() => ['finished', null]));
  for (const run of finished) {
    const history = await handlers['runs.history']({ id: run.id, afterStep: 0 });
    expect(history.steps.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(history.validations.length).toBeGreaterThan(0);
    // Chance is a third; the tiny frozen base holds the small methods back.
    if (run.plan.method.type === 'full') expect(classScores(run.result?.test).accuracy).toBeGreaterThan(0.5);
    expect(run.result?.test?.loss).toBeGreaterThan(0);
  }
  const [{ datasetId, modelId } = { datasetId: 0, modelId: 0 }] = finished;
  const comparison = await handlers['compare.runs']({
    projectId,
    datasetId,
    modelId,
    runIds: null,
    measure: 'macroF1',
    zone: 1,
  });
  expect(comparison.rows.map(({ type, seeds, verdict }) => [type, seeds.length, verdict.kind === 'baseline'])).toEqual(
    expect.arrayContaining([
      ['full', 2, true],
      ['lora', 2, false],
      ['bottleneck', 2, false],
    ]),
  );

  const lora = finished.find((run) => run.plan.method.type === 'lora') as Run;
  const answers = await handlers['playground.predict']({
    runIds: [lora.id],
    text: tinyRows(1)[0]?.text ?? '',
    pair: null,
    untrained: true,
  });
  expect(answers.map(({ runId, problem }) => [runId, problem])).toEqual([
    [lora.id, null],
    [null, null],
  ]);
  for (const { probabilities } of answers)
    expect(Object.values(probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);

  for (const [run, format] of [
    [lora, 'peft'],
    [lora, 'merged'],
    [lora, 'onnx'],
    [finished.find((r) => r.plan.method.type === 'bottleneck') as Run, 'adapterhub'],
  ] as const) {
    const job = await studio.finished(
      await handlers['exports.start']({ runId: run.id, format, folder: join(studio.home, 'out', format) }),
    );
    expect(job.result).toMatchObject({ format, proof: { sameLabels: true } });
  }
  expect(await handlers['exports.list']({ projectId })).toHaveLength(4);
  await expect(
    handlers['exports.start']({ runId: lora.id, format: 'adapterhub', folder: join(studio.home, 'out', 'x') }),
  ).rejects.toMatchObject({ code: 'bad-input' });
  await expect(
    studio.finished(
      await handlers['exports.start']({ runId: lora.id, format: 'peft', folder: join(studio.home, 'out', 'peft') }),
    ),
  ).rejects.toMatchObject({ code: 'conflict' });

  // Each run is told as it is stored, so that no list is read again when one begins or ends.
  for (const run of finished) {
    const told = studio.events.findLast((event) => event.event === 'run' && event.data.id === run.id);
    expect(told?.data).toEqual(await handlers['runs.get']({ id: run.id }));
  }
  const changed = studio.events.flatMap((event) => (event.event === 'changed' ? [event.data.kind] : []));
  expect(changed).toContain('projects');
  expect(changed).not.toContain('runs');
}, 120_000);

it('goes on from a killed trainer to the losses of an uninterrupted run', async () => {
  const { handlers } = studio;
  const slow = { maxSteps: 200, validateEverySteps: 50, checkpointEverySteps: 10, modelDropout: 0.1 };
  const [whole] = await handlers['runs.start']({ projectId, plans: [plan('lora', 5, slow)], initFolder: null });
  await studio.ended(whole?.id ?? 0);
  const [cut] = await handlers['runs.start']({ projectId, plans: [plan('lora', 5, slow)], initFolder: null });
  await studio.waitFor('metrics', ({ runId, steps }) => runId === cut?.id && steps.some(({ step }) => step > 20));
  process.kill(studio.pids.at(-1) as number, 'SIGKILL');
  expect(await studio.ended(cut?.id ?? 0)).toMatchObject({ state: 'interrupted', problem: { code: 'trainer-lost' } });
  await handlers['runs.resume']({ id: (cut as Run).id });
  expect((await studio.ended(cut?.id ?? 0)).state).toBe('finished');
  const losses = async (id: number) =>
    (await handlers['runs.history']({ id, afterStep: 0 })).steps.map(({ step, loss }) => [step, loss]);
  expect(await losses((cut as Run).id)).toEqual(await losses((whole as Run).id));
}, 120_000);

it('pauses, resumes and cancels', async () => {
  const { handlers } = studio;
  const [run] = await handlers['runs.start']({
    projectId,
    plans: [plan('head', 9, { maxSteps: 400 })],
    initFolder: null,
  });
  const { id } = run as Run;
  await studio.waitFor('metrics', ({ runId }) => runId === id);
  await handlers['runs.pause']({ id });
  const paused = await studio.ended(run?.id ?? 0);
  expect(paused.state).toBe('paused');
  await handlers['runs.resume']({ id });
  await studio.waitFor('metrics', ({ runId, steps }) => runId === id && steps.some(({ step }) => step > paused.step));
  await handlers['runs.cancel']({ id });
  expect((await studio.ended(run?.id ?? 0)).state).toBe('cancelled');
}, 60_000);

it('exports a project to one file and imports it whole', async () => {
  const { handlers } = studio;
  const path = join(studio.home, 'trial.peftstudio');
  await studio.finished(await handlers['projects.export']({ id: projectId, path }));
  const job = await studio.finished(await handlers['projects.import']({ path }));
  const copy = (job.result as { id: number }).id;
  const [original] = (await handlers['runs.list']({ projectId }))
    .filter(({ state }) => state === 'finished')
    .slice(-1) as [Run];
  const [restored] = (await handlers['runs.list']({ projectId: copy })).slice(-1) as [Run];
  expect(restored.result).toEqual(original.result);
  const ask = (run: Run) =>
    handlers['playground.predict']({ runIds: [run.id], text: 'any', pair: null, untrained: false });
  expect((await ask(restored))[0]?.probabilities).toEqual((await ask(original))[0]?.probabilities);
  const bytes = await readFile(path);
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] as number) ^ 255;
  await writeFile(path, bytes);
  const projects = (await handlers['projects.list']({ archived: false })).length;
  await expect(studio.finished(await handlers['projects.import']({ path }))).rejects.toMatchObject({
    code: 'bad-file',
  });
  expect(await handlers['projects.list']({ archived: false })).toHaveLength(projects);
}, 60_000);

it('says what a deletion takes along, and refuses what is in use', async () => {
  const { handlers } = studio;
  const [set] = await handlers['datasets.list']({ projectId });
  await expect(handlers['datasets.remove']({ id: set?.id ?? 0 })).rejects.toMatchObject({ code: 'conflict' });
  const removal = await handlers['projects.removal']({ id: projectId });
  expect(removal.lines.join(' ')).toMatch(/1 data set .*\d+ runs/);
  await handlers['projects.remove']({ id: projectId });
  await expect(handlers['projects.get']({ id: projectId })).rejects.toMatchObject({ code: 'not-found' });
});
