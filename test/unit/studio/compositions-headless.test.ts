/** Compositions and merge checks of runs without a head: those that answer by label words, and those that write. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calls, type CallInput } from '../../../electron/contract/calls.js';
import type { Artefact, MergeCheck, Run } from '../../../electron/contract/entities.js';
import { planSchema } from '../../../electron/contract/plan.js';
import { oracleFolder } from '../../helpers/oracle.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;
const runs = new Map<string, Run>();
const id = (name: string) => runs.get(name)?.id ?? 0;
const words = { animal: 'the', food: 'a', tool: 'in' };

type Request = CallInput<'compositions.check'>;
const of = (names: readonly string[], more: Partial<Request> & Pick<Request, 'kind'>) =>
  calls['compositions.check'].input.parse({ projectId, parts: names.map((name) => ({ from: id(name) })), ...more });
const check = (...request: Parameters<typeof of>) => studio.handlers['compositions.check'](of(...request));

async function compose(...request: Parameters<typeof of>): Promise<Run> {
  const checked = await check(...request);
  expect(checked).toMatchObject({ reason: null, possible: true });
  const run = await studio.ended((await studio.handlers['compositions.start'](of(...request))).id);
  expect([run.problem, run.state]).toEqual([null, 'finished']);
  expect(run.result?.trainableParameters ?? 0).toBeLessThanOrEqual(checked.parameters);
  return run;
}

async function exported(run: Run, format: 'studio' | 'peft' | 'merged'): Promise<Artefact['proof']> {
  const folder = join(studio.home, 'out', `${run.id}-${format}`);
  const job = await studio.handlers['exports.start']({ runId: run.id, format, folder });
  return ((await studio.finished(job)).result as Artefact).proof;
}

beforeAll(async () => {
  studio = await openTestStudio();
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Trial', description: '' })).id;
  for (const name of ['bert', 'llama'])
    await handlers['models.add']({ folder: join(oracleFolder, 'models', name), name });
  const rows = tinyRows(60);
  await studio.importRows(
    projectId,
    'topics',
    rows.map(({ text, label }) => ({ text, topic: label })),
  );
  await studio.importRows(
    projectId,
    'texts',
    rows.map(({ text, label }) => ({ prompt: text, completion: label })),
    { task: 'generation', columns: { form: 'instruction', prompt: 'prompt', completion: 'completion' } },
  );
  const training = { maxSteps: 4, batchSize: 8, maxLength: 60, learningRate: 0.02, exactMatchRows: 0 };
  const byWords = (method: object, seed: number) =>
    planSchema.parse({
      model: 'bert',
      data: 'topics',
      method,
      verbalizer: { words },
      training: { ...training, seed },
      device: 'cpu',
    });
  const writing = (method: object, seed: number) =>
    planSchema.parse({
      model: 'llama',
      data: 'texts',
      objective: 'causal-lm',
      method,
      training: { ...training, seed },
      device: 'cpu',
    });
  const plans = {
    first: byWords({ type: 'lora', rank: 2 }, 1),
    second: byWords({ type: 'lora', rank: 2 }, 2),
    adapter: byWords({ type: 'bottleneck', reductionFactor: 4 }, 1),
    other: byWords({ type: 'bottleneck', reductionFactor: 4 }, 2),
    searched: byWords({ type: 'prompt-search', initText: 'the weather', candidates: 2 }, 1),
    headed: { ...byWords({ type: 'lora', rank: 2 }, 3), verbalizer: null },
    writer: writing({ type: 'lora', rank: 2 }, 1),
    writer2: writing({ type: 'lora', rank: 2 }, 2),
    writing: writing({ type: 'bottleneck', reductionFactor: 4 }, 1),
    writing2: writing({ type: 'bottleneck', reductionFactor: 4 }, 2),
    scaled: writing({ type: 'ia3' }, 1),
    rewritten: writing({ type: 'full' }, 1),
  };
  const started = await handlers['runs.start']({ projectId, plans: Object.values(plans), initFolder: null });
  for (const [at, run] of started.entries()) {
    const ended = await studio.ended(run.id);
    expect([ended.problem, ended.state]).toEqual([null, 'finished']);
    runs.set(Object.keys(plans)[at] ?? '', ended);
  }
}, 480_000);

afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

describe('of runs that answer by label words', () => {
  it('averages, adds, stacks and fuses into runs that answer by the same words', { timeout: 120_000 }, async () => {
    const { verbalizer } = runs.get('first')?.plan ?? {};
    const mean = await compose(['first', 'second'], { kind: 'average' });
    const sum = await compose(['first', 'second'], { kind: 'add' });
    const whole = await compose(['first', 'adapter'], { kind: 'stack' });
    const topped = await compose(['first'], {
      kind: 'stack',
      top: { type: 'bottleneck', reductionFactor: 8 },
      training: { maxSteps: 3 },
    });
    const fused = await compose(['adapter', 'other'], { kind: 'fusion', training: { maxSteps: 3 } });
    const all = [mean, sum, whole, topped, fused];
    expect(all.map(({ plan }) => plan.verbalizer)).toEqual(all.map(() => verbalizer));
    expect(all.map(({ step }) => step)).toEqual([0, 0, 0, 3, 3]);
    // Nothing but adapters: no head anywhere.
    expect(whole.result?.trainableParameters).toBe(0);
    const answers = await studio.handlers['playground.predict']({
      runIds: all.map((run) => run.id),
      text: 'the old cat',
      pair: null,
      untrained: false,
    });
    expect(answers.map(({ problem }) => problem)).toEqual(all.map(() => null));
    expect(new Set(answers.map(({ probabilities }) => JSON.stringify(probabilities))).size).toBe(all.length);
    for (const run of [mean, whole, topped, fused])
      expect(await exported(run, 'studio')).toMatchObject({ sameLabels: true });
    expect(await exported(mean, 'peft')).toMatchObject({ sameLabels: true });
  });

  it('takes an adapter that was trained under a head, without the head', async () => {
    const run = await compose(['first', 'headed'], { kind: 'average', head: id('first') });
    expect(run.plan.verbalizer).not.toBeNull();
    const under = await check(['headed', 'first'], { kind: 'average', head: null });
    expect(under).toMatchObject({ possible: false, reason: expect.stringMatching(/has no head/) as string });
    const mixed = await compose(['first', 'headed'], { kind: 'add', head: id('headed') });
    expect(mixed.plan.verbalizer).toBeNull();
    expect(mixed.result?.trainableParameters).toBeGreaterThan(run.result?.trainableParameters ?? 0);
  });

  it('says why a searched wording cannot be part', async () => {
    expect(await check(['first', 'searched'], { kind: 'average' })).toMatchObject({
      possible: false,
      reason: `Run ${id('searched')} searched for a wording and trained no adapter.`,
    });
  });
});

describe('of runs that write', () => {
  it('averages, adds, stacks and fuses into runs that write', { timeout: 120_000 }, async () => {
    const mean = await compose(['writer', 'writer2'], { kind: 'average' });
    const sum = await compose(['writer', 'writer2'], { kind: 'add' });
    const whole = await compose(['writer', 'writing'], { kind: 'stack' });
    const fused = await compose(['writing', 'writing2'], { kind: 'fusion', training: { maxSteps: 3 } });
    const all = [mean, sum, whole, fused];
    expect(all.map(({ plan }) => plan.objective)).toEqual(all.map(() => 'causal-lm'));
    expect(all.every(({ result }) => result?.test && 'perplexity' in result.test)).toBe(true);
    for (const run of all) expect(await exported(run, 'studio')).toMatchObject({ sameLabels: true });
    const config: unknown =
      (await exported(mean, 'peft')) &&
      JSON.parse(await readFile(join(studio.home, 'out', `${mean.id}-peft`, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ r: 4, task_type: 'CAUSAL_LM' });
    // Taken away again, the first one is left: it writes as before.
    const parts = ['writer', 'writer2', 'writer2'].map((name, at) => ({ from: id(name), weight: at === 2 ? -1 : 1 }));
    const again = await compose([], { kind: 'add', parts });
    expect(again.result?.test?.loss).toBeCloseTo(runs.get('writer')?.result?.test?.loss ?? NaN, 5);
  });

  const merge = async (name: string) => {
    const job = await studio.handlers['runs.checkMerge']({ id: id(name) });
    return (await studio.finished(job)).result as MergeCheck;
  };

  it.each(['writer', 'scaled'])('merges a %s into the base and takes it out again', async (name) => {
    const found = await merge(name);
    expect(found.rows).toBeGreaterThan(5);
    expect(found.merged).toMatchObject({ sameLabels: true });
    expect(found.merged.largestDifference).toBeLessThan(1e-4);
    expect(found.unmerged).toMatchObject({ sameLabels: true });
    expect(found.unmerged?.tensors).toBeGreaterThan(0);
    expect(found.unmerged?.weightDifference).toBeLessThan(1e-6);
    expect(found.unmerged?.largestDifference).toBeLessThan(1e-4);
    expect(found.time.first).toBeGreaterThan(0);
  });

  it('says what full fine-tuning cannot, and what does not merge', async () => {
    expect(await merge('rewritten')).toMatchObject({ unmerged: null, reason: expect.stringMatching(/lost/) as string });
    await expect(merge('writing')).rejects.toThrow(/does not merge/);
  });
});
