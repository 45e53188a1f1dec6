/** The job that writes: real engine, tiny decoder, LoRAs that were taught one answer each. */
import { cp, mkdir, mkdtemp, rename, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samplingSchema, type Piece } from '../../../electron/contract/entities.js';
import { openTokenizer } from '../../../electron/data/index.js';
import * as engine from '../../../electron/engine/index.js';
import { writeHashed } from '../../../electron/trainer/checkpoint.js';
import { generate } from '../../../electron/trainer/generate.js';
import { GeneratorCache } from '../../../electron/trainer/generators.js';
import { cancelled } from '../../../electron/trainer/problems.js';
import { generateJobSchema, trainedFileName, type Writer } from '../../../electron/trainer/protocol.js';
import { oracleFolder } from '../../helpers/oracle.js';

const question = 'The weather';
const taught = { first: ' is fine today.', second: ' was cold.' } as const;
const lora: engine.MethodSpec = { type: 'lora', rank: 4, targetModules: ['q_proj', 'v_proj', 'down_proj', 'o_proj'] };

let home = '';
const modelFolder = () => join(home, 'model');

/** A run of a method whose answer to the question is known, as a finished run leaves it. */
async function teach(name: string, method: engine.MethodSpec, answer: string): Promise<void> {
  const model = await engine.openModel(modelFolder());
  const tokenizer = await openTokenizer(modelFolder());
  const asked = await tokenizer.ids(question, false);
  const ids = [...asked, ...(await tokenizer.ids(answer, false)), 0];
  const trainer = await engine.createTrainer({
    model,
    method,
    objective: { type: 'causal-lm' },
    optimizer: { type: 'adamw', weightDecay: 0, gradientClip: 1 },
    modelDropout: 0,
    seed: 1,
    device: 'cpu',
    threads: 1,
  });
  const batch: engine.Batch = {
    size: 1,
    sequence: ids.length,
    inputIds: Int32Array.from(ids),
    attentionMask: new Int32Array(ids.length).fill(1),
    tokenTypeIds: new Int32Array(ids.length),
    labels: Int32Array.from(ids, (id, place) => (place < asked.length ? -100 : id)),
    weights: null,
  };
  for (let step = 0; step < 80; step++) await trainer.step([batch], 0.02);
  await mkdir(join(home, name));
  await writeHashed(join(home, name, trainedFileName), await trainer.result(), {});
  await trainer.dispose();
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'generate-'));
  await cp(join(oracleFolder, 'models', 'llama'), modelFolder(), { recursive: true });
  await teach('first', lora, taught.first);
  await teach('second', lora, taught.second);
  await teach('full', { type: 'full' }, taught.second);
});
afterAll(() => rm(home, { recursive: true, force: true }));

const writer = (run: string | null, method = lora, asked: Writer['asked'] = { text: question }): Writer => ({
  modelFolder: modelFolder(),
  runFolder: run === null ? null : join(home, run),
  method: run === null ? { type: 'head' } : method,
  asked,
});

/** Runs the job, cancelled when it listens for the `cancelAt`th time. */
async function write(
  cache: GeneratorCache,
  writers: readonly Writer[],
  sampling: Partial<Record<keyof ReturnType<typeof samplingSchema.parse>, unknown>> = {},
  cancelAt = Infinity,
) {
  const pieces: Piece[] = [];
  let breaths = 0;
  const context = {
    emit: async (event: { type: string; pieces?: Piece[] }) => {
      if (event.type === 'pieces') pieces.push(...(event.pieces ?? []));
    },
    breathe: async () => {
      breaths += 1;
      if (breaths === cancelAt) throw cancelled();
    },
    pauseRequested: () => false,
    storedEvents: () => 0,
  };
  const options = samplingSchema.parse({ maxNewTokens: 24, ...sampling });
  const job = generateJobSchema.parse({ type: 'generate', writers, sampling: options, threads: 1 });
  const { answers } = await generate(job, context, cache);
  const told = answers.map((_, speaker) =>
    pieces
      .filter((piece) => piece.speaker === speaker)
      .map(({ text }) => text)
      .join(''),
  );
  expect(told).toEqual(answers.map(({ text }) => text));
  return { answers, pieces };
}

