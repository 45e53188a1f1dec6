/** Reads the committed fixtures that `test/oracle/` makes with PyTorch; depends on nothing of the app but types. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Batch, NamedTensors, Tensor } from '../../electron/engine/types.js';

export const oracleFolder = join(import.meta.dirname, '..', 'fixtures', 'oracle');

/** Parses a fixture by its schema; `parts` are below test/fixtures/oracle. */
export function oracleJson<T extends z.ZodType>(schema: T, ...parts: string[]): z.output<T> {
  return schema.parse(JSON.parse(readFileSync(join(oracleFolder, ...parts), 'utf8')));
}

const headerSchema = z.record(
  z.string(),
  z.object({ dtype: z.literal('F32'), shape: z.array(z.number()), data_offsets: z.tuple([z.number(), z.number()]) }),
);

/** All tensors of a float32 safetensors fixture by name. */
export function oracleTensors(...parts: string[]): NamedTensors {
  const bytes = readFileSync(join(oracleFolder, ...parts));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header: Record<string, unknown> = {
    ...z.record(z.string(), z.unknown()).parse(JSON.parse(bytes.toString('utf8', 8, start))),
  };
  delete header['__metadata__'];
  const tensors = new Map<string, Tensor>();
  for (const [
    name,
    {
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(headerSchema.parse(header))) {
    const data = new Float32Array((to - from) / 4);
    Buffer.from(data.buffer).set(bytes.subarray(start + from, start + to));
    tensors.set(name, { shape, data });
  }
  return tensors;
}

/** The tensors whose names start with `prefix`, without it. */
export function below(tensors: NamedTensors, prefix: string): NamedTensors {
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

export const oracleBatchSchema = z.object({
  size: z.number(),
  sequence: z.number(),
  inputIds: z.array(z.number()),
  attentionMask: z.array(z.number()),
  tokenTypeIds: z.array(z.number()),
  labels: z.array(z.number()).optional(),
  targets: z.array(z.number()).optional(),
  weights: z.array(z.number()).nullable().optional(),
});

/** A fixture's batch as the engine takes it; labels default to class 0. */
export function toBatch(batch: z.output<typeof oracleBatchSchema>): Batch {
  return {
    size: batch.size,
    sequence: batch.sequence,
    inputIds: Int32Array.from(batch.inputIds),
    attentionMask: Int32Array.from(batch.attentionMask),
    tokenTypeIds: Int32Array.from(batch.tokenTypeIds),
    labels: Int32Array.from(batch.labels ?? new Array<number>(batch.size).fill(0)),
    weights: batch.weights ? Float32Array.from(batch.weights) : null,
    ...(batch.targets ? { targets: Float32Array.from(batch.targets) } : {}),
  };
}

/** Largest absolute difference of two equally long arrays. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = difference; // NaN sticks
    if (Number.isNaN(largest)) return NaN;
  }
  return largest;
}
