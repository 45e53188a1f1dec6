/** Compositions through the studio's calls, over the real trainer process and a real database. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { calls, type CallInput } from '../../../electron/contract/calls.js';
import type { Artefact, MergeCheck, Prediction, Run } from '../../../electron/contract/entities.js';
import { planSchema } from '../../../electron/contract/plan.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

type Request = CallInput<'compositions.check'>;

let studio: TestStudio;
let projectId = 0;
const runs = new Map<string, Run>();

const method: Readonly<Record<string, object>> = {
  first: { type: 'lora', rank: 2 },
  second: { type: 'lora', rank: 2, alpha: 4 },
  dora: { type: 'lora', rank: 2, useDora: true },
  adapter: { type: 'bottleneck', reductionFactor: 4 },
  other: { type: 'bottleneck', reductionFactor: 4 },
  full: { type: 'full' },
};

const plan = (options: object, seed: number, data = 'rows') =>
  planSchema.parse({
    model: 'tiny',
    data,
    method: options,
    training: { maxSteps: 12, batchSize: 8, maxLength: 16, learningRate: 0.01, seed },
    device: 'cpu',
  });

const importRows = (name: string, relabel: (label: string) => string) =>
  studio.importRows(
    projectId,
    name,
    tinyRows(120).map(({ text, label }) => ({ text, topic: relabel(label) })),
  );

beforeAll(async () => {
  studio = await openTestStudio();
  await makeTinyModel(join(studio.home, 'tiny'));
  await makeTinyModel(join(studio.home, 'again'));
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await handlers['models.add']({ folder: join(studio.home, 'tiny'), name: 'tiny' });
  await handlers['models.add']({ folder: join(studio.home, 'again'), name: 'again' });
  await importRows('rows', (label) => label);
  await importRows('renamed', (label) => `${label}-2`);
  const names = Object.keys(method);
  const started = await handlers['runs.start']({
    projectId,
    plans: [
      ...names.map((name, i) => plan(method[name] ?? {}, i + 1)),
      { ...plan({ type: 'lora', rank: 2 }, 1), model: 'again' },
      plan({ type: 'lora', rank: 2 }, 1, 'renamed'),
    ],
    initFolder: null,
  });
  for (const [i, run] of started.entries())
    runs.set([...names, 'elsewhere', 'renamed'][i] ?? '', await studio.ended(run.id));
  expect([...runs.values()].map(({ state }) => state)).toEqual(started.map(() => 'finished'));
}, 180_000);

afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const id = (name: string) => runs.get(name)?.id ?? 0;
const of = (names: readonly string[], more: Partial<Request> & Pick<Request, 'kind'>): Request => ({
  projectId,
  parts: names.map((name) => ({ from: id(name) })),
  ...more,
});

/** As the window and the command send it: defaults are filled in by the contract. */
const check = (request: Request) =>
  studio.handlers['compositions.check'](calls['compositions.check'].input.parse(request));
const start = (request: Request) =>
  studio.handlers['compositions.start'](calls['compositions.start'].input.parse(request));

async function compose(request: Request): Promise<Run> {
  const run = await studio.ended((await start(request)).id);
  expect(run.problem).toBeNull();
  expect(run.state).toBe('finished');
  return run;
}

const answersOf = (runIds: readonly number[]): Promise<Prediction[]> =>
  studio.handlers['playground.predict']({
    runIds: [...runIds],
    text: tinyRows(1)[0]?.text ?? '',
    pair: null,
    untrained: false,
  });

it('averages LoRAs into a run that is measured, answers, is compared and exports to peft', async () => {
  const { handlers } = studio;
  const request = of(['first', 'second'], { kind: 'average' });
  expect(await check(request)).toMatchObject({
    possible: true,
    methodName: 'LoRA',
    setting: `r 4, mean of run ${id('first')} + run ${id('second')}`,
    datasetName: 'rows',
    trains: false,
  });
  const run = await compose(request);
  expect(run.step).toBe(0);
  expect(run.result?.validation).not.toBeNull();
  expect(run.result?.test).not.toBeNull();
  expect(run.plan.composition?.parts.map(({ name }) => name)).toEqual(['LoRA, r 2, seed 1', 'LoRA, r 2, seed 2']);
  const [answer] = await answersOf([run.id]);
  expect(answer?.problem).toBeNull();
  const comparison = await handlers['compare.runs']({
    projectId,
    datasetId: run.datasetId,
    modelId: run.modelId,
    runIds: [run.id, id('first'), id('full')],
    measure: 'macroF1',
    zone: 1,
  });
  expect(comparison.rows).toHaveLength(3);
  for (const format of ['peft', 'studio', 'merged'] as const) {
    const job = await handlers['exports.start']({ runId: run.id, format, folder: join(studio.home, 'out', format) });
    const done = (await studio.finished(job)).result as Artefact;
    expect(done.proof.largestDifference).toBeLessThan(1e-4);
  }
  const config = JSON.parse(await readFile(join(studio.home, 'out', 'peft', 'adapter_config.json'), 'utf8')) as object;
  expect(config).toMatchObject({ peft_type: 'LORA', r: 4 });
}, 60_000);

it('adds with weights and takes away again', async () => {
  const parts = [
    { from: id('first'), weight: 1 },
    { from: id('second'), weight: 1 },
    { from: id('second'), weight: -1 },
  ];
  const run = await compose({ projectId, kind: 'add', parts });
  const [composed, own] = await answersOf([run.id, id('first')]);
  for (const [label, share] of Object.entries(own?.probabilities ?? {}))
    expect(composed?.probabilities[label]).toBeCloseTo(share, 5);
  expect(run.setting).toContain(`run ${id('first')} + run ${id('second')} − run ${id('second')}`);
});

