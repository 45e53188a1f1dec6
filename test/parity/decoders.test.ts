/** Decoders against transformers: hidden states, language-model and classifier logits, losses, packing; every scaling of rotary positions. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPredictor, openModel, type BaseModelInfo, type Batch } from '../../electron/engine/index.js';
import { Builder } from '../../electron/engine/models/builder.js';
import { internals } from '../../electron/engine/models/folder.js';
import { writeOnnx } from '../../electron/engine/onnx/writer.js';
import type { Tensor } from '../../electron/engine/types.js';
import {
  below,
  largestDifference,
  oracleBatchSchema,
  oracleFolder,
  oracleJson,
  oracleTensors,
  toBatch,
} from '../helpers/oracle.js';

const schema = z.object({
  labels: z.array(z.string()),
  batches: z.array(oracleBatchSchema.extend({ name: z.string(), loss: z.number() })),
});
type OracleBatch = z.output<typeof oracleBatchSchema>;
const names = ['gpt2', 'gpt2-bare', 'llama', 'llama-sharded', 'qwen2', 'qwen3'];

const open = (name: string) => openModel(join(oracleFolder, 'models', name));
const classifier = (model: BaseModelInfo, labels: readonly string[], head: Map<string, Tensor>) =>
  createPredictor({
    model,
    method: { type: 'head' },
    objective: { type: 'classification', labels },
    parameters: head,
    seed: 1,
    device: 'cpu',
    threads: 1,
  });
const languageModel = (model: BaseModelInfo) =>
  createPredictor({
    model,
    method: { type: 'head' },
    objective: { type: 'causal-lm' },
    parameters: new Map(),
    seed: 1,
    device: 'cpu',
    threads: 1,
  });

/** Labels of the tokens themselves. */
const withLabels = (batch: OracleBatch): Batch => ({
  ...toBatch(batch),
  labels: Int32Array.from(batch.inputIds, (id, i) => (batch.attentionMask[i] === 1 ? id : -100)),
});

