/** Learning to write: packed rows learn what rows by themselves learn, a killed run ends the same, the test is what it says. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomesIn } from '../../helpers/outcomes.js';
import { languageScores } from '../../helpers/scores.js';
import { outcomeSchemas, trainingSchema, type Training } from '../../../electron/contract/index.js';
import { encodeLanguage, languageBatches, openChatTemplate, openTokenizer } from '../../../electron/data/index.js';
import * as engine from '../../../electron/engine/index.js';
import type { JobOf, TrainerEvent } from '../../../electron/trainer/protocol.js';
import { train } from '../../../electron/trainer/train.js';
import { oracleFolder } from '../../helpers/oracle.js';
import { contextOf } from './toy-engine.js';

const modelFolder = join(oracleFolder, 'models', 'llama');
const words = ['cat', 'dog', 'sun', 'rain', 'tree', 'fish'];
const rowOf = (id: number) => {
  const [a, b] = [words[id % 6] ?? '', words[(id * 5 + 2) % 6] ?? ''];
  return {
    id,
    text: `${a} ${id}`,
    messages: [
      { role: 'user' as const, content: id % 3 === 0 ? a : `${a} ${b}` },
      { role: 'assistant' as const, content: id % 2 === 0 ? b : `${b} ${a}.` },
    ],
  };
};
const lora = { type: 'lora', rank: 4, alpha: 8, dropout: 0 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'language-'));
  const lines = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => JSON.stringify({ ...rowOf(from + i), pair: null, label: '' })).join('\n');
  await writeFile(join(folder, 'train.jsonl'), lines(0, 24));
  await writeFile(join(folder, 'validation.jsonl'), lines(24, 6));
  await writeFile(join(folder, 'test.jsonl'), lines(30, 6));
});
afterAll(() => rm(folder, { recursive: true }));

describe('packing', () => {
  it.each(['lora', 'prompt', 'prefix'])('gives %s the losses of rows by themselves, at each step', async (type) => {
    const model = await engine.openModel(modelFolder);
    const tokenizer = await openTokenizer(modelFolder);
    const tools = { tokenizer, template: await openChatTemplate(modelFolder, tokenizer) };
    const encoded = await encodeLanguage(
      Array.from({ length: 8 }, (_, id) => ({
        ...rowOf(id),
        text: words.slice(0, id === 0 ? 6 : 1 + (id % 2)).join(' '),
        messages: null,
      })),
      tools,
      { maxLength: 32, completionOnly: true },
    );
    const all = Int32Array.from({ length: encoded.size }, (_, place) => place);
    const packed = languageBatches(encoded, tokenizer.padId, true).batch(all);
    const apart = languageBatches(encoded, tokenizer.padId, false).batch(all);
    expect(packed.size).toBeLessThan(apart.size);
    expect(packed.sequence).toBe(apart.sequence);
    const tokens = (batch: engine.Batch) => batch.attentionMask.reduce((sum, mark) => sum + Number(mark !== 0), 0);
    expect(tokens(packed)).toBe(tokens(apart));
    const losses = async (batch: engine.Batch) => {
      const trainer = await engine.createTrainer({
        model,
        method: type === 'lora' ? lora : { type, numVirtualTokens: 3 },
        objective: { type: 'causal-lm' },
        optimizer: { type: 'adamw', weightDecay: 0, gradientClip: 1 },
        modelDropout: 0,
        seed: 1,
        device: 'cpu',
        threads: 1,
      });
      try {
        const { lossSum, weightSum } = await trainer.evaluate(batch);
        const told = [lossSum / weightSum];
        for (let step = 0; step < 5; step += 1) told.push((await trainer.step([batch], 0.01)).loss);
        return told;
      } finally {
        await trainer.dispose();
      }
    };
    const [together, alone] = [await losses(packed), await losses(apart)];
    together.forEach((loss, step) => expect(loss / (alone[step] ?? 0)).toBeCloseTo(1, 4));
    expect(alone[5]).toBeLessThan(alone[0] ?? 0);
  });
});

describe('a run', () => {
  const jobOf = (name: string, training: Partial<Training> = {}, resume = false): JobOf<'train'> => ({
    type: 'train',
    resume,
    runFolder: join(folder, name),
    task: {
      training: trainingSchema.parse({
        maxSteps: 12,
        batchSize: 8,
        maxLength: 60,
        learningRate: 0.02,
        validateEverySteps: 4,
        exactMatchRows: 3,
        ...training,
      }),
      method: lora,
      modelFolder,
      objective: { type: 'causal-lm' },
      device: 'cpu',
      threads: 1,
      initFolder: null,
      data: Object.fromEntries(
        ['train', 'validation', 'test'].map((split) => [split, join(folder, `${split}.jsonl`)]),
      ) as { train: string; validation: string; test: string },
    },
  });
  const lossesIn = (events: readonly TrainerEvent[]) =>
    new Map(
      events.flatMap((event) => (event.type === 'metrics' ? event.steps : [])).map(({ step, loss }) => [step, loss]),
    );

  it('tells loss and perplexity, keeps the best by loss, and reads the test once with generated answers', async () => {
    const context = contextOf();
    const { result } = await train(jobOf('whole'), context, engine, 0);
    const validations = context.events.flatMap((event) => (event.type === 'metrics' ? event.validations : []));
    expect(validations.map(({ step }) => step)).toEqual([4, 8, 12]);
    for (const one of validations) {
      const { loss, perplexity } = languageScores(one);
      expect(perplexity).toBeCloseTo(Math.exp(loss), 9);
    }
    const lowest = [...validations].sort((a, b) => a.loss - b.loss)[0];
    expect(result?.bestStep).toBe(lowest?.step);
    const test = languageScores(result?.test);
    const rows = context.events
      .flatMap(outcomesIn)
      .map(({ id, outcome, details }) => ({ id, details, ...outcomeSchemas['causal-lm'].parse(outcome) }));
    expect(rows.map(({ id }) => id)).toEqual([30, 31, 32, 33, 34, 35]);
    const sum = (of: 'loss' | 'tokens') => rows.reduce((total, row) => total + row[of], 0);
    expect(test.loss).toBeCloseTo(sum('loss') / sum('tokens'), 9);
    expect([test.exactMatchRows, rows.filter(({ details }) => typeof details?.['answer'] === 'string').length]).toEqual(
      [3, 3],
    );
  });

  it('tells the time left of its test, the answers that it generates counted', async () => {
    const context = contextOf();
    await train(jobOf('paced', { maxSteps: 2, exactMatchRows: 4 }), context, engine, 0);
    const told = context.events.flatMap((event) =>
      event.type === 'phase' && event.phase === 'testing' ? [event] : [],
    );
    const [start, ...others] = told;
    expect(start).toMatchObject({ done: 0, total: 6 });
    expect(others.map(({ done, total }) => [done, total])).toEqual([6, 7, 8, 9, 10].map((done) => [done, 10]));
    // Nothing is known of the pace of answers until the first is there.
    expect(others[0]?.secondsLeft).toBeNull();
    expect(others.slice(1).every(({ secondsLeft }) => typeof secondsLeft === 'number')).toBe(true);
    expect(others[1]?.secondsLeft).toBeGreaterThan(0);
    expect(others.at(-1)?.secondsLeft).toBe(0);
  });

  it('that was paused ends with the losses of one that was not', async () => {
    const straight = contextOf();
    const whole = await train(jobOf('straight'), straight, engine, 0);
    const first = contextOf({
      pauseWhen: (event) => event.type === 'phase' && event.phase === 'validating' && event.done >= 4,
    });
    expect((await train(jobOf('paused', { checkpointEverySteps: 2 }), first, engine, 0)).status).toBe('paused');
    const second = contextOf();
    const resumed = await train(jobOf('paused', { checkpointEverySteps: 2 }, true), second, engine, 0);
    const told = new Map([...lossesIn(first.events), ...lossesIn(second.events)]);
    expect(told.size).toBe(12);
    for (const [step, loss] of lossesIn(straight.events)) expect(told.get(step)).toBe(loss);
    expect(resumed.result?.test).toEqual(whole.result?.test);
  });

  it('leaves out what has nothing to learn within the length, and says so', async () => {
    await expect(train(jobOf('short', { maxLength: 12 }), contextOf(), engine, 0)).rejects.toMatchObject({
      code: 'bad-data',
      message: expect.stringContaining('24 rows left out') as unknown,
      hint: 'Raise training.maxLength.',
    });
  });
});
