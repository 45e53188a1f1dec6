/** The tokens that end a text of a language model. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { TextTokenizer } from './tokenizer.js';

const schema = z.looseObject({ eos_token_id: z.union([z.int(), z.array(z.int())]).nullish() });

/** Those that generation_config.json names, or where it names none config.json, and the tokenizer's own. */
export async function stopTokens(folder: string, tokenizer: TextTokenizer): Promise<number[]> {
  const named = (await idsIn(join(folder, 'generation_config.json'))) ?? (await idsIn(join(folder, 'config.json')));
  return [...new Set([...(named ?? []), ...(tokenizer.eos === null ? [] : [tokenizer.eos.id])])];
}

/** Null where the file is missing, is no JSON or names none: a model may do without. */
async function idsIn(path: string): Promise<number[] | null> {
  const text = await readFile(path, 'utf8').catch(() => 'null');
  try {
    const ids = schema.safeParse(JSON.parse(text)).data?.eos_token_id;
    return ids === null || ids === undefined ? null : [ids].flat();
  } catch {
    return null;
  }
}