describe.each(names)('%s', (name) => {
  const { labels, batches } = oracleJson(schema, 'models', `${name}.json`);
  const expected = oracleTensors('models', `${name}.safetensors`);
  const logitsOf = (batch: string) => expected.get(`${batch}.logits`)?.data ?? [];

  it.each([
    ['cpu', false],
    ['gpu', false],
  ] as const)(
    'gives the hidden states and vocabulary logits of transformers, lowered for %s, packed %s',
    async (target, packed) => {
      const info = await open(name);
      const { architecture, config, find, read } = internals(info);
      const b = new Builder({ hooks: {}, trains: () => false, training: false, packed, modelDropout: null });
      const hidden = architecture.encode(b, config, 'all');
      b.g.output('hidden', hidden);
      b.g.output('tokens', architecture.predictTokens(b, config, hidden));
      b.g.output('score', architecture.classify(b, config, architecture.encode(b, config, 'last'), labels.length));
      const weights = new Map(below(expected, 'head.'));
      for (const parameter of b.parameters.keys()) if (find(parameter)) weights.set(parameter, await read(parameter));
      const { bytes } = writeOnnx(b.g, {
        target,
        weights: (parameter) => {
          const value = weights.get(parameter);
          if (!value) throw new Error(`${name} lacks ${parameter}`);
          return { data: value.data };
        },
      });
      const session = await InferenceSession.create(bytes);
      for (const batch of batches) {
        const grid = (values: readonly number[]) =>
          new OrtTensor('int64', BigInt64Array.from(values, BigInt), [batch.size, batch.sequence]);
        const result = await session.run({
          input_ids: grid(batch.inputIds),
          attention_mask: grid(batch.attentionMask),
        });
        const values = (output: string) => {
          const data = result[output]?.data;
          if (!(data instanceof Float32Array)) throw new Error(`no ${output}`);
          return data;
        };
        expect(largestDifference(values('score'), logitsOf(batch.name)), batch.name).toBeLessThan(1e-4);
        for (const [output, key] of [
          ['hidden', 'hidden'],
          ['tokens', 'lmLogits'],
        ] as const) {
          const theirs = expected.get(`${batch.name}.${key}`);
          if (!theirs) continue;
          const [rows, , width] = theirs.shape as [number, number, number];
          const ours = values(output);
          for (let row = 0; row < rows; row++)
            for (let at = 0; at < batch.sequence; at++) {
              if (batch.attentionMask[row * batch.sequence + at] === 0) continue;
              const [from, to] = [(at * batch.size + row) * width, (row * batch.sequence + at) * width];
              expect(
                largestDifference(ours.subarray(from, from + width), theirs.data.subarray(to, to + width)),
                `${key} of token ${at} in row ${row}`,
              ).toBeLessThan(1e-4);
            }
        }
      }
      await session.release();
    },
  );

  it('classifies by the last token and takes the loss of the next as transformers do, padding out of sight', async () => {
    const model = await open(name);
    const [scorer, language] = [await classifier(model, labels, below(expected, 'head.')), await languageModel(model)];
    for (const batch of batches) {
      const wider = batch.sequence + 3;
      const pad = (values: readonly number[], fill: number) =>
        Array.from({ length: batch.size * wider }, (_, i) =>
          i % wider < batch.sequence ? (values[Math.floor(i / wider) * batch.sequence + (i % wider)] ?? fill) : fill,
        );
      const padded: OracleBatch = {
        ...batch,
        sequence: wider,
        inputIds: pad(batch.inputIds, 7),
        attentionMask: pad(batch.attentionMask, 0),
        tokenTypeIds: pad(batch.tokenTypeIds, 0),
      };
      for (const own of [batch, padded]) {
        expect(largestDifference(await scorer.predict(toBatch(own)), logitsOf(batch.name))).toBeLessThan(1e-4);
        const { lossSum, weightSum, tokenLosses } = await language.evaluate(withLabels(own));
        expect(lossSum / weightSum).toBeCloseTo(batch.loss, 4);
        expect(tokenLosses?.length).toBe(weightSum);
      }
    }
    await scorer.dispose();
    await language.dispose();
  });

  it('keeps examples that share a row apart', async () => {
    const language = await languageModel(await open(name));
    const [batch] = batches;
    if (!batch) throw new Error('no batch');
    const alone = await language.evaluate(withLabels(batch));
    const lengths = Array.from({ length: batch.size }, (_, row) =>
      batch.attentionMask.slice(row * batch.sequence, (row + 1) * batch.sequence).reduce((a, x) => a + x, 0),
    );
    const texts = lengths.map((length, row) =>
      batch.inputIds.slice(row * batch.sequence, row * batch.sequence + length),
    );
    // Two rows, filled as far as the model's positions go.
    const rows: number[][] = [[0], [1]];
    texts.forEach((_, i) => {
      const room = rows.find((row) => row[0] !== i && lengthOf([...row, i]) <= 64);
      if (i > 1 && room) room.push(i);
    });
    function lengthOf(row: readonly number[]) {
      return row.reduce((sum, text) => sum + (lengths[text] ?? 0), 0);
    }
    const sequence = Math.max(...rows.map(lengthOf));
    const cells = (value: (text: number, place: number) => readonly number[]) =>
      Int32Array.from(
        rows.flatMap((row) => {
          const own = row.flatMap((text, place) => value(text, place));
          return [...own, ...new Array<number>(sequence - own.length).fill(0)];
        }),
      );
    const inputIds = cells((text) => texts[text] ?? []);
    const attentionMask = cells((text, place) => (texts[text] ?? []).map(() => place + 1));
    const packed = await language.evaluate({
      size: rows.length,
      sequence,
      inputIds,
      attentionMask,
      tokenTypeIds: new Int32Array(inputIds.length),
      labels: inputIds.map((id, i) => (attentionMask[i] === 0 ? -100 : id)),
      weights: null,
    });
    expect(rows.flat().length).toBeGreaterThan(2);
    const starts = lengths.map((_, row) => lengths.slice(0, row).reduce((sum, length) => sum + length - 1, 0));
    const wanted = rows.flatMap((row) =>
      row.flatMap((text) => [
        ...(alone.tokenLosses?.subarray(starts[text], (starts[text] ?? 0) + (lengths[text] ?? 0) - 1) ?? []),
      ]),
    );
    expect(largestDifference(packed.tokenLosses ?? [], wanted)).toBeLessThan(1e-4);
    await language.dispose();
  });
});

describe('rotary positions', () => {
  const { labels, batch, scalings } = oracleJson(
    z.object({
      labels: z.array(z.string()),
      batch: oracleBatchSchema,
      scalings: z.record(
        z.string(),
        z.object({ config: z.record(z.string(), z.unknown()), logits: z.array(z.number()) }),
      ),
    }),
    'models',
    'llama-rotary.json',
  );
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rotary-'));
    await cp(join(oracleFolder, 'models', 'llama'), folder, { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function withConfig(change: Readonly<Record<string, unknown>>): Promise<BaseModelInfo> {
    const plain = JSON.parse(await readFile(join(oracleFolder, 'models', 'llama', 'config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    for (const key of ['rope_parameters', 'rope_theta', 'rope_scaling']) delete plain[key];
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...plain, ...change }));
    return openModel(folder);
  }

  it.each(Object.entries(scalings))('%s as in transformers', async (_, { config, logits }) => {
    const head = below(oracleTensors('models', 'llama.safetensors'), 'head.');
    const predictor = await classifier(await withConfig(config), labels, head);
    expect(largestDifference(await predictor.predict(toBatch(batch)), logits)).toBeLessThan(1e-4);
    await predictor.dispose();
  });

  it.each([
    [{ rope_scaling: { rope_type: 'spiral' } }, /rope_type: "spiral"/],
    [{ rope_scaling: { rope_type: 'linear' } }, /factor: is missing/],
    [{ rope_parameters: { rope_type: 'longrope', short_factor: [1], long_factor: [1] } }, /must hold 4 numbers/],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor: only whole heads/],
    [{ num_key_value_heads: 3 }, /num_key_value_heads: must divide/],
  ])('refuses %j by the key', async (change, message) => {
    await expect(withConfig(change)).rejects.toThrow(message);
  });
});
