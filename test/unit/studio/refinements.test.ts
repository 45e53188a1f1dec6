/** Further rounds through the studio's calls, over the real trainer process and a real database. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importRequestSchema, type Artefact, type Prediction, type Run } from '../../../electron/contract/entities.js';
import { planSchema, type Plan } from '../../../electron/contract/plan.js';
import { readSafetensors } from '../../../electron/engine/index.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;
const first = new Map<string, Run>();

const method = {
  lora: { type: 'lora', rank: 2 },
  full: { type: 'full' },
  adapter: { type: 'bottleneck', reductionFactor: 4 },
  parallel: { type: 'bottleneck', placement: 'parallel', activation: 'linear', reductionFactor: 4 },
  prefix: { type: 'prefix', numVirtualTokens: 3, prefixProjection: true },
} as const;

const plan = (options: object, more: Omit<Partial<Plan>, 'training'> & { training?: object } = {}) =>
  planSchema.parse({
    model: 'tiny',
    data: 'rows',
    method: options,
    device: 'cpu',
    ...more,
    training: { maxSteps: 12, batchSize: 8, maxLength: 16, learningRate: 0.01, ...more.training },
  });

const over = ({ state }: Run) => !['queued', 'preparing', 'running'].includes(state);

async function ended(id: number): Promise<Run> {
  const listening = studio.waitFor('run', (data) => data.id === id && over(data));
  const now = await studio.handlers['runs.get']({ id });
  return over(now) ? now : listening;
}

async function start(asked: Plan): Promise<number> {
  const [run] = await studio.handlers['runs.start']({ projectId, plans: [asked], initFolder: null });
  return run?.id ?? 0;
}

async function train(asked: Plan): Promise<Run> {
  const run = await ended(await start(asked));
  expect(run.problem).toBeNull();
  expect(run.state).toBe('finished');
  return run;
}

const losses = async ({ id }: Pick<Run, 'id'>) =>
  (await studio.handlers['runs.history']({ id, afterStep: 0 })).steps.map(({ step, loss }) => [step, loss]);

const answerOf = async (id: number): Promise<Prediction['probabilities']> => {
  const text = tinyRows(1)[0]?.text ?? '';
  const [answer] = await studio.handlers['playground.predict']({ runIds: [id], text, pair: null, untrained: false });
  expect(answer?.problem).toBeNull();
  return answer?.probabilities ?? {};
};

async function exported(runId: number, format: Artefact['format'], name: string): Promise<Artefact> {
  const job = await studio.handlers['exports.start']({ runId, format, folder: join(studio.home, 'out', name) });
  return (await studio.finished(job)).result as Artefact;
}

async function importRows(name: string, relabel: (label: string) => string): Promise<void> {
  const file = join(studio.home, `${name}.csv`);
  const lines = tinyRows(120).map(({ text, label }) => `"${text}",${relabel(label)}`);
  await writeFile(file, ['text,topic', ...lines].join('\n'));
  await studio.finished(
    await studio.handlers['datasets.import']({
      projectId,
      name,
      path: file,
      reading: {},
      task: 'classification',
      textColumn: 'text',
      pairColumn: null,
      labelColumn: 'topic',
      validation: 0.2,
      test: 0.25,
      splitColumn: null,
      seed: 1,
      badRows: 'stop',
    }),
  );
}

beforeAll(async () => {
  studio = await openTestStudio();
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await handlers['models.add']({ folder: await makeTinyModel(join(studio.home, 'tiny')), name: 'tiny' });
  await importRows('rows', (label) => label);
  await importRows('renamed', (label) => `${label}-2`);
  for (const [name, options] of Object.entries(method)) first.set(name, await train(plan(options)));
}, 180_000);

afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const id = (name: keyof typeof method) => first.get(name)?.id ?? 0;

/** The same in two steps by hand: the former run exported merged, added as a base model of its own and trained on. */
async function byHand(name: keyof typeof method, options: object, training: object = {}): Promise<Run> {
  const { folder } = await exported(id(name), 'merged', `hand-${name}`);
  await studio.handlers['models.add']({ folder, name: `hand-${name}` });
  return train(plan(options, { model: `hand-${name}`, training }));
}

