/** Numbers of pairs, several labels and entailment through the whole studio: file to export, over the real trainer process. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { calls } from '../../../electron/contract/calls.js';
import type { Dataset, ImportRequest, Run } from '../../../electron/contract/entities.js';
import { importRequestSchema } from '../../../electron/contract/entities.js';
import type { AskedPlan } from '../../../electron/contract/plan.js';
import { smallStudy, studyEnded } from '../../helpers/study.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows, uniforms } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;

beforeAll(async () => {
  studio = await openTestStudio();
  await makeTinyModel(join(studio.home, 'tiny'));
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Tasks', description: '' })).id;
  await handlers['models.add']({ folder: join(studio.home, 'tiny'), name: 'tiny' });
}, 60_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

/** A file imported as its preview suggests. */
async function added(name: string, lines: readonly string[]): Promise<Dataset> {
  const { handlers } = studio;
  const path = join(studio.home, `${name}.csv`);
  await writeFile(path, lines.join('\n'));
  const preview = await handlers['datasets.inspect']({ path, reading: {} });
  const column = (role: string) => preview.columns.find(({ suggestedRole }) => suggestedRole === role)?.name ?? null;
  const request: ImportRequest = importRequestSchema.parse({
    task: preview.suggestedTask,
    projectId,
    name,
    path,
    textColumn: column('text'),
    pairColumn: column('pair'),
    ...(preview.suggestedTask === 'multi-label' ? { labels: preview.multiLabel } : { labelColumn: column('label') }),
    validation: 0.2,
    test: 0.25,
  });
  await studio.finished(await handlers['datasets.import'](request));
  return (await handlers['datasets.list']({ projectId })).find((set) => set.name === name)!;
}

async function trained(data: string, types: readonly string[], more: Partial<AskedPlan> = {}): Promise<Run[]> {
  const { handlers } = studio;
  const training = { maxSteps: 80, batchSize: 8, maxLength: 24, learningRate: 0.01, validateEverySteps: 20 };
  const plans = types.map((type) => ({ model: 'tiny', data, method: { type }, training, device: 'cpu', ...more }));
  const started = await handlers['runs.start']({ projectId, plans: plans as AskedPlan[], initFolder: null });
  const over = (state: Run['state']) => !['queued', 'preparing', 'running'].includes(state);
  const finished: Run[] = [];
  for (const run of started) {
    const now = await handlers['runs.get']({ id: run.id });
    finished.push(
      over(now.state) ? now : await studio.waitFor('run', (data) => data.id === run.id && over(data.state)),
    );
  }
  expect(finished.map(({ state, problem }) => [state, problem])).toEqual(finished.map(() => ['finished', null]));
  return finished;
}

async function proved(run: Run, formats: readonly ('peft' | 'merged' | 'onnx' | 'studio')[]): Promise<void> {
  for (const format of formats) {
    const folder = join(studio.home, 'out', `${run.id}-${format}`);
    const job = await studio.finished(await studio.handlers['exports.start']({ runId: run.id, format, folder }));
    expect(job.result).toMatchObject({ proof: { sameLabels: true } });
  }
}
const configOf = async (run: Run, format: string) =>
  JSON.parse(await readFile(join(studio.home, 'out', `${run.id}-${format}`, 'config.json'), 'utf8')) as Record<
    string,
    unknown
  >;

