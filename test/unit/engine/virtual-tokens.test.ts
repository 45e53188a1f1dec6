/** Prefixes and prompts: what they start from, what is kept of them, how many fit, and the words they lie near to. */
import { beforeAll, describe, expect, it } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTokenizer, type TextTokenizer } from '../../../electron/data/index.js';
import {
  createPredictor,
  createTrainer,
  exportOnnx,
  nearestWords,
  openModel,
  openOnnx,
  planParameters,
  positionsOf,
  readSafetensors,
  validateMethod,
  type BaseModelInfo,
  type Batch,
  type EngineTrainer,
  type MethodSpec,
  type NamedTensors,
  type Tensor,
} from '../../../electron/engine/index.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';

const folder = join(oracleFolder, 'models', 'bert');
const objective = { type: 'classification', labels: ['a', 'b', 'c'] } as const;
const batch: Batch = {
  size: 3,
  sequence: 7,
  inputIds: Int32Array.from({ length: 21 }, (_, i) => (i % 7 > 6 - Math.floor(i / 7) ? 0 : 5 + ((i * 11) % 90))),
  tokenTypeIds: Int32Array.from({ length: 21 }, (_, i) => (i % 7 > 3 ? 1 : 0)),
  attentionMask: Int32Array.from({ length: 21 }, (_, i) => (i % 7 > 6 - Math.floor(i / 7) ? 0 : 1)),
  labels: Int32Array.of(0, 1, 2),
  weights: null,
};
let bert: BaseModelInfo;
let tokenizer: TextTokenizer;
let weights: NamedTensors;
beforeAll(async () => {
  bert = await openModel(folder);
  tokenizer = await openTokenizer(folder);
  weights = (await readSafetensors(join(folder, 'model.safetensors'))).tensors;
});

const weight = (name: string): Tensor => {
  const found = weights.get(name);
  if (!found) throw new Error(`The checkpoint has no ${name}.`);
  return found;
};
const rowOf = ({ shape, data }: Tensor, row: number) => {
  const width = shape[1] as number;
  return data.subarray(row * width, (row + 1) * width);
};
const trainerOf = (method: MethodSpec, more: { initial?: NamedTensors; model?: BaseModelInfo } = {}) =>
  createTrainer({
    model: bert,
    method,
    objective,
    optimizer: { type: 'adamw', weightDecay: 0.01, gradientClip: 1 },
    modelDropout: 0,
    seed: 5,
    device: 'cpu',
    threads: 1,
    tokenize: (text, special) => tokenizer.ids(text, special),
    ...more,
  });

/** Runs `work` with a trainer and disposes it. */
async function using<T>(made: Promise<EngineTrainer>, work: (trainer: EngineTrainer) => Promise<T>): Promise<T> {
  const trainer = await made;
  try {
    return await work(trainer);
  } finally {
    await trainer.dispose();
  }
}
const resultOf = (method: MethodSpec) => using(trainerOf(method), (trainer) => trainer.result());
const tensorOf = (tensors: NamedTensors, name: string): Tensor => {
  const found = tensors.get(name);
  if (!found) throw new Error(`There is no ${name} among ${[...tensors.keys()].join(', ')}.`);
  return found;
};
const keysOf = (tensors: NamedTensors, layer: number) =>
  tensorOf(tensors, `bert.encoder.layer.${layer}.attention.self.prefix.keys`);

