/** LoRAs added and subtracted give the logits of peft's add_weighted_adapter. Fixtures: test/oracle/make_composition.py. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { addLoras, createPredictor, openModel, type NamedTensors } from '../../electron/engine/index.js';
import {
  below,
  largestDifference,
  oracleBatchSchema,
  oracleFolder,
  oracleJson,
  oracleTensors,
  toBatch,
} from '../helpers/oracle.js';

const { adapters, cases } = oracleJson(
  z.object({
    adapters: z.record(z.string(), z.object({ rank: z.number(), alpha: z.number() })),
    cases: z.array(
      z.object({
        name: z.string(),
        adapters: z.array(z.string()),
        weights: z.array(z.number()),
        combination: z.enum(['cat', 'linear']),
        logits: z.record(z.string(), z.array(z.number())),
      }),
    ),
  }),
  'composition',
  'lora.json',
);
const { labels, batches } = oracleJson(
  z.object({ labels: z.array(z.string()), batches: z.array(oracleBatchSchema.extend({ name: z.string() })) }),
  'models',
  'bert.json',
);
const tensors = oracleTensors('composition', 'lora.safetensors');
const named = (start: string): NamedTensors =>
  new Map([...below(tensors, start)].map(([name, tensor]) => [name.replace(/^base_model\.model\./, ''), tensor]));

describe.each(cases)('$name', ({ adapters: names, weights, combination, logits }) => {
  it('answers as peft does', async () => {
    const parts = names.map((name, i) => ({
      method: { type: 'lora', ...adapters[name] },
      parameters: new Map([...named(`${name}.`), ...named('head.')]),
      weight: weights[i] ?? Number.NaN,
    }));
    const { method, parameters } = addLoras(parts, combination);
    const predictor = await createPredictor({
      model: await openModel(join(oracleFolder, 'models', 'bert')),
      method,
      objective: { type: 'classification', labels },
      parameters,
      seed: 1,
      device: 'cpu',
    });
    for (const batch of batches)
      expect(
        largestDifference(await predictor.predict(toBatch(batch)), logits[batch.name] ?? []),
        batch.name,
      ).toBeLessThan(1e-5);
    await predictor.dispose();
  });
});