describe('generate', () => {
  it('lets the base, two adapters and a full fine-tuning write side by side; the base is read once', async () => {
    const cache = new GeneratorCache(engine);
    const all = [writer(null), writer('first'), writer('second'), writer('full', { type: 'full' })];
    const { answers, pieces } = await write(cache, all);
    expect(answers.map(({ loaded }) => loaded)).toEqual(['base', 'parameters', 'parameters', 'parameters']);
    expect(answers.slice(1).map(({ text, ended }) => [text, ended])).toEqual([
      [taught.first, 'stop'],
      [taught.second, 'stop'],
      [taught.second, 'stop'],
    ]);
    expect(answers[0]?.text).not.toBe(taught.first);
    for (const { tokens, promptTokens, secondsToFirst, tokensPerSecond, problem } of answers) {
      expect(problem).toBeNull();
      expect(tokens).toBeGreaterThan(2);
      expect(promptTokens).toBeGreaterThan(2);
      expect(secondsToFirst).toBeGreaterThan(0);
      expect(tokensPerSecond).toBeGreaterThan(0);
    }
    expect(pieces.filter(({ writing }) => writing.ended !== null).length).toBeGreaterThanOrEqual(4);

    const again = await write(cache, [writer('second'), writer('first')]);
    expect(again.answers.map(({ loaded, text }) => [loaded, text])).toEqual([
      ['nothing', taught.second],
      ['nothing', taught.first],
    ]);
  });

  it('switches the adapter on one session while the weights file of the base is gone', async () => {
    const cache = new GeneratorCache(engine);
    const weights = join(modelFolder(), 'model.safetensors');
    const kept = join(home, 'kept.safetensors');
    // A folder that changed would be read anew.
    const unchanged = () => utimes(modelFolder(), 1000, 1000);
    await unchanged();
    await write(cache, [writer('first')]);
    await rename(weights, kept);
    await unchanged();
    try {
      const { answers } = await write(cache, [writer('second')]);
      expect(answers[0]).toMatchObject({ text: taught.second, loaded: 'parameters', problem: null });
    } finally {
      await rename(kept, weights);
    }
  });

  it('ends at stop words across tokens, at its longest, and when it is cancelled, keeping what was written', async () => {
    const cache = new GeneratorCache(engine);
    const stopped = await write(cache, [writer('first')], { stop: ['e to', 'never'] });
    expect(stopped.answers[0]).toMatchObject({ text: ' is fin', ended: 'stop' });
    const short = await write(cache, [writer('first')], { maxNewTokens: 3 });
    expect(short.answers[0]).toMatchObject({ tokens: 3, ended: 'length' });
    expect(taught.first.startsWith(short.answers[0]?.text ?? '-')).toBe(true);
    // Two to open them, then one a token.
    const cut = await write(cache, [writer(null), writer('first')], {}, 8);
    expect(cut.answers.map(({ ended, tokens }) => [ended, tokens])).toEqual([
      ['stopped', 3],
      ['stopped', 3],
    ]);
    expect(cut.answers[1]?.text).toBe(short.answers[0]?.text);
    const early = await write(cache, [writer(null)], {}, 1);
    expect(early.answers[0]).toMatchObject({ ended: 'stopped', text: '', tokens: 0 });
  });

  it('puts a conversation into the template, and draws as the seed says', async () => {
    const cache = new GeneratorCache(engine);
    const asked = { messages: [{ role: 'user' as const, content: question }] };
    const { answers } = await write(cache, [writer(null, lora, asked), writer(null)]);
    expect(answers[0]?.promptTokens).toBeGreaterThan((answers[1]?.promptTokens ?? 0) + 10);
    const drawn = async (seed: number) =>
      (await write(cache, [writer(null)], { temperature: 1, seed, maxNewTokens: 10 })).answers[0]?.text;
    expect(await drawn(5)).toBe(await drawn(5));
    expect(await drawn(5)).not.toBe(await drawn(6));
  });

  it('says what is wrong with one writer, and the others write on', async () => {
    const cache = new GeneratorCache(engine);
    const { answers } = await write(cache, [
      writer('missing'),
      writer(null, lora, { text: question.repeat(40) }),
      writer('first'),
    ]);
    expect(answers.map(({ ended, problem }) => [ended, problem?.code ?? null])).toEqual([
      ['problem', 'not-found'],
      ['problem', 'bad-input'],
      ['stop', null],
    ]);
    expect(answers[1]?.problem?.message).toMatch(/leave no room/);
  });
});
