/** The base, adapters and a full fine-tuning side by side: the frozen weights lie in memory once, and nothing reads them again. */
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createGenerator,
  createTrainer,
  openModel,
  planParameters,
  writeSafetensors,
  type BaseModelInfo,
  type Batch,
  type EngineGenerator,
  type MethodSpec,
  type NamedTensors,
  type TensorToWrite,
} from '../../../electron/engine/index.js';
import { trainerOptions } from '../../helpers/conformance.js';
import { oracleFolder } from '../../helpers/oracle.js';

const short: Batch = {
  size: 1,
  sequence: 4,
  inputIds: Int32Array.of(30, 31, 32, 33),
  tokenTypeIds: new Int32Array(4),
  attentionMask: new Int32Array(4).fill(1),
  labels: Int32Array.of(1),
  weights: null,
};
let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'held-once-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const base: MethodSpec = { type: 'head' };
const lora: MethodSpec = { type: 'lora', rank: 4 };

/** What a method adds, with values that no start has. */
function adapterOf(model: BaseModelInfo, method: MethodSpec, factor: number): NamedTensors {
  if (method.type === base.type) return new Map();
  const objective = { type: 'causal-lm' } as const;
  const added = planParameters({ model, method, objective }).filter(({ part }) => part === 'added');
  return new Map(
    added.map(({ name, shape }) => [
      name,
      {
        shape,
        data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => factor * Math.sin(i + 1)),
      },
    ]),
  );
}

const generatorOf = (model: BaseModelInfo, method: MethodSpec, parameters: NamedTensors = new Map()) =>
  createGenerator({ model, method, parameters, seed: 1, device: 'cpu', threads: 1 });

async function textOf(generator: EngineGenerator): Promise<number[]> {
  const tokens: number[] = [];
  for await (const token of generator.generate([30, 31, 32], { maxNewTokens: 6 })) tokens.push(token);
  return tokens;
}

describe.each(['llama', 'llama-sharded'])('%s: the weights file is read once', (name) => {
  it('for another adapter and for other methods: it may be gone', async () => {
    const folder = join(home, name);
    await cp(join(oracleFolder, 'models', name), folder, { recursive: true });
    const model = await openModel(folder);
    const [first, second] = [adapterOf(model, lora, 0.5), adapterOf(model, lora, -0.4)];
    const alone = await generatorOf(await openModel(folder), lora, second);
    const wanted = await textOf(alone);
    await alone.dispose();
    const generator = await generatorOf(model, lora, first);
    await rm(folder, { recursive: true });

    const other = await generator.another(second);
    expect(await textOf(other)).toEqual(wanted);
    const said = await textOf(generator);
    expect(said).not.toEqual(wanted);
    for (const method of [base, { type: 'prefix', numVirtualTokens: 2 }, { type: 'bottleneck', reductionFactor: 4 }]) {
      const third = await generatorOf(model, method, adapterOf(model, method, 0.7));
      expect(await textOf(third)).not.toEqual(said);
      await third.dispose();
    }
    await other.dispose();
    await generator.dispose();
  });
});

/** A Llama of about 20 million parameters. */
async function writeLlama(folder: string, dtype: 'F32' | 'F16'): Promise<number> {
  const [width, inner, layers, vocabulary] = [512, 1536, 6, 1000];
  await cp(join(oracleFolder, 'models', 'llama'), folder, { recursive: true });
  const matrix = (name: string, out: number, from: number): [string, number[]] => [`${name}.weight`, [out, from]];
  const shapes: [string, number[]][] = [
    matrix('model.embed_tokens', vocabulary, width),
    ['model.norm.weight', [width]],
    ...Array.from({ length: layers }, (_, i) => `model.layers.${i}`).flatMap((layer): [string, number[]][] => [
      [`${layer}.input_layernorm.weight`, [width]],
      [`${layer}.post_attention_layernorm.weight`, [width]],
      ...['q', 'k', 'v', 'o'].map((part) => matrix(`${layer}.self_attn.${part}_proj`, width, width)),
      ...['gate', 'up'].map((part) => matrix(`${layer}.mlp.${part}_proj`, inner, width)),
      matrix(`${layer}.mlp.down_proj`, width, inner),
    ]),
  ];
  // No two alike: the runtime would hold those once.
  const tensors = shapes.map(([name, shape], place): TensorToWrite => ({
    name,
    shape,
    dtype,
    data: () => Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + place) / 50),
  }));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  const config = {
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: width,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: 8,
    max_position_embeddings: 256,
    tie_word_embeddings: true,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return shapes.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Memory of this process that is not a mapped file, in bytes, without what nobody holds any more. */
function anonymousBytes(): number {
  if (typeof collect === 'function') collect();
  return 1024 * Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

describe.runIf(process.platform === 'linux')('memory of base, LoRA, another LoRA, prefix and bottleneck', () => {
  const methods: MethodSpec[] = [lora, { type: 'prefix', numVirtualTokens: 4 }, { type: 'bottleneck' }];

  it.each(['F32', 'F16'] as const)('holds the weights of %s once', async (dtype) => {
    const folder = join(home, `memory-${dtype}`);
    const weights = 4 * (await writeLlama(folder, dtype));
    const before = anonymousBytes();
    const model = await openModel(folder);
    const generators = [await generatorOf(model, base)];
    for (const method of methods) generators.push(await generatorOf(model, method, adapterOf(model, method, 0.1)));
    const [, second] = generators;
    if (second) generators.push(await second.another(adapterOf(model, lora, 0.2)));
    const texts = await Promise.all(generators.map(textOf));
    expect(new Set(texts.map(String)).size).toBeGreaterThan(2);
    const held = (anonymousBytes() - before) / weights;
    expect(held).toBeLessThan(1.5);
    for (const generator of generators) await generator.dispose();
  });

  it.each(['F32', 'F16'] as const)('a training holds %s once where it is not packed', async (dtype) => {
    const folder = join(home, `memory-training-${dtype}`);
    const weights = 4 * (await writeLlama(folder, dtype));
    const train = async (packWeights: boolean): Promise<{ held: number; losses: number[] }> => {
      const before = anonymousBytes();
      const model = await openModel(folder);
      const objective = { type: 'classification', labels: ['a', 'b'] } as const;
      const trainer = await createTrainer(trainerOptions(model, lora, objective, { packWeights }));
      const losses = [(await trainer.step([short], 1e-2)).loss, (await trainer.step([short], 1e-2)).loss];
      await trainer.evaluate(short);
      const held = (anonymousBytes() - before) / weights;
      await trainer.dispose();
      return { held, losses };
    };
    // Mapped from their file, which is no memory of the process's own.
    const [once, packed] = [await train(false), await train(true)];
    expect(once.held).toBeLessThan(0.5);
    expect(packed.held).toBeGreaterThan(1);
    once.losses.forEach((loss, i) => expect(loss).toBeCloseTo(packed.losses[i] as number, 5));
  });
});
