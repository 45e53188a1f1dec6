/** Logits of every architecture and checkpoint layout against transformers', on real sentences with padding and pairs. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPredictor, openModel, type EnginePredictor } from '../../electron/engine/index.js';
import { namedBatchesSchema } from '../helpers/folders.js';
import { below, largestDifference, oracleFolder, oracleJson, oracleTensors, toBatch } from '../helpers/oracle.js';

describe.each(['bert', 'bert-plain', 'bert-sharded', 'bert-float16', 'bert-legacy', 'roberta', 'distilbert'])(
  '%s',
  (name) => {
    const { labels, batches } = oracleJson(namedBatchesSchema, 'models', `${name}.json`);
    const expected = oracleTensors('models', `${name}.safetensors`);

    async function predictor(): Promise<EnginePredictor> {
      const model = await openModel(join(oracleFolder, 'models', name));
      return createPredictor({
        model,
        method: { type: 'head' },
        objective: { type: 'classification', labels },
        parameters: below(expected, 'head.'),
        seed: 1,
        device: 'cpu',
      });
    }

    it('gives the logits of transformers', async () => {
      const engine = await predictor();
      for (const batch of batches) {
        const logits = await engine.predict(toBatch(batch));
        expect(largestDifference(logits, expected.get(`${batch.name}.logits`)?.data ?? []), batch.name).toBeLessThan(
          1e-5,
        );
      }
      await engine.dispose();
    });

    it('does not see padding', async () => {
      const engine = await predictor();
      const [batch] = batches;
      if (batch === undefined) throw new Error('the fixture has no batch');
      const wider = batch.sequence + 5;
      const padded = (values: readonly number[], fill: number) =>
        Array.from({ length: batch.size * wider }, (_, i) =>
          i % wider < batch.sequence ? (values[Math.floor(i / wider) * batch.sequence + (i % wider)] ?? fill) : fill,
        );
      const logits = await engine.predict(
        toBatch({
          ...batch,
          sequence: wider,
          inputIds: padded(batch.inputIds, name === 'roberta' ? 1 : 0),
          attentionMask: padded(batch.attentionMask, 0),
          tokenTypeIds: padded(batch.tokenTypeIds, 0),
        }),
      );
      expect(largestDifference(logits, expected.get(`${batch.name}.logits`)?.data ?? [])).toBeLessThan(1e-5);
      await engine.dispose();
    });
  },
);