it.each(['lora', 'full', 'parallel'] as const)(
  'trains on the merged result of %s as by hand',
  async (name) => {
    const training = { learningRate: 0.005, modelDropout: 0 };
    const run = await train(plan(method.adapter, { refines: id(name), training }));
    expect(run.plan).toMatchObject({ refines: id(name), refineBy: 'merge', method: { type: 'bottleneck' } });
    expect(run.setting).toMatch(new RegExp(`on run ${id(name)}$`));
    const hand = await byHand(name, method.adapter, training);
    expect(await losses(run)).toEqual(await losses(hand));
    expect(run.result?.test).toEqual(hand.result?.test);
    expect(await answerOf(run.id)).toEqual(await answerOf(hand.id));
  },
  240_000,
);

it('a third round stands on both before it; it exports whole, and its adapter with its base', async () => {
  const second = await train(plan(method.lora, { refines: id('lora') }));
  const third = await train(plan({ type: 'bitfit' }, { refines: second.id }));
  const merged = await exported(third.id, 'merged', 'third');
  expect(merged.proof.largestDifference).toBeLessThan(1e-4);
  expect(merged.proof.sameLabels).toBe(true);
  for (const format of ['peft', 'studio'] as const) {
    const artefact = await exported(second.id, format, `second-${format}`);
    expect(artefact.proof.largestDifference).toBeLessThan(1e-5);
    expect(await readdir(join(artefact.folder, 'base'))).toContain('model.safetensors');
    expect(await readFile(join(artefact.folder, 'README.md'), 'utf8')).toMatch(/earlier round \(run \d+\)/);
  }
  const folder = await exported(id('lora'), 'peft', 'first-peft');
  expect(await readdir(folder.folder)).not.toContain('base');
}, 240_000);

it('goes on by the same method where it does not merge, and stays below where another trains', async () => {
  const kept = { ...method.prefix, prefixProjection: false };
  const on = await train(plan(kept, { refines: id('prefix'), training: { maxSteps: 0 } }));
  expect(on.plan.refineBy).toBe('continue');
  expect(await answerOf(on.id)).toEqual(await answerOf(id('prefix')));
  expect(on.result?.test).toEqual(first.get('prefix')?.result?.test);

  const below = await train(plan(method.lora, { refines: id('adapter'), training: { maxSteps: 0 } }));
  expect(below.plan).toMatchObject({ refineBy: 'stack', method: { type: 'stack', top: { type: 'lora' } } });
  expect(await answerOf(below.id)).toEqual(await answerOf(id('adapter')));
  const stacked = await train(plan(method.lora, { refines: below.id }));
  expect(stacked.plan.method).toMatchObject({ adapters: [{ type: 'bottleneck' }, { type: 'lora' }] });
  expect((await exported(stacked.id, 'onnx', 'stacked')).proof.largestDifference).toBeLessThan(1e-3);
  // Its plan, queued again, is the same round once more and no stack of stacks.
  const again = await train(stacked.plan);
  expect(again.plan.method).toEqual(stacked.plan.method);
  expect(await losses(again)).toEqual(await losses(stacked));
}, 240_000);

it('its head goes on for the same labels, and is new for others', async () => {
  const same = await train(plan(method.lora, { refines: id('full'), training: { maxSteps: 0 } }));
  expect(same.result?.test).toEqual(first.get('full')?.result?.test);
  const other = await train(plan(method.lora, { refines: id('full'), data: 'renamed', training: { maxSteps: 0 } }));
  const { log } = await studio.handlers['runs.history']({ id: other.id, afterStep: 0 });
  expect(log.map(({ message }) => message)).toContain(
    'The start has a head for other labels, or for another task; this run gets a fresh head.',
  );
  const hand = await train(plan(method.lora, { data: 'renamed', training: { maxSteps: 0 } }));
  const headOf = async (run: Run) => {
    const file = join(studio.home, 'runs', String(run.id), 'trained.safetensors');
    return (await readSafetensors(file)).tensors.get('classifier.weight')?.data;
  };
  const [fresh, kept] = [await headOf(hand), await headOf(same)];
  expect(fresh?.length).toBeGreaterThan(0);
  expect(await headOf(other)).toEqual(fresh);
  expect(kept).not.toEqual(fresh);
});

