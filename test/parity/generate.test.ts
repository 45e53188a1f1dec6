/** Generation with a cache: greedy text is transformers', token for token; the same by every other road through the model. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createGenerator,
  createPredictor,
  createTrainer,
  listMethods,
  openModel,
  planParameters,
  positionsOf,
  validateMethod,
  type BaseModelInfo,
  type Batch,
  type EngineGenerator,
  type GenerateOptions,
  type MethodSpec,
  type NamedTensors,
} from '../../electron/engine/index.js';
import { candidatesOf } from '../../electron/engine/runtime/sampling.js';
import { oracleFolder, oracleJson, oracleTensors } from '../helpers/oracle.js';

const greedy = z.array(z.object({ prompt: z.array(z.number()), tokens: z.array(z.number()) }));
const schema = z.object({ greedy });
const adaptedSchema = z.object({ greedy, method: z.looseObject({ type: z.string() }) });
const open = (name: string) => openModel(join(oracleFolder, 'models', name));
const base: MethodSpec = { type: 'head' };

async function generatorOf(
  name: string,
  method = base,
  parameters: NamedTensors = new Map(),
): Promise<EngineGenerator> {
  return createGenerator({ model: await open(name), method, parameters, seed: 1, device: 'cpu', threads: 1 });
}

async function textOf(generator: EngineGenerator, prompt: readonly number[], options: GenerateOptions) {
  const streamed: number[] = [];
  const stream = generator.generate(prompt, options);
  for (;;) {
    const { done, value } = await stream.next();
    if (done) {
      expect(value.tokens).toEqual(streamed);
      return value;
    }
    streamed.push(value);
  }
}

describe.each(['gpt2', 'gpt2-bare', 'llama', 'llama-sharded', 'qwen2', 'qwen3'])('%s', (name) => {
  it('gives the tokens of greedy generation', async () => {
    const generator = await generatorOf(name);
    for (const { prompt, tokens } of oracleJson(schema, 'models', `${name}.json`).greedy) {
      const result = await textOf(generator, prompt, { maxNewTokens: tokens.length });
      expect(result).toEqual({ reason: 'length', tokens });
    }
    await generator.dispose();
  });
});

describe.each(['gpt2', 'llama', 'qwen2', 'qwen3'])('%s', (name) => {
  it.each(['lora', 'prefix', 'prompt'])('gives the tokens that peft gives with %s', async (kind) => {
    const { greedy: texts, method } = oracleJson(adaptedSchema, 'generation', `${kind}-${name}.json`);
    const generator = await generatorOf(name, method, oracleTensors('generation', `${kind}-${name}.safetensors`));
    for (const { prompt, tokens } of texts)
      expect((await textOf(generator, prompt, { maxNewTokens: tokens.length })).tokens).toEqual(tokens);
    await generator.dispose();
  });
});

describe('sampling', () => {
  const caseSchema = z.object({
    options: z.object({
      temperature: z.number(),
      topK: z.number().nullable(),
      topP: z.number().nullable(),
      repetitionPenalty: z.number(),
    }),
    text: z.array(z.number()),
    logits: z.array(z.number()),
    probabilities: z.array(z.number()),
  });
  const { cases } = oracleJson(z.object({ cases: z.array(caseSchema) }), 'generation', 'sampling.json');

  it.each(cases.map((one) => [one.options, one] as const))(
    'leaves what transformers leaves with %j',
    (options, one) => {
      const { tokens, weights } = candidatesOf(Float32Array.from(one.logits), one.text, options);
      const sum = weights.reduce((total, weight) => total + weight, 0);
      const own = new Array<number>(one.logits.length).fill(0);
      tokens.forEach((token, place) => (own[token] = (weights[place] as number) / sum));
      own.forEach((probability, token) => expect(probability).toBeCloseTo(one.probabilities[token] as number, 6));
      expect(own.map((probability) => probability > 0)).toEqual(
        one.probabilities.map((probability) => probability > 0),
      );
    },
  );
});

/** Methods that run on a decoder without further options. */
const methods = listMethods()
  .map(({ type }): MethodSpec => ({ type }))
  .filter((method) => {
    try {
      return validateMethod(method).type !== 'head';
    } catch {
      return false;
    }
  })
  .map((method) => (positionsOf(method) > 0 ? { ...method, numVirtualTokens: 3 } : method));