it('similarity of pairs: Pearson and Spearman, compared, answered and exported', { timeout: 240_000 }, async () => {
  const { handlers } = studio;
  const [rows, others] = [tinyRows(200, 1), tinyRows(200, 2)];
  const next = uniforms(4);
  const score = (i: number) => (rows[i]?.label === others[i]?.label ? 4 : 1) + next();
  const dataset = await added('pairs', [
    'sentence1,sentence2,score',
    ...rows.map(({ text }, i) => `${text},${others[i]?.text ?? ''},${score(i).toFixed(2)}`),
  ]);
  expect(dataset).toMatchObject({ task: 'regression', pairColumn: 'sentence2', labels: [] });
  expect(dataset.range?.low).toBeGreaterThanOrEqual(1);
  const [full, lora] = (await trained('pairs', ['full', 'lora'])) as [Run, Run];
  expect(full.plan.objective).toBe('regression');
  const { test } = full.result!;
  expect(test).toMatchObject({ objective: 'regression' });
  expect(test?.pearson).toBeGreaterThan(-1);
  expect(test?.spearmanInterval).toBeTruthy();
  // What is best is so by the first measure.
  const { validations } = await handlers['runs.history']({ id: full.id, afterStep: 0 });
  const best = validations.findLast((one) => one.best);
  expect(best?.pearson).toBe(Math.max(...validations.map((one) => one.pearson ?? -1)));

  const comparison = await handlers['compare.runs']({
    projectId,
    datasetId: dataset.id,
    modelId: full.modelId,
    runIds: null,
    measure: 'spearman',
    zone: 5,
  });
  expect(comparison).toMatchObject({ objective: 'regression', measure: 'spearman', testRows: dataset.rows.test });
  expect(comparison.rows[1]?.difference?.mean).toBeCloseTo(
    100 * ((lora.result?.test?.spearman ?? 0) - (test?.spearman ?? 0)),
    6,
  );
  const [answer] = await handlers['playground.predict']({
    runIds: [lora.id],
    text: 'the old cat',
    pair: 'a small dog',
    untrained: false,
  });
  expect(answer).toMatchObject({ kind: 'number', probabilities: {}, problem: null });
  expect(Number(answer?.label)).toBeCloseTo(answer?.value ?? NaN, 5);

  const out = join(studio.home, 'answers.csv');
  await studio.finished(
    await handlers['playground.predictFile']({
      runId: lora.id,
      path: join(studio.home, 'pairs.csv'),
      textColumn: 'sentence1',
      pairColumn: 'sentence2',
      out,
      report: false,
    }),
  );
  const [head, first] = (await readFile(out, 'utf8')).split('\r\n');
  expect(head).toBe('row,sentence1,sentence2,value');
  expect(Number(first?.split(',').at(-1))).not.toBeNaN();
  await proved(lora, ['peft', 'merged', 'onnx', 'studio']);
  expect(await configOf(lora, 'merged')).toMatchObject({ problem_type: 'regression', id2label: { 0: 'LABEL_0' } });
  // Another run starts from the exported head.
  const initFolder = join(studio.home, 'out', `${lora.id}-peft`);
  const goesOn = {
    model: 'tiny',
    data: 'pairs',
    method: { type: 'lora' },
    training: { maxSteps: 0, maxLength: 24 },
    device: 'cpu',
  };
  const [again] = await handlers['runs.start']({ projectId, plans: [goesOn as AskedPlan], initFolder });
  const done = await studio.waitFor('run', ({ id, state }) => id === again?.id && state === 'finished');
  expect(done.result?.test?.loss).toBeCloseTo(lora.result?.test?.loss ?? 0, 4);
});

it(
  'several labels: micro and macro F1 and subset accuracy, by every step of the way',
  { timeout: 240_000 },
  async () => {
    const { handlers } = studio;
    const rows = tinyRows(200, 3).map(({ text, label }, i) => ({
      text: i % 3 === 0 ? `${text} hammer saw` : text,
      labels: i % 3 === 0 ? [...new Set([label, 'tool'])] : [label],
    }));
    const dataset = await added('tags', [
      'text,tags',
      ...rows.map(({ text, labels }) => `${text},${labels.join(';')}`),
    ]);
    expect(dataset).toMatchObject({ task: 'multi-label', labels: ['animal', 'food', 'tool'] });
    const [, lora] = (await trained('tags', ['full', 'lora'])) as [Run, Run];
    const { test } = lora.result!;
    expect(test).toMatchObject({ objective: 'multi-label' });
    for (const measure of ['microF1', 'macroF1', 'subsetAccuracy'] as const)
      expect(test?.[measure]).toBeGreaterThanOrEqual(0);
    expect(test?.loss).toBeLessThan(Math.LN2);
    const comparison = await handlers['compare.runs']({
      projectId,
      datasetId: dataset.id,
      modelId: lora.modelId,
      runIds: null,
      measure: null,
      zone: 5,
    });
    expect(comparison.measure).toBe('microF1');
    expect(comparison.rows).toHaveLength(2);
    const page = await handlers['datasets.rows']({ id: dataset.id, offset: 0, limit: 500, amongLabels: 'tool' });
    expect(page.total).toBe(rows.filter(({ labels }) => labels.includes('tool')).length);
    const [answer] = await handlers['playground.predict']({
      runIds: [lora.id],
      text: rows[0]?.text ?? '',
      pair: null,
      untrained: false,
    });
    expect(answer?.kind).toBe('labels');
    const told = Object.entries(answer?.probabilities ?? {}).filter(([, share]) => share >= 0.5);
    expect(answer?.label).toBe(told.map(([label]) => label).join(', '));
    await proved(lora, ['peft', 'merged', 'onnx', 'studio']);
    expect(await configOf(lora, 'onnx')).toMatchObject({
      problem_type: 'multi_label_classification',
      id2label: { 2: 'tool' },
    });
  },
);

