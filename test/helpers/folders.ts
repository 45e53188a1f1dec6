/** What tests of adapter folders share: the logits that a library gave with a folder, and its JSON files. */
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { z } from 'zod';
import { createPredictor, type PredictorOptions } from '../../electron/engine/index.js';
import { largestDifference, oracleBatchSchema, oracleJson, toBatch } from './oracle.js';

/** Batches of a base model by name, as `test/fixtures/oracle/models/<base>.json` holds them. */
export const namedBatchesSchema = z.object({
  labels: z.array(z.string()),
  batches: z.array(oracleBatchSchema.extend({ name: z.string() })),
});
/** Logits [size, labels] by the batch's name. */
export const logitsSchema = z.object({ logits: z.record(z.string(), z.array(z.number())) });

export const readObject = async (path: string): Promise<Record<string, unknown>> =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(path, 'utf8')));

/** Expects the classifier with an adapter to give a library's logits on the batches of the base. */
export async function expectLogits(
  {
    base,
    labels,
    ...adapter
  }: Pick<PredictorOptions, 'model' | 'method' | 'parameters'> & {
    readonly base: string;
    readonly labels: readonly string[];
  },
  logits: Readonly<Record<string, readonly number[]>>,
  tolerance: number,
): Promise<void> {
  const objective = { type: 'classification', labels } as const;
  const predictor = await createPredictor({ ...adapter, objective, seed: 1, device: 'cpu' });
  for (const batch of oracleJson(namedBatchesSchema, 'models', `${base}.json`).batches)
    expect(
      largestDifference(await predictor.predict(toBatch(batch)), logits[batch.name] ?? []),
      batch.name,
    ).toBeLessThan(tolerance);
  await predictor.dispose();
}