it('the head of a tagger goes on in a tagger, and is new in a classifier of the same number of labels', async () => {
  const file = join(studio.home, 'tags.conll');
  const sentences = tinyRows(60).map(({ text }) =>
    text.split(' ').map((word) => `${word} ${word.length > 4 ? 'B-LONG' : 'O'}`),
  );
  await writeFile(file, sentences.map((words) => `${words.join('\n')}\n\n`).join(''));
  const request = importRequestSchema.parse({
    projectId,
    name: 'tags',
    path: file,
    task: 'tagging',
    wordsColumn: 'word',
    tagsColumn: 'column 2',
    validation: 0.2,
    test: 0.25,
  });
  await studio.finished(await studio.handlers['datasets.import'](request));
  const more = { data: 'tags', objective: 'token-classification' } as const;
  const tagger = await train(plan(method.lora, more));
  const on = await train(plan(method.lora, { ...more, refines: tagger.id, training: { maxSteps: 0 } }));
  expect(on.plan.refineBy).toBe('merge');
  expect(on.result?.test?.loss).toBeCloseTo(tagger.result?.test?.loss ?? 0, 5);
  const sorts = await train(plan(method.lora, { refines: tagger.id, training: { maxSteps: 0 } }));
  const { log } = await studio.handlers['runs.history']({ id: sorts.id, afterStep: 0 });
  expect(log.map(({ message }) => message).join()).toMatch(/for another task; this run gets a fresh head/);
}, 240_000);

it.each([
  [{ refines: 9999 }, method.lora, /no run 9999/],
  [
    { refines: 'prefix' },
    method.lora,
    /cannot be gone on from by LoRA.*does not merge.*no use for the values.*virtual tokens/,
  ],
  [{ refines: 'adapter' }, method.full, /cannot stay frozen below.*Full fine-tuning changes the base itself/],
  [
    { refines: 'prefix' },
    { type: 'prefix', numVirtualTokens: 5, prefixProjection: false },
    /its options were "3 tokens.*these are "5 tokens/,
  ],
  [{ refines: 'lora', refineBy: 'continue' }, { type: 'lora', rank: 2, targetModules: ['key'] }, /other modules/],
  [{ refines: 'lora', model: 'Starter' }, method.lora, /stands on tiny, not on Starter/],
] as const)('refuses %j before anything runs', async (more, options, reason) => {
  const before = (await studio.handlers['runs.list']({ projectId })).length;
  const refines = typeof more.refines === 'string' ? id(more.refines) : more.refines;
  await expect(start(plan(options, { ...more, refines }))).rejects.toThrow(reason);
  expect(await studio.handlers['runs.list']({ projectId })).toHaveLength(before);
});

it('ends the same after kill -9', async () => {
  const asked = plan(method.adapter, {
    refines: id('lora'),
    training: { maxSteps: 150, checkpointEverySteps: 10, modelDropout: 0.1 },
  });
  const whole = await train(asked);
  const cut = await start(asked);
  await studio.waitFor('metrics', ({ runId, steps }) => runId === cut && steps.some(({ step }) => step > 20));
  process.kill(studio.pids.at(-1) ?? 0, 'SIGKILL');
  expect(await ended(cut)).toMatchObject({ state: 'interrupted' });
  await studio.handlers['runs.resume']({ id: cut });
  const resumed = await ended(cut);
  expect(resumed.state).toBe('finished');
  expect(await losses(resumed)).toEqual(await losses(whole));
  expect(resumed.result?.test).toEqual(whole.result?.test);
}, 240_000);

it('a run that others go on from stays, and a project takes its rounds along', async () => {
  const { handlers } = studio;
  const base = await train(plan(method.lora, { training: { seed: 7 } }));
  const run = await train(plan(method.adapter, { refines: base.id }));
  expect(await handlers['runs.removal']({ id: base.id })).toMatchObject({
    blocked: `Run ${run.id} goes on from it and stands on its result.`,
  });
  await expect(handlers['runs.remove']({ id: base.id })).rejects.toThrow(/goes on from it/);
  const path = join(studio.home, 'trial.peftproj');
  await studio.finished(await handlers['projects.export']({ id: projectId, path }));
  await studio.finished(await handlers['projects.import']({ path }));
  const copies = (await handlers['runs.list']({ projectId: null })).filter((one) => one.projectId !== projectId);
  const copy = copies.find(({ createdAt }) => createdAt === run.createdAt);
  const former = copies.find((one) => one.id === copy?.plan.refines);
  expect(former?.createdAt).toBe(base.createdAt);
  expect(copy?.setting).toContain(`on run ${former?.id}`);
  expect(await answerOf(copy?.id ?? 0)).toEqual(await answerOf(run.id));
  await handlers['runs.remove']({ id: run.id });
  expect(await readdir(join(studio.home, 'runs', String(base.id)))).toEqual(['trained.safetensors']);
  await handlers['runs.remove']({ id: base.id });
}, 240_000);