it('numbers are composed, merged, gone on with and studied by their head', { timeout: 240_000 }, async () => {
  const { handlers } = studio;
  const [one, other] = (await trained('pairs', ['lora', 'lora'])) as [Run, Run];
  const compose = (kind: string, head: number | null) =>
    calls['compositions.start'].input.parse({
      projectId,
      kind,
      parts: [{ from: one.id }, { from: other.id }],
      head,
    });
  // The mean of two equal runs is either of them, and so is its head.
  const { id } = await handlers['compositions.start'](compose('average', null));
  const mean = await studio.ended(id);
  expect(mean.problem).toBeNull();
  expect(mean.result?.test?.loss).toBeCloseTo(one.result?.test?.loss ?? 0, 4);
  const [tags] = (await trained('tags', ['lora'])) as [Run];
  await expect(
    handlers['compositions.start']({
      ...compose('add', tags.id),
      parts: [
        { from: one.id, weight: 1 },
        { from: tags.id, weight: 1 },
      ],
      data: 'pairs',
    }),
  ).rejects.toThrow(/has learned multi-label, the plan's is to learn regression/);

  const { result: merge } = await studio.finished(await handlers['runs.checkMerge']({ id: one.id }));
  expect(merge).toMatchObject({ merged: { sameLabels: true }, unmerged: { sameLabels: true } });

  expect(
    await handlers['refinements.check'](
      calls['refinements.check'].input.parse({ id: one.id, method: { type: 'bottleneck' } }),
    ),
  ).toMatchObject({ reason: null });
  const [next] = (await trained('pairs', ['bottleneck'], {
    refines: one.id,
    training: { maxSteps: 0, maxLength: 24 } as never,
  })) as [Run];
  expect(next.result?.test?.loss).toBeCloseTo(one.result?.test?.loss ?? 0, 4);
});

it.each(['pairs', 'tags'])('a study of quality on %s tells its first measure', { timeout: 240_000 }, async (data) => {
  const { handlers } = studio;
  const study = smallStudy({
    data: [data],
    methods: [{ type: 'lora' }],
    learningRates: [0.01],
    training: { maxSteps: 20, batchSize: 8, maxLength: 24 },
  });
  const { id } = await handlers['studies.start']({ projectId, study, goOn: false });
  const ended = await studyEnded(studio, id);
  expect([ended.state, ended.problem]).toEqual(['finished', null]);
  const { report } = await handlers['studies.report']({ id });
  expect(report?.verdicts.length).toBeGreaterThan(0);
  expect(JSON.stringify(report?.tables)).toContain(data === 'pairs' ? 'Pearson' : 'micro F1');
});

it('entailment: a pair with token types, and one label of three', { timeout: 240_000 }, async () => {
  const rows = tinyRows(200, 5);
  const others = tinyRows(200, 6);
  const dataset = await added('entailment', [
    'premise,hypothesis,label',
    ...rows.map(
      ({ text, label }, i) =>
        `${text},${others[i]?.text ?? ''},${label === others[i]?.label ? 'entailment' : 'neutral'}`,
    ),
  ]);
  expect(dataset).toMatchObject({ task: 'classification', textColumn: 'premise', pairColumn: 'hypothesis' });
  const [run] = (await trained('entailment', ['lora'])) as [Run];
  expect(run.result?.test?.accuracy).toBeGreaterThan(0);
  const [both, swapped] = await Promise.all(
    [
      ['the old cat', 'a small dog'],
      ['a small dog', 'the old cat'],
    ].map(
      async ([text = '', pair = '']) =>
        (await studio.handlers['playground.predict']({ runIds: [run.id], text, pair, untrained: false }))[0],
    ),
  );
  // Which text comes first matters: the second has segment 1.
  expect(both?.probabilities).not.toEqual(swapped?.probabilities);
  await proved(run, ['peft', 'onnx']);
});

it('says what does not fit a task', async () => {
  const { handlers } = studio;
  const start = (more: Partial<AskedPlan> & { readonly data: string }) =>
    handlers['runs.start']({
      projectId,
      plans: [
        {
          model: 'tiny',
          method: { type: 'lora' },
          device: 'cpu',
          ...more,
          training: { maxLength: 24, ...more.training },
        } as AskedPlan,
      ],
      initFolder: null,
    });
  await expect(start({ data: 'pairs', objective: 'classification' })).rejects.toThrow(
    'objective: the data set "pairs" has texts with numbers; classification learns from texts with classes.',
  );
  await expect(start({ data: 'tags', verbalizer: {} as never })).rejects.toThrow(
    /verbalizer: with the objective multi-label/,
  );
  await expect(start({ data: 'pairs', training: { classWeights: 'balanced' } as never })).rejects.toThrow(
    'there are no classes with the objective regression',
  );
  await expect(start({ data: 'tags', method: { type: 'prompt-search' } })).rejects.toThrow(
    /how well labels are told apart/,
  );
});