describe('start', () => {
  const text = 'is the weather good?';
  const words = () => weight('bert.embeddings.word_embeddings.weight');

  it('of a prompt from a text are the words with the special tokens, repeated as peft does', async () => {
    const ids = await tokenizer.ids(text, true);
    expect(ids[0]).toBe(tokenizer.clsId);
    const method = { type: 'prompt', numVirtualTokens: ids.length + 2, initialization: 'text', initText: text };
    const prompt = tensorOf(await resultOf(method), 'prompt.embeddings');
    expect(prompt.shape).toEqual([ids.length + 2, 32]);
    [...ids, ids[0], ids[1]].forEach((id, row) => expect(rowOf(prompt, row)).toEqual(rowOf(words(), id as number)));
  });

  it('of a prompt from the vocabulary are words of it, others with another seed', async () => {
    const prompt = tensorOf(await resultOf({ type: 'prompt', numVirtualTokens: 6 }), 'prompt.embeddings');
    const all = Array.from({ length: bert.vocabularySize }, (_, id) => rowOf(words(), id).join());
    const ids = Array.from({ length: 6 }, (_, row) => all.indexOf(rowOf(prompt, row).join()));
    expect(Math.min(...ids)).toBeGreaterThanOrEqual(0);
    expect(new Set(ids).size).toBeGreaterThan(3);
  });

  it('of a prefix from a text are the keys and values that the base gives its words', async () => {
    const ids = await tokenizer.ids(text, true);
    const method = { type: 'prefix', numVirtualTokens: ids.length, initialization: 'text', initText: text };
    const keys = keysOf(await resultOf(method), 0);
    // The first layer by hand: K = W·LayerNorm(word + position + type) + b
    const [scale, shift] = [
      weight('bert.embeddings.LayerNorm.weight').data,
      weight('bert.embeddings.LayerNorm.bias').data,
    ];
    const bias = weight('bert.encoder.layer.0.attention.self.key.bias').data;
    ids.forEach((id, position) => {
      const sum = Array.from(rowOf(words(), id), (word, i) => {
        const types = rowOf(weight('bert.embeddings.token_type_embeddings.weight'), 0);
        return word + (rowOf(weight('bert.embeddings.position_embeddings.weight'), position)[i] ?? 0) + (types[i] ?? 0);
      });
      const mean = sum.reduce((total, value) => total + value, 0) / sum.length;
      const deviation = Math.sqrt(sum.reduce((total, value) => total + (value - mean) ** 2, 0) / sum.length + 1e-12);
      const x = sum.map((value, i) => ((value - mean) / deviation) * (scale[i] ?? 0) + (shift[i] ?? 0));
      const expected = Array.from(bias, (own, row) =>
        rowOf(weight('bert.encoder.layer.0.attention.self.key.weight'), row).reduce(
          (total, w, i) => total + w * (x[i] ?? 0),
          own,
        ),
      );
      expect(largestDifference(rowOf(keys, position), expected)).toBeLessThan(1e-5);
    });
  });

  it('of a projected prefix from a text are the same keys and values', async () => {
    const method = { type: 'prefix', numVirtualTokens: 7, initialization: 'text', initText: text };
    const plain = await resultOf(method);
    const projected = await resultOf({ ...method, prefixProjection: true, encoderHiddenSize: 24 });
    expect([...projected.keys()]).toEqual([...plain.keys()]);
    for (const layer of [0, 1])
      expect(largestDifference(keysOf(projected, layer).data, keysOf(plain, layer).data)).toBeLessThan(1e-4);
    await expect(trainerOf({ ...method, prefixProjection: true, encoderHiddenSize: 6 })).rejects.toThrow(
      /method\.encoderHiddenSize: a width of 6 cannot give 7/,
    );
  });

  it('from a text needs a tokenizer and a word', async () => {
    const method = { type: 'prompt', initialization: 'text' };
    const without = createTrainer({
      model: bert,
      method,
      objective,
      optimizer: { type: 'adamw', weightDecay: 0, gradientClip: null },
      modelDropout: 0,
      seed: 1,
      device: 'cpu',
    });
    await expect(without).rejects.toThrow(/needs the base model’s tokenizer/);
    expect(() => validateMethod({ ...method, initText: ' ' })).toThrow(/method\.initText/);
  });

  it('of anchor tokens are fixed words behind the virtual ones', async () => {
    const method = { type: 'p-tuning', numVirtualTokens: 3, anchorTokens: 2, encoderHiddenSize: 8 };
    await using(trainerOf(method), async (trainer) => {
      for (let step = 0; step < 2; step++) await trainer.step([batch], 0.01);
      const prompt = tensorOf(await trainer.result(), 'prompt.embeddings');
      expect(prompt.shape).toEqual([5, 32]);
      const [mark] = await tokenizer.ids('?', false);
      for (const row of [3, 4]) expect(rowOf(prompt, row)).toEqual(rowOf(words(), mark ?? -1));
      expect(trainer.trainable.map(({ name }) => name)).not.toContain('prompt_encoder.anchors');
    });
  });
});

