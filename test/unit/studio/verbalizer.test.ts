/** Classification by label words through the studio's calls: refused, trained, asked, exported. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Run } from '../../../electron/contract/entities.js';
import { planSchema } from '../../../electron/contract/plan.js';
import { oracleFolder, oracleJson } from '../../helpers/oracle.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId = 0;
const words = { cooking: 'the', travel: 'a', weather: 'in' };

beforeAll(async () => {
  studio = await openTestStudio();
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Trial', description: '' })).id;
  for (const name of ['bert', 'bert-plain', 'llama'])
    await handlers['models.add']({ folder: join(oracleFolder, 'models', name), name });
  const schema = z.object({
    labels: z.array(z.string()),
    batches: z.array(z.object({ texts: z.array(z.string()), labels: z.array(z.number()) })),
  });
  const { labels, batches } = oracleJson(schema, 'verbalizer', 'bert-one.json');
  const rows = batches.flatMap((batch) =>
    batch.texts.map((text, i) => ({ text, topic: labels[batch.labels[i] ?? 0] })),
  );
  await studio.importRows(projectId, 'rows', rows);
}, 60_000);

afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const plan = (model: string, method: object, verbalizer: object | null, more: object = {}) =>
  planSchema.parse({
    model,
    data: 'rows',
    method,
    verbalizer,
    training: { maxSteps: 6, batchSize: 8, maxLength: 40, learningRate: 0.01, ...more },
    device: 'cpu',
  });

async function train(...of: Parameters<typeof plan>): Promise<Run> {
  const [run] = await studio.handlers['runs.start']({ projectId, plans: [plan(...of)], initFolder: null });
  const ended = await studio.ended(run?.id ?? 0);
  expect([ended.state, ended.problem]).toEqual(['finished', null]);
  return ended;
}

describe('is refused', () => {
  const start = (...of: Parameters<typeof plan>) =>
    studio.handlers['runs.start']({ projectId, plans: [plan(...of)], initFolder: null });
  it.each([
    ['bert', 'lora', { template: 'no place' }, /verbalizer\.template: it has \{text\} 0 times/],
    ['bert', 'lora', { template: '{text} {pair} {mask}' }, /the rows have no second text/],
    ['bert', 'lora', { template: '{prompt} {text} {mask}' }, /\{prompt\} is for the method prompt-search/],
    ['llama', 'lora', { template: '{mask}: {text}' }, /its label’s word stands last/],
    ['bert', 'lora', { words: { sport: 'ball' } }, /has no label "sport"/],
    ['bert', 'lora', { words: { travel: 'weather' } }, /"travel" and "weather" both have the word "weather"/],
    ['bert', 'lora', { words: { travel: 'A', weather: 'a' } }, /"travel" and "weather" are the same tokens/],
    ['bert', 'lora', { words: { travel: '日本' } }, /cannot spell "日本", the word of the label "travel"/],
    ['bert', 'head', {}, /with a verbalizer there is no head/],
    ['bert-plain', 'lora', {}, /bert-plain has no language-model head .*cls\.predictions\.transform\.dense\.weight/],
  ])('%s, %s, %j', async (model, type, verbalizer, message) => {
    await expect(start(model, { type }, verbalizer)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message) as string,
    });
  });
});

it.each(['bert', 'llama'])(
  'trains %s without a head, answers and exports',
  async (model) => {
    const { handlers } = studio;
    const run = await train(model, { type: 'lora' }, model === 'bert' ? { words } : {});
    expect(run.setting).toMatch(/verbalizer$/);
    // The plan says what was asked, template and words filled in.
    expect(run.plan.verbalizer).toEqual({
      template: model === 'bert' ? '{text} It was {mask}.' : '{text}\nLabel: {mask}',
      words: model === 'bert' ? words : { cooking: 'cooking', travel: 'travel', weather: 'weather' },
      score: 'mean',
    });
    // Two layers, query and value, and nothing else.
    expect(run.result?.trainableParameters).toBe(model === 'bert' ? 2 * 2 * 64 * 8 : 2 * (64 + 32 + 16) * 8);
    expect(run.result?.test?.loss).toBeGreaterThan(0);
    const answers = await handlers['playground.predict']({
      runIds: [run.id],
      text: 'rain in the',
      pair: null,
      untrained: true,
    });
    expect(answers.map(({ problem }) => problem)).toEqual([null, null]);
    expect(Object.keys(answers[0]?.probabilities ?? {})).toEqual(['cooking', 'travel', 'weather']);
    for (const format of ['peft', 'studio', 'merged'] as const) {
      const folder = join(studio.home, 'out', `${model}-${format}`);
      const job = await studio.finished(await handlers['exports.start']({ runId: run.id, format, folder }));
      expect(job.problem).toBeNull();
      expect(job.result).toMatchObject({ format, proof: { sameLabels: true } });
    }
    const config: unknown = JSON.parse(
      await readFile(join(studio.home, 'out', `${model}-peft`, 'adapter_config.json'), 'utf8'),
    );
    expect(config).toMatchObject({ modules_to_save: null, task_type: model === 'bert' ? null : 'CAUSAL_LM' });
    for (const format of ['adapterhub', 'onnx'] as const)
      await expect(
        handlers['exports.start']({ runId: run.id, format, folder: join(studio.home, 'out', 'x') }),
      ).rejects.toMatchObject({ code: 'bad-input' });
    // From the exported adapter, nothing trained: the same answers on the test rows.
    const [again] = await handlers['runs.start']({
      projectId,
      plans: [plan(model, { type: 'lora' }, run.plan.verbalizer, { maxSteps: 0 })],
      initFolder: join(studio.home, 'out', `${model}-studio`),
    });
    const ended = await studio.waitFor('run', (data) => data.id === again?.id && data.state === 'finished');
    expect(ended.result?.test?.loss).toBeCloseTo(run.result?.test?.loss ?? NaN, 5);
  },
  120_000,
);

describe('prompt wording', () => {
  const search = { type: 'prompt-search', initText: 'the weather', candidates: 4 };
  const history = async (id: number) => studio.handlers['runs.history']({ id, afterStep: 0 });

  it.each(['bert', 'llama'])(
    'on %s is a text that scores the same when typed in',
    async (model) => {
      const { handlers } = studio;
      const run = await train(model, search, model === 'bert' ? { words } : null, { validateEverySteps: 2 });
      expect(run.result).toMatchObject({ trainableParameters: 0, optimizerBytes: 0 });
      expect(run.plan.verbalizer?.template).toBe(
        model === 'bert' ? '{prompt} {text} It was {mask}.' : '{prompt} {text}\nLabel: {mask}',
      );
      const { validations, log } = await history(run.id);
      expect(validations.map(({ step }) => step)).toEqual([0, 2, 4, 6]);
      expect(validations[0]?.search).toEqual({ wording: 'the weather', tried: [] });
      expect(validations[1]?.search?.tried.length).toBeGreaterThan(4);
      expect(
        log.some(({ message }) => /becomes ".+" at position \d; the loss on its rows falls from/.test(message)),
      ).toBe(true);
      const best = validations.findLast((it) => it.best);
      const wording = run.result?.wording ?? '';
      expect(best?.search?.wording).toBe(wording);
      // Typed in by hand: the same scores on validation, and by a plain template the same answers on the test rows.
      const again = await handlers['runs.scoreWording']({ id: run.id, wording });
      expect(again.scores.loss).toBeCloseTo(best?.loss ?? NaN, 5);
      expect(best).toMatchObject({ macroF1: 'macroF1' in again.scores ? again.scores.macroF1 : null });
      const template = run.plan.verbalizer?.template?.replace('{prompt}', wording) ?? '';
      const typed = await train(model, { type: 'lora' }, { ...run.plan.verbalizer, template }, { maxSteps: 0 });
      expect(typed.result?.test?.loss).toBeCloseTo(run.result?.test?.loss ?? NaN, 5);
      const edited = await handlers['runs.scoreWording']({ id: run.id, wording: 'a quite different text' });
      expect(edited.scores.loss).not.toBe(again.scores.loss);
      const answers = await handlers['playground.predict']({
        runIds: [run.id, typed.id],
        text: 'rain in the',
        pair: null,
        untrained: true,
      });
      expect(answers.map(({ problem }) => problem)).toEqual([null, null, null]);
      for (const [label, p] of Object.entries(answers[0]?.probabilities ?? {}))
        expect(answers[1]?.probabilities[label]).toBeCloseTo(p, 5);
      const folder = join(studio.home, 'out', `${model}-wording`);
      const job = await studio.finished(await handlers['exports.start']({ runId: run.id, format: 'studio', folder }));
      expect([job.problem, job.result]).toMatchObject([null, { proof: { sameLabels: true } }]);
      expect(await readFile(join(folder, 'prompt.txt'), 'utf8')).toBe(`${wording}\n`);
      await expect(
        handlers['exports.start']({ runId: run.id, format: 'peft', folder: join(studio.home, 'out', 'x') }),
      ).rejects.toMatchObject({ code: 'bad-input' });
    },
    120_000,
  );

  it('goes on after a pause to the wordings of an uninterrupted search', async () => {
    const { handlers } = studio;
    const settings = { maxSteps: 12, validateEverySteps: 3 };
    const whole = await train('bert', search, { words }, settings);
    const [run] = await handlers['runs.start']({
      projectId,
      plans: [plan('bert', search, { words }, settings)],
      initFolder: null,
    });
    const id = run?.id ?? 0;
    await studio.waitFor('run', (data) => data.id === id && data.step >= 2);
    await handlers['runs.pause']({ id });
    const stopped = await studio.waitFor(
      'run',
      (data) => data.id === id && ['paused', 'finished'].includes(data.state),
    );
    expect(stopped.state).toBe('paused');
    await handlers['runs.resume']({ id });
    const ended = await studio.waitFor('run', (data) => data.id === id && data.state === 'finished');
    const facts = async (of: Run) => {
      const { steps, validations } = await history(of.id);
      return [
        steps.map(({ loss }) => loss),
        validations.map(({ loss, search: it }) => [loss, it?.wording]),
        of.result?.wording,
      ];
    };
    expect(await facts(ended)).toEqual(await facts(whole));
  }, 120_000);

  it('refuses a template in which its tokens cannot be told apart, and a model without its head', async () => {
    await expect(
      studio.handlers['runs.start']({ projectId, plans: [plan('bert-plain', search, null)], initFolder: null }),
    ).rejects.toMatchObject({ message: expect.stringMatching(/no language-model head/) as string });
  });
});
