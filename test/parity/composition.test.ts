/**
 * Adapters composed give the logits of peft (add_weighted_adapter) and of AdapterHub's library (Average, Stack, Fuse). Fixtures:
 * test/oracle/make_composition.py and make_fusion.py; fusion's training is among the fixtures of training.test.ts.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  composeAdapters,
  createPredictor,
  openModel,
  type ComposedAdapter,
  type NamedTensors,
} from '../../electron/engine/index.js';
import {
  below,
  largestDifference,
  oracleBatchSchema,
  oracleFolder,
  oracleJson,
  oracleTensors,
  toBatch,
} from '../helpers/oracle.js';

const logitsSchema = z.record(z.string(), z.array(z.number()));
const isHead = (name: string) => /^(pre_)?classifier\./.test(name);

/** Largest difference of a composition's logits from those recorded. */
async function difference(
  name: string,
  { method, parameters }: ComposedAdapter,
  logits: z.output<typeof logitsSchema>,
): Promise<number> {
  const { labels, batches } = oracleJson(
    z.object({ labels: z.array(z.string()), batches: z.array(oracleBatchSchema.extend({ name: z.string() })) }),
    'models',
    `${name}.json`,
  );
  const predictor = await createPredictor({
    model: await openModel(join(oracleFolder, 'models', name)),
    method,
    objective: { type: 'classification', labels },
    parameters,
    seed: 1,
    device: 'cpu',
  });
  let largest = 0;
  for (const batch of batches)
    largest = Math.max(
      largest,
      largestDifference(await predictor.predict(toBatch(batch)), logits[batch.name] ?? [Number.NaN]),
    );
  await predictor.dispose();
  return largest;
}

const added = oracleJson(
  z.object({
    adapters: z.record(z.string(), z.object({ rank: z.number(), alpha: z.number() })),
    cases: z.array(
      z.object({
        name: z.string(),
        adapters: z.array(z.string()),
        weights: z.array(z.number()),
        combination: z.enum(['cat', 'linear']),
        logits: logitsSchema,
      }),
    ),
  }),
  'composition',
  'lora.json',
);

describe.each(added.cases)('LoRAs $name', ({ adapters: names, weights, combination, logits }) => {
  const tensors = oracleTensors('composition', 'lora.safetensors');
  const named = (start: string): NamedTensors =>
    new Map([...below(tensors, start)].map(([name, tensor]) => [name.replace(/^base_model\.model\./, ''), tensor]));

  it('answer as peft does', async () => {
    const parts = names.map((name, i) => ({
      method: { type: 'lora', ...added.adapters[name] },
      parameters: new Map([...named(`${name}.`), ...named('head.')]),
      weight: weights[i] ?? Number.NaN,
    }));
    const composed = composeAdapters({ kind: 'add', how: combination }, parts, isHead);
    expect(await difference('bert', composed, logits)).toBeLessThan(1e-5);
  });
});

const method = z.looseObject({ type: z.string() });
const hubCases = readdirSync(join(oracleFolder, 'composition'))
  .filter((file) => file.endsWith('.json') && file !== 'lora.json')
  .map((file) => file.slice(0, -'.json'.length));

describe.each(hubCases)('%s', (name) => {
  it('answers as AdapterHub does', async () => {
    const { model, kind, adapters, weights, logits, ...facts } = oracleJson(
      z.object({
        model: z.string(),
        kind: z.enum(['average', 'stack', 'fusion']),
        method,
        adapters: z.array(method),
        weights: z.array(z.number()).default([1, 1]),
        logits: logitsSchema,
      }),
      'composition',
      `${name}.json`,
    );
    const tensors = oracleTensors('composition', `${name}.safetensors`);
    const parts = ['first', 'second'].map((part, i) => ({
      method: adapters[i] ?? { type: '' },
      parameters: new Map([...below(tensors, `${part}.`), ...below(tensors, 'head.')]),
      weight: weights[i] ?? Number.NaN,
    }));
    const composed = composeAdapters({ kind }, parts, isHead);
    // Regularization is no matter of the adapters.
    const { regularization: _, ...expected } = facts.method;
    expect(composed.method).toMatchObject(expected);
    // What a fusion trains stands where it started.
    const trained = kind === 'fusion' ? [...below(tensors, 'fusion.'), ...below(tensors, 'head.')] : [];
    const parameters = new Map([...composed.parameters, ...trained]);
    expect(await difference(model, { method: composed.method, parameters }, logits)).toBeLessThan(1e-5);
  });
});
