/** Tagging and question answering through the studio's calls: imported, profiled, trained, asked, compared, exported with proof. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { artefactSchema, mergeCheckSchema, profileSchema, type Run } from '../../../electron/contract/entities.js';
import { askedPlanSchema } from '../../../electron/contract/plan.js';
import { oracleFolder } from '../../helpers/oracle.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;

const places = ['the coast', 'the town', 'the market'];
const sentences = Array.from({ length: 40 }, (_, i) => {
  const [first, second] = places[i % 3]?.split(' ') ?? [];
  return `we\tO\ngo\tO\nto\tO\n${first}\tB-place\n${second}\tI-place\non\tO\nday\tO\n${i}\tO\n`;
});
const asked = Array.from({ length: 40 }, (_, i) => {
  const place = places[i % 3] ?? '';
  const context = `We go to ${place} on day ${i}.`;
  return {
    question: 'Where do we go?',
    context,
    answers: i % 4 === 3 ? [] : [{ text: place, answer_start: context.indexOf(place) }],
  };
});

beforeAll(async () => {
  studio = await openTestStudio();
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Trial', description: '' })).id;
  for (const name of ['bert', 'llama'])
    await handlers['models.add']({ folder: join(oracleFolder, 'models', name), name });
  const [words, questions] = [join(studio.home, 'words.conll'), join(studio.home, 'questions.jsonl')];
  await writeFile(words, sentences.join('\n'));
  await writeFile(questions, asked.map((row) => JSON.stringify(row)).join('\n'));
  const shared = {
    projectId,
    reading: {},
    validation: 0.2,
    test: 0.2,
    splitColumn: null,
    seed: 1,
    badRows: 'stop',
  } as const;
  await studio.finished(
    await handlers['datasets.import']({
      ...shared,
      task: 'tagging',
      name: 'words',
      path: words,
      wordsColumn: 'word',
      tagsColumn: 'column 2',
      tagNames: null,
    }),
  );
  await studio.finished(
    await handlers['datasets.import']({
      ...shared,
      task: 'questions',
      name: 'questions',
      path: questions,
      questionColumn: 'question',
      contextColumn: 'context',
      answersColumn: 'answers',
      groupColumn: null,
    }),
  );
}, 120_000);

afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const plan = (model: string, data: string, method: object, more: object = {}) =>
  askedPlanSchema.parse({
    model,
    data,
    method,
    training: { maxSteps: 12, batchSize: 8, maxLength: 24, learningRate: 0.02, ...more },
    device: 'cpu',
  });

async function train(...of: Parameters<typeof plan>): Promise<Run> {
  const [run] = await studio.handlers['runs.start']({ projectId, plans: [plan(...of)], initFolder: null });
  const over = (state: Run['state']) => !['queued', 'preparing', 'running'].includes(state);
  const now = await studio.handlers['runs.get']({ id: run?.id ?? 0 });
  const ended = over(now.state) ? now : await studio.waitFor('run', (data) => data.id === now.id && over(data.state));
  expect([ended.state, ended.problem]).toEqual(['finished', null]);
  return ended;
}

async function exported(run: Run, format: 'peft' | 'merged' | 'onnx' | 'studio') {
  const folder = join(studio.home, `${format}-${run.id}`);
  const job = await studio.handlers['exports.start']({ runId: run.id, format, folder });
  const { result } = await studio.finished(job);
  const { proof } = artefactSchema.parse(result);
  expect(proof.sameLabels, format).toBe(true);
  expect(proof.largestDifference, format).toBeLessThan(1e-4);
  const settings = format === 'peft' ? 'adapter_config.json' : format === 'studio' ? 'adapter.json' : 'config.json';
  return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(join(folder, settings), 'utf8')));
}

describe('tagging', () => {
  it('is profiled, trained by two methods, asked, compared and exported', async () => {
    const { handlers } = studio;
    const dataset = (await handlers['datasets.list']({ projectId })).find(({ name }) => name === 'words');
    if (!dataset) throw new Error('not imported');
    expect([dataset.task, dataset.labels]).toEqual(['tagging', ['B-place', 'I-place', 'O']]);
    const counted = await studio.finished(await handlers['datasets.profile']({ id: dataset.id, modelId: null }));
    const profile = profileSchema.parse(counted.result);
    expect(profile.labels.map(({ label, train, validation, test }) => [label, train + validation + test])).toEqual([
      ['place', 40],
    ]);
    expect(profile.facts).toContainEqual({ name: 'Words an entity', median: 2, max: 2 });
    const withEntity = async (entity: string) =>
      (await handlers['datasets.rows']({ id: dataset.id, offset: 0, limit: 1, entity })).total;
    expect([await withEntity('place'), await withEntity('plac'), await withEntity('person')]).toEqual([40, 0, 0]);

    const lora = await train('bert', 'words', { type: 'lora' });
    const full = await train('bert', 'words', { type: 'full' }, { learningRate: 0.003, maxSteps: 60 });
    expect(lora.plan.objective).toBe('token-classification');
    expect(lora.result?.test?.objective).toBe('token-classification');
    expect(full.result?.test?.entityF1).toBeGreaterThan(0.5);

    const [answer] = await handlers['playground.predict']({
      runIds: [full.id],
      text: 'we go to the market, now',
      pair: null,
      untrained: false,
    });
    expect(answer?.problem).toBeNull();
    expect(answer?.spans?.length).toBeGreaterThan(0);
    for (const { text, from, to, type } of answer?.spans ?? [])
      expect(['we go to the market, now'.slice(from, to), 'place']).toEqual([text, type]);
    expect(answer?.label).toBe(answer?.spans?.map(({ text }) => `place: ${text}`).join(', '));
    // A file's rows are answered alike, texts and lists of words.
    const [file, out] = [join(studio.home, 'ask.jsonl'), join(studio.home, 'answers.csv')];
    const texts = ['we go to the market, now', JSON.stringify(['we', 'go', 'to', 'the', 'market']), ''];
    await writeFile(file, texts.map((text) => JSON.stringify({ text })).join('\n'));
    await studio.finished(
      await handlers['playground.predictFile']({
        runId: full.id,
        path: file,
        textColumn: 'text',
        pairColumn: null,
        out,
        report: false,
      }),
    );
    const told = (await readFile(out, 'utf8')).trim().split(/\r?\n/);
    expect(told[0]).toBe('row,text,label,spans');
    expect(told).toHaveLength(4);
    expect(told[1]).toContain(answer?.label);
    expect(told[2]).toContain('place: the market');

    const comparison = await handlers['compare.runs']({
      projectId,
      datasetId: dataset.id,
      modelId: lora.modelId,
      runIds: null,
      measure: null,
      zone: 1,
    });
    expect(comparison.measure).toBe('entityF1');
    expect(comparison.rows.find(({ baseline }) => !baseline)?.difference?.pairedSeeds).toBe(1);

    expect(await exported(lora, 'peft')).toMatchObject({
      task_type: 'TOKEN_CLS',
      modules_to_save: ['classifier', 'score'],
    });
    expect(await exported(lora, 'merged')).toMatchObject({
      architectures: ['BertForTokenClassification'],
      id2label: { 0: 'B-place', 1: 'I-place', 2: 'O' },
    });
    await exported(lora, 'onnx');
    await exported(full, 'studio');
    await expect(
      handlers['exports.start']({ runId: lora.id, format: 'adapterhub', folder: join(studio.home, 'hub') }),
    ).rejects.toThrow(/marks parts of a text/);
    const check = mergeCheckSchema.parse(
      (await studio.finished(await handlers['runs.checkMerge']({ id: lora.id }))).result,
    );
    expect(check.merged.sameLabels).toBe(true);
  }, 240_000);

  it('is learned by a decoder too', async () => {
    const run = await train('llama', 'words', { type: 'full' }, { maxSteps: 20, learningRate: 0.003 });
    // Guessing among three tags costs log 3.
    expect(run.result?.test?.loss).toBeLessThan(0.9);
  }, 120_000);

  it('refuses what makes no sense', async () => {
    const start = (more: object) =>
      studio.handlers['runs.start']({
        projectId,
        plans: [{ ...plan('bert', 'words', { type: 'lora' }), ...more }],
        initFolder: null,
      });
    await expect(start({ verbalizer: {} as never })).rejects.toThrow(/verbalizer/);
    await expect(start({ objective: 'classification' })).rejects.toThrow(/has words with tags/);
  });
});

describe('questions', () => {
  it('are trained on, asked, compared and exported', async () => {
    const { handlers } = studio;
    const dataset = (await handlers['datasets.list']({ projectId })).find(({ name }) => name === 'questions');
    if (!dataset) throw new Error('not imported');
    expect(dataset.labels).toEqual(['answerable', 'unanswerable']);
    const bitfit = await train('bert', 'questions', { type: 'bitfit' }, { maxLength: 48 });
    const full = await train(
      'bert',
      'questions',
      { type: 'full' },
      { maxLength: 48, learningRate: 0.003, maxSteps: 40 },
    );
    expect(full.result?.test?.answerF1).toBeGreaterThan(0.3);
    const [answer] = await handlers['playground.predict']({
      runIds: [full.id],
      text: 'Where do we go?',
      pair: 'We go to the coast on day 3.',
      untrained: false,
    });
    expect(answer?.problem).toBeNull();
    const [best] = answer?.spans ?? [];
    expect(best?.text).toBe(answer?.label);
    expect('We go to the coast on day 3.'.slice(best?.from, best?.to)).toBe(best?.text);
    expect(answer?.spans?.reduce((sum, { probability }) => sum + probability, 0)).toBeLessThanOrEqual(1.000001);
    // Answers are no longer than the run was told.
    const short = await train(
      'bert',
      'questions',
      { type: 'full' },
      { maxLength: 48, learningRate: 0.003, maxSteps: 40, maxAnswerTokens: 1 },
    );
    const [brief] = await handlers['playground.predict']({
      runIds: [short.id],
      text: 'Where do we go?',
      pair: 'We go to the coast on day 3.',
      untrained: false,
    });
    expect(brief?.spans?.length).toBeGreaterThan(1);
    for (const { text } of brief?.spans ?? []) expect(text).not.toMatch(/\s/);
    const [alone] = await handlers['playground.predict']({
      runIds: [full.id],
      text: 'Where?',
      pair: null,
      untrained: false,
    });
    expect(alone?.problem?.message).toMatch(/there is none/);
    expect(await exported(full, 'merged')).toMatchObject({ architectures: ['BertForQuestionAnswering'] });
    await exported(full, 'onnx');
    await exported(bitfit, 'studio');
    const lora = await train('bert', 'questions', { type: 'lora' }, { maxLength: 48, maxSteps: 4 });
    expect(await exported(lora, 'peft')).toMatchObject({ task_type: 'QUESTION_ANS', modules_to_save: ['qa_outputs'] });
  }, 240_000);

  it('are refused of a decoder', async () => {
    await expect(
      studio.handlers['runs.start']({
        projectId,
        plans: [plan('llama', 'questions', { type: 'lora' })],
        initFolder: null,
      }),
    ).rejects.toThrow(/cannot mark an answer/);
  });
});