describe('what is kept', () => {
  it.each([
    { type: 'prefix', prefixProjection: true, encoderHiddenSize: 8, numVirtualTokens: 4 },
    { type: 'p-tuning', encoderReparameterizationType: 'LSTM', encoderHiddenSize: 8, numVirtualTokens: 4 },
    { type: 'p-tuning', encoderHiddenSize: 8, numVirtualTokens: 1, encoderReparameterizationType: 'LSTM' },
  ])('of %j answers as the whole, and does not train on', async (method) => {
    const [live, kept] = await using(trainerOf(method), async (trainer) => {
      for (let step = 0; step < 2; step++) await trainer.step([batch], 0.01);
      return [await trainer.predict(batch), await trainer.result()];
    });
    expect([...kept.keys()].some((name) => name.startsWith('prompt_encoder'))).toBe(false);
    const of = { model: bert, method, objective, parameters: kept };
    const predictor = await createPredictor({ ...of, seed: 1, device: 'cpu' });
    expect(largestDifference(await predictor.predict(batch), live)).toBeLessThan(1e-5);
    await predictor.dispose();
    await expect(trainerOf(method, { initial: kept })).rejects.toMatchObject({
      code: 'bad-input',
      hint: expect.stringContaining(
        method.type === 'prefix' ? '"prefixProjection":false' : '"type":"prompt"',
      ) as string,
    });
  });

  it.each([{ type: 'prefix' }, { type: 'prompt' }, { type: 'p-tuning' }, { type: 'p-tuning', version: 2 }])(
    'of %j runs as ONNX',
    async (method) => {
      for (const name of ['bert', 'roberta', 'distilbert']) {
        const model = await openModel(join(oracleFolder, 'models', name));
        const ids = { ...batch, tokenTypeIds: new Int32Array(21) };
        // RoBERTa tells padding by its id.
        if (name === 'roberta') ids.inputIds = batch.inputIds.map((id) => (id === 0 ? 1 : id));
        const [live, parameters] = await using(trainerOf(method, { model }), async (trainer) => [
          await trainer.predict(ids),
          await trainer.result(),
        ]);
        const scratch = await mkdtemp(join(tmpdir(), 'virtual-'));
        const file = join(scratch, 'model.onnx');
        await writeFile(file, await exportOnnx({ model, method, objective, parameters }));
        const onnx = await openOnnx(file, { of: 'texts', classes: 3 });
        expect(largestDifference(await onnx.predict(ids), live), name).toBeLessThan(1e-5);
        await onnx.dispose();
        await rm(scratch, { recursive: true });
      }
    },
  );
});

describe('how many fit', () => {
  it('counts positions by method', () => {
    expect(positionsOf({ type: 'lora' })).toBe(0);
    expect(positionsOf({ type: 'prefix', numVirtualTokens: 7 })).toBe(7);
    expect(positionsOf({ type: 'prompt' })).toBe(20);
    expect(positionsOf({ type: 'p-tuning', numVirtualTokens: 7, anchorTokens: 2 })).toBe(9);
    expect(positionsOf({ type: 'p-tuning', version: 2, numVirtualTokens: 7, anchorTokens: 2 })).toBe(7);
  });

  it('refuses virtual tokens and batches that leave no position to the text', async () => {
    for (const type of ['prefix', 'prompt', 'p-tuning']) {
      const plan = (numVirtualTokens: number) =>
        planParameters({ model: bert, method: { type, numVirtualTokens }, objective });
      expect(plan(bert.maxLength - 3).length).toBeGreaterThan(0);
      expect(() => plan(bert.maxLength - 2)).toThrow(/leave no room for a text among the 64 positions/);
      await using(trainerOf({ type, numVirtualTokens: 58 }), (trainer) =>
        expect(trainer.predict(batch)).rejects.toThrow(/7 tokens and 58 virtual ones are more than the 64/),
      );
    }
  });
});

describe('nearest words', () => {
  it('of a prompt that starts from words are those words', async () => {
    const initText = 'the weather in paris is good';
    const ids = await tokenizer.ids(initText, true);
    const method = { type: 'prompt', numVirtualTokens: ids.length, initialization: 'text', initText };
    const near = await nearestWords(bert, await resultOf(method), 3);
    expect(near?.map(([first]) => first?.id)).toEqual(ids);
    for (const nearest of near ?? []) {
      expect(nearest[0]?.similarity).toBeCloseTo(1, 6);
      expect(nearest.map(({ similarity }) => similarity)).toEqual(
        nearest.map(({ similarity }) => similarity).sort((a, b) => b - a),
      );
    }
  });

  it('are those of greatest cosine, and there are none for a prefix', async () => {
    const kept = await resultOf({ type: 'prompt', numVirtualTokens: 2, initialization: 'random' });
    const near = await nearestWords(bert, kept, 4);
    const table = weight('bert.embeddings.word_embeddings.weight');
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
    const own = rowOf(tensorOf(kept, 'prompt.embeddings'), 1);
    const cosines = Array.from({ length: 200 }, (_, id) => {
      const word = rowOf(table, id);
      return { id, similarity: dot(own, word) / Math.sqrt(dot(own, own) * dot(word, word)) };
    }).sort((a, b) => b.similarity - a.similarity);
    expect(near?.[1]?.map(({ id }) => id)).toEqual(cosines.slice(0, 4).map(({ id }) => id));
    expect(near?.[1]?.[0]?.similarity).toBeCloseTo(cosines[0]?.similarity ?? NaN, 5);
    expect(await nearestWords(bert, await resultOf({ type: 'prefix' }), 4)).toBeNull();
  });
});