/** Values that no start has, for all that a method adds. */
function adapterOf(model: BaseModelInfo, method: MethodSpec): NamedTensors {
  const plan = planParameters({ model, method, objective: { type: 'causal-lm' } });
  return new Map(
    plan
      .filter(({ part }) => part === 'added')
      .map(({ name, shape }, place) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return [name, { shape, data: Float32Array.from({ length: size }, (_, i) => 0.3 * Math.sin(i + 7 * place)) }];
      }),
  );
}

/** UniPELT's gates look at whole texts; a Llama has no biases for BitFit. */
const refused = (name: string, type: string) => type === 'unipelt' || (name === 'llama' && type === 'bitfit');

it.each(['unipelt', 'bitfit'])('is refused to %s where it cannot write', async (type) => {
  await expect(generatorOf('llama', { type })).rejects.toThrow(/whole texts|has none/);
});

describe.each(['gpt2', 'llama', 'qwen2'])('%s', (name) => {
  it.each(methods.filter(({ type }) => !refused(name, type)).map((method) => [method.type, method] as const))(
    'continues with %s as without a cache',
    async (_, method) => {
      const model = await open(name);
      const parameters = adapterOf(model, method);
      const where = { model, method, parameters, seed: 4, device: 'cpu', threads: 1 } as const;
      const [generator, scorer] = [
        await createGenerator(where),
        await createPredictor({ ...where, objective: { type: 'causal-lm' } }),
      ];
      const text = [30, 31, 32, 33, 34, 35];
      const { tokens } = await textOf(generator, text, { maxNewTokens: 6 });
      for (const token of tokens) {
        // Every token of the vocabulary as the next: the likeliest has the least loss.
        const sequence = text.length + 1;
        const size = model.vocabularySize;
        const inputIds = Int32Array.from(
          { length: size * sequence },
          (_, i) => text[i % sequence] ?? Math.floor(i / sequence),
        );
        const { tokenLosses } = await scorer.evaluate({
          size,
          sequence,
          inputIds,
          attentionMask: new Int32Array(inputIds.length).fill(1),
          tokenTypeIds: new Int32Array(inputIds.length),
          labels: inputIds.map((id, i) => (i % sequence === text.length ? id : -100)),
          weights: null,
        });
        const losses = Array.from(tokenLosses ?? []);
        expect(losses.indexOf(Math.min(...losses))).toBe(token);
        expect(losses.reduce((sum, loss) => sum + Math.exp(-loss), 0)).toBeCloseTo(1, 4);
        text.push(token);
      }
      await generator.dispose();
      await scorer.dispose();
    },
  );
});

