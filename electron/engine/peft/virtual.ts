/** What methods with virtual tokens share: their options, the texts they start from, the layers of their encoders. */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { StartSource } from '../models/builder.js';

/** Most virtual tokens that any method takes. */
export const mostTokens = 512;

export const numVirtualTokens = (most = mostTokens) =>
  z.int().min(1).max(most).default(20).describe('Virtual tokens before every text');

export const initText = z
  .string()
  .trim()
  .min(1)
  .max(4000)
  .default('Classify the following text:')
  .describe(
    "Text that the virtual tokens start from, cut or repeated to their number; read with initialization 'text'",
  );

export const encoderHiddenSize = z
  .int()
  .min(1)
  .max(8192)
  .optional()
  .describe("Width of the network that computes the virtual tokens; left out: the base's own");

/**
 * The ids of an option's text, cut or repeated to `count`. `special`: with the tokenizer's own tokens around it, as peft starts a
 * prompt from a text. Throws EngineError 'bad-input'.
 */
export async function idsOfText(
  source: StartSource,
  text: string,
  count: number,
  { option = 'initText', special = true } = {},
): Promise<number[]> {
  const ids = await source.tokenize(text, special);
  if (ids.length === 0)
    throw new EngineError(
      'bad-input',
      `method.${option}: "${text}" has no tokens.`,
      'Give a text of at least a word.',
      {
        path: `method.${option}`,
      },
    );
  return Array.from({ length: count }, (_, i) => ids[i % ids.length] as number);
}

/** Rows of an embedding table of the base, one an id: [ids, width]. */
export async function rowsOfTable(source: StartSource, table: string, ids: readonly number[]): Promise<Float32Array> {
  const { shape, data } = await source.read(table);
  const width = shape[1] as number;
  const rows = new Float32Array(ids.length * width);
  ids.forEach((id, i) => rows.set(data.subarray(id * width, (id + 1) * width), i * width));
  return rows;
}
