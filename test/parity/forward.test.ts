/** The forward graph of every architecture against transformers': last hidden states, logits and masked-LM logits, before any trainer. */
import { join } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Builder } from '../../electron/engine/models/builder.js';
import { internals, openModel } from '../../electron/engine/models/folder.js';
import { spread } from '../../electron/engine/models/rows.js';
import { writeOnnx } from '../../electron/engine/onnx/writer.js';
import type { Tensor } from '../../electron/engine/types.js';
import {
  below,
  largestDifference,
  oracleBatchSchema,
  oracleFolder,
  oracleJson,
  oracleTensors,
} from '../helpers/oracle.js';

const schema = z.object({
  labels: z.array(z.string()),
  maskedLm: z.boolean(),
  batches: z.array(oracleBatchSchema.extend({ name: z.string() })),
});

/** [sequence·batch, width] as the graph computes it to [batch, sequence, width]; whatever stands on padding is left at 0. */
function batchFirst(rows: Float32Array, batch: z.output<typeof oracleBatchSchema>): Float32Array {
  const width = rows.length / (batch.size * batch.sequence);
  const result = new Float32Array(rows.length);
  for (let row = 0; row < batch.size; row++) {
    for (let position = 0; position < batch.sequence; position++) {
      if (batch.attentionMask[row * batch.sequence + position] === 0) continue;
      const from = (position * batch.size + row) * width;
      result.set(rows.subarray(from, from + width), (row * batch.sequence + position) * width);
    }
  }
  return result;
}

describe.each(['bert', 'bert-plain', 'bert-sharded', 'bert-float16', 'bert-legacy', 'roberta', 'distilbert'])(
  '%s',
  (name) => {
    it.each([
      ['cpu', false],
      ['cpu', true],
      ['gpu', true],
    ] as const)('lowered for %s, packed %s, equals transformers', async (target, packed) => {
      const { labels, maskedLm, batches } = oracleJson(schema, 'models', `${name}.json`);
      const expected = oracleTensors('models', `${name}.safetensors`);
      const head = below(expected, 'head.');
      const info = await openModel(join(oracleFolder, 'models', name));
      const { architecture, config, find, read } = internals(info);
      const b = new Builder({ hooks: {}, trains: () => false, training: false, packed, modelDropout: null });
      const hidden = architecture.encode(b, config, 'all');
      b.g.output('hidden', spread(b, hidden));
      b.g.output('logits', architecture.classify(b, config, architecture.encode(b, config, 'first'), labels.length));
      if (maskedLm) b.g.output('tokens', spread(b, architecture.predictTokens(b, config, hidden)));
      const weights = new Map<string, Tensor>();
      for (const parameter of b.parameters.keys()) {
        const own = head.get(parameter);
        if (own !== undefined) weights.set(parameter, own);
        else if (find(parameter) !== undefined) weights.set(parameter, await read(parameter));
        else throw new Error(`${name} lacks ${parameter}`);
      }
      const { bytes } = writeOnnx(b.g, {
        target,
        weights: (parameter) => ({ data: weights.get(parameter)?.data ?? new Float32Array() }),
      });
      const session = await InferenceSession.create(bytes);
      for (const batch of batches) {
        const grid = (values: readonly number[]) =>
          new OrtTensor('int64', BigInt64Array.from(values, BigInt), [batch.size, batch.sequence]);
        const feeds: Record<string, OrtTensor> = {
          input_ids: grid(batch.inputIds),
          attention_mask: grid(batch.attentionMask),
          token_type_ids: grid(batch.tokenTypeIds),
        };
        if (packed) {
          const cells = batch.attentionMask.flatMap((real, cell) =>
            real === 0 ? [] : [(cell % batch.sequence) * batch.size + Math.floor(cell / batch.sequence)],
          );
          cells.sort((a, z) => a - z);
          feeds['token_cells'] = new OrtTensor('int64', BigInt64Array.from(cells, BigInt), [cells.length]);
        }
        const results = await session.run(
          Object.fromEntries(session.inputNames.map((input) => [input, feeds[input] ?? grid([])])),
        );
        const values = (output: string): Float32Array => {
          const data = results[output]?.data;
          if (!(data instanceof Float32Array)) throw new Error(`no ${output}`);
          return data;
        };
        expect(largestDifference(values('logits'), expected.get(`${batch.name}.logits`)?.data ?? [])).toBeLessThan(
          1e-5,
        );
        const layer = `${batch.name}.hidden.${info.layers}`;
        const theirs = Float32Array.from(expected.get(layer)?.data ?? []);
        const width = info.hiddenSize;
        batch.attentionMask.forEach((real, cell) => real === 0 && theirs.fill(0, cell * width, (cell + 1) * width));
        expect(largestDifference(batchFirst(values('hidden'), batch), theirs)).toBeLessThan(2e-5);
        const language = expected.get(`${batch.name}.maskedLmLogits`);
        if (language === undefined) continue;
        const ours = batchFirst(values('tokens'), batch);
        const vocabulary = info.vocabularySize;
        const some = Float32Array.from(language.data);
        batch.attentionMask.forEach(
          (real, cell) => real === 0 && some.fill(0, cell * vocabulary, (cell + 1) * vocabulary),
        );
        expect(largestDifference(ours.subarray(0, some.length), some)).toBeLessThan(2e-5);
      }
      await session.release();
    });
  },
);