describe('llama', () => {
  const [, example] = oracleJson(schema, 'models', 'llama.json').greedy;
  if (!example) throw new Error('no example');
  const { prompt, tokens } = example;

  it('draws the same text from the same seed, another from another, and the likeliest where one token is left', async () => {
    const generator = await generatorOf('llama');
    const drawn = async (options: Partial<GenerateOptions>) =>
      (await textOf(generator, prompt, { maxNewTokens: 12, temperature: 1, ...options })).tokens;
    expect(await drawn({ seed: 5 })).toEqual(await drawn({ seed: 5 }));
    expect(await drawn({ seed: 5 })).not.toEqual(await drawn({ seed: 6 }));
    expect(await drawn({ topK: 1, seed: 5 })).toEqual(tokens);
    expect(await drawn({ topP: 1e-6, seed: 6 })).toEqual(tokens);
    await generator.dispose();
  });

  it('ends before a stop token, after a stop word, at the last position, and when it is told to', async () => {
    const generator = await generatorOf('llama');
    const third = tokens[2] as number;
    const before = tokens.slice(0, tokens.indexOf(third));
    expect(await textOf(generator, prompt, { maxNewTokens: 12, stopTokens: [third] })).toEqual({
      reason: 'stop',
      tokens: before,
    });
    expect(await textOf(generator, prompt, { maxNewTokens: 12, stop: (all) => all.length === 4 })).toEqual({
      reason: 'stop',
      tokens: tokens.slice(0, 4),
    });
    const whole = await textOf(generator, prompt, { maxNewTokens: 1000 });
    expect(whole.reason).toBe('length');
    expect(whole.tokens.length).toBe(64 - prompt.length);
    const controller = new AbortController();
    const stream = generator.generate(prompt, { maxNewTokens: 12, signal: controller.signal });
    await stream.next();
    controller.abort();
    expect(await stream.next()).toEqual({ done: true, value: { reason: 'aborted', tokens: tokens.slice(0, 1) } });
    await generator.dispose();
  });

  it.each([
    [[], { maxNewTokens: 1 }, /prompt: has no tokens/],
    [[1, 4000], { maxNewTokens: 1 }, /token 4000 is not in 0 to 287/],
    [new Array<number>(64).fill(5), { maxNewTokens: 1 }, /leave no room among the 64/],
    [[5], { maxNewTokens: 1, topP: 2 }, /topP: must be above 0/],
    [[5], { maxNewTokens: 1, temperature: -1 }, /temperature/],
  ])('refuses %j with %j', async (ids, options, message) => {
    const generator = await generatorOf('llama');
    await expect(textOf(generator, ids, options)).rejects.toThrow(message);
    await generator.dispose();
  });

  it('speaks as trained, adapter by adapter on one base', async () => {
    const sequence = 8;
    const inputIds = Int32Array.from({ length: 16 }, (_, i) =>
      i % sequence < 4 ? 5 + (i % sequence) : i < 8 ? 70 : 90,
    );
    const texts: Batch = {
      size: 2,
      sequence,
      inputIds,
      attentionMask: new Int32Array(16).fill(1),
      tokenTypeIds: new Int32Array(16),
      labels: inputIds.map((id, i) => (i % sequence < 4 ? -100 : id)),
      weights: null,
    };
    const half = (row: number): Batch => {
      const own = (x: Int32Array) => x.subarray(row * sequence, (row + 1) * sequence);
      return {
        ...texts,
        size: 1,
        inputIds: own(texts.inputIds),
        attentionMask: own(texts.attentionMask),
        tokenTypeIds: own(texts.tokenTypeIds),
        labels: own(texts.labels),
      };
    };
    const method: MethodSpec = { type: 'lora', rank: 4, targetModules: ['q_proj', 'v_proj', 'down_proj'] };
    const adapters: NamedTensors[] = [];
    for (const row of [0, 1]) {
      const trainer = await createTrainer({
        model: await open('llama'),
        method,
        objective: { type: 'causal-lm' },
        optimizer: { type: 'adamw', weightDecay: 0, gradientClip: 1 },
        modelDropout: 0,
        seed: 1,
        device: 'cpu',
        threads: 1,
      });
      for (let step = 0; step < 60; step++) await trainer.step([half(row)], 0.02);
      adapters.push(trainer.parameters());
      await trainer.dispose();
    }
    const [first, second] = adapters as [NamedTensors, NamedTensors];
    const generator = await generatorOf('llama', method, first);
    const said = async (one: EngineGenerator) => (await textOf(one, [5, 6, 7, 8], { maxNewTokens: 4 })).tokens;
    expect(await said(generator)).toEqual([70, 70, 70, 70]);
    const other = await generator.another(second);
    expect(await said(other)).toEqual([90, 90, 90, 90]);
    expect(await said(generator)).toEqual([70, 70, 70, 70]);
    // In turns, token by token.
    const streams = [generator, other].map((one) => one.generate([5, 6, 7, 8], { maxNewTokens: 3 }));
    for (let token = 0; token < 3; token++)
      expect([(await streams[0]?.next())?.value, (await streams[1]?.next())?.value]).toEqual([70, 90]);
    await generator.dispose();
    expect(await said(other)).toEqual([90, 90, 90, 90]);
    await other.dispose();
    await expect(other.another(first)).rejects.toThrow(/let go/);
  });
});