it('averages adapters into an AdapterHub folder', async () => {
  const run = await compose(of(['adapter', 'other'], { kind: 'average', head: id('other') }));
  expect(run.plan.composition?.head).toBe(1);
  const folder = join(studio.home, 'out', 'hub');
  const job = await studio.handlers['exports.start']({ runId: run.id, format: 'adapterhub', folder });
  expect(((await studio.finished(job)).result as Artefact).proof.sameLabels).toBe(true);
  // An exported folder is a part like a run.
  const again = await compose({ projectId, kind: 'average', parts: [{ from: folder }, { from: id('adapter') }] });
  expect(again.setting).toContain('mean of hub + run');
});

it('stacks finished adapters, and trains another on top', async () => {
  const whole = await compose(of(['first', 'adapter'], { kind: 'stack' }));
  expect(whole.plan.composition?.head).toBe(1);
  expect(whole.step).toBe(0);
  const trained = await compose(
    of(['first'], { kind: 'stack', top: { type: 'bottleneck', reductionFactor: 8 }, training: { maxSteps: 6 } }),
  );
  expect(trained.step).toBe(6);
  expect(trained.setting).toBe(`LoRA + Bottleneck, run ${id('first')}`);
  const folder = join(studio.home, 'out', 'stack');
  const job = await studio.handlers['exports.start']({ runId: trained.id, format: 'onnx', folder });
  expect(((await studio.finished(job)).result as Artefact).proof.largestDifference).toBeLessThan(1e-3);
}, 60_000);

it('fuses finished adapters by a plan that names them', async () => {
  const [started] = await studio.handlers['runs.start']({
    projectId,
    plans: [plan({ type: 'fusion', adapters: [id('adapter'), id('other')] }, 1)],
    initFolder: null,
  });
  const run = await studio.ended(started?.id ?? 0);
  expect(run.problem).toBeNull();
  expect(run.plan.composition).toMatchObject({ kind: 'fusion', head: null });
  expect(run.plan.method['adapters']).toMatchObject([{ type: 'bottleneck' }, { type: 'bottleneck' }]);
  const folder = join(studio.home, 'out', 'fusion');
  const job = await studio.handlers['exports.start']({ runId: run.id, format: 'studio', folder });
  expect(((await studio.finished(job)).result as Artefact).proof.largestDifference).toBeLessThan(1e-4);
  // It holds its parts: without the runs it goes on answering.
  const before = await answersOf([run.id]);
  const copy = join(studio.home, 'trial.peftproj');
  await studio.finished(await studio.handlers['projects.export']({ id: projectId, path: copy }));
  await studio.finished(await studio.handlers['projects.import']({ path: copy }));
  const copies = (await studio.handlers['runs.list']({ projectId: null })).filter((one) => one.projectId !== projectId);
  const copied = copies.find(({ methodName }) => methodName === 'AdapterFusion');
  const froms = copied?.plan.composition?.parts.map(({ from }) => from) ?? [];
  expect(froms.map((from) => copies.find((one) => one.id === from)?.methodName)).toEqual(['Bottleneck', 'Bottleneck']);
  const after = await answersOf([copied?.id ?? 0]);
  expect(after[0]?.probabilities).toEqual(before[0]?.probabilities);
}, 60_000);

it('merges a run and takes it out again', async () => {
  const job = await studio.handlers['runs.checkMerge']({ id: id('first') });
  const found = (await studio.finished(job)).result as MergeCheck;
  expect(found.merged.largestDifference).toBeLessThan(1e-4);
  expect(found.merged.sameLabels).toBe(true);
  expect(found.unmerged?.tensors).toBeGreaterThan(0);
  expect(found.unmerged?.weightDifference).toBeLessThan(1e-6);
  expect(found.unmerged?.largestDifference).toBeLessThan(1e-4);
  const dora = await studio.handlers['runs.checkMerge']({ id: id('dora') });
  expect((await studio.finished(dora)).result).toMatchObject({
    unmerged: null,
    reason: expect.stringMatching(/is lost/) as string,
  });
  await expect(studio.handlers['runs.checkMerge']({ id: id('adapter') })).rejects.toThrow(/does not merge/);
}, 60_000);

it.each([
  [['first', 'elsewhere'], { kind: 'average' }, /stands on again, not on tiny/],
  [['first', 'dora'], { kind: 'add' }, /Run \d+: DoRA measures lengths/],
  [['first', 'adapter'], { kind: 'average' }, /"bottleneck" adds no low-rank update/],
  [['adapter', 'first'], { kind: 'average' }, /Run \d+ has other options than run \d+|other options/],
  [['first', 'renamed'], { kind: 'average' }, /head of run \d+ tells .*-2.* apart, the data set rows/],
  [['first', 'adapter'], { kind: 'fusion' }, /LoRA is no adapter behind a block/],
  [['first', 'full'], { kind: 'stack' }, /Full fine-tuning changes the base itself/],
  [['first'], { kind: 'average' }, /needs at least two/],
] as const)('says why %j cannot be composed as %j', async (names, more, reason) => {
  const checked = await check(of(names, more));
  expect(checked.possible).toBe(false);
  expect(checked.reason).toMatch(reason);
  await expect(start(of(names, more))).rejects.toThrow(reason);
});

it('takes tasks with other labels by one head', async () => {
  const run = await compose(of(['first', 'renamed'], { kind: 'add', head: id('renamed') }));
  expect(run.datasetName).toBe('renamed');
});
