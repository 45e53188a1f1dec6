/**
 * A model folder's tokenizer as one tokenizer.json text. Older folders hold the vocabulary only: vocab.txt, or vocab.json with
 * merges.txt; from these it is built (vocabulary-files.ts).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import { fileError } from './decode.js';
import { byteLevelBpe, parseJson, wordPiece } from './vocabulary-files.js';

const tokenSchema = z
  .union([
    z.string().transform((content) => ({ content, lstrip: false })),
    z.looseObject({ content: z.string(), lstrip: z.boolean().default(false) }),
  ])
  .nullish();
const configSchema = z.looseObject({
  tokenizer_class: z.string().nullish(),
  do_lower_case: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
  add_prefix_space: z.boolean().nullish(),
  bos_token: tokenSchema,
  eos_token: tokenSchema,
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
  cls_token: tokenSchema,
  sep_token: tokenSchema,
  pad_token: tokenSchema,
  unk_token: tokenSchema,
  mask_token: tokenSchema,
  added_tokens_decoder: z
    .record(
      z.string().regex(/^\d+$/),
      z.looseObject({
        content: z.string(),
        lstrip: z.boolean().default(false),
        rstrip: z.boolean().default(false),
        normalized: z.boolean().default(false),
        single_word: z.boolean().default(false),
        special: z.boolean().default(true),
      }),
    )
    .nullish(),
});
export type TokenizerConfig = z.infer<typeof configSchema>;
const modelConfigSchema = z.looseObject({
  model_type: z.string().optional(),
  type_vocab_size: z.number().optional(),
  pad_token_id: z.number().nullish(),
  eos_token_id: z.union([z.number(), z.array(z.number())]).nullish(),
  vocab_size: z.number().optional(),
});

export interface TokenizerFiles {
  /** tokenizer.json, read or built. */
  readonly json: string;
  readonly source: 'tokenizer.json' | 'vocab.txt' | 'vocab.json';
  readonly config: TokenizerConfig;
  readonly modelConfig: z.infer<typeof modelConfigSchema>;
}

/** The text of a folder's own chat template and the file it stands in; null where it has none. Of several templates the one named "default". */
export async function readChatTemplate(
  folder: string,
): Promise<{ readonly text: string; readonly source: 'tokenizer_config.json' | 'chat_template.jinja' } | null> {
  const alone = await textFile(folder, 'chat_template.jinja');
  if (alone !== null) return { text: alone, source: 'chat_template.jinja' };
  const named = (await jsonFile(folder, 'tokenizer_config.json', configSchema))?.chat_template ?? null;
  const text = Array.isArray(named) ? named.find(({ name }) => name === 'default')?.template : named;
  return text === null || text === undefined ? null : { text, source: 'tokenizer_config.json' };
}

const filesRead = [
  'special_tokens_map.json',
  'tokenizer_config.json',
  'config.json',
  'tokenizer.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
] as const;

/** Hash of all that decides how a folder's tokenizer cuts: equal for equal files, wherever they lie. */
export async function tokenizerIdentity(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of filesRead) hash.update(`${name}\0${(await textFile(folder, name)) ?? ''}\0`);
  return hash.digest('hex');
}

/** @throws StudioError `bad-model` for a folder without a tokenizer or with one that cannot be read */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const config = {
    ...(await jsonFile(folder, 'special_tokens_map.json', configSchema)),
    ...(await jsonFile(folder, 'tokenizer_config.json', configSchema)),
  };
  const modelConfig = (await jsonFile(folder, 'config.json', modelConfigSchema)) ?? {};
  const whole = await textFile(folder, 'tokenizer.json');
  if (whole !== null) return { json: withConfig(folder, whole, config), source: 'tokenizer.json', config, modelConfig };
  const words = await textFile(folder, 'vocab.txt');
  if (words !== null)
    return { json: JSON.stringify(wordPiece(folder, words, config)), source: 'vocab.txt', config, modelConfig };
  const [vocabulary, merges] = [await textFile(folder, 'vocab.json'), await textFile(folder, 'merges.txt')];
  if (vocabulary !== null && merges !== null)
    return {
      json: JSON.stringify(byteLevelBpe(folder, vocabulary, merges, config, modelConfig.model_type ?? null)),
      source: 'vocab.json',
      config,
      modelConfig,
    };
  throw new StudioError(
    'bad-model',
    `${folder} holds no tokenizer: none of tokenizer.json, vocab.txt, or vocab.json with merges.txt.`,
    'Copy the tokenizer files of the model into its folder.',
    { folder },
  );
}

async function textFile(folder: string, name: string): Promise<string | null> {
  const path = join(folder, name);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw fileError(path, error);
  }
}

async function jsonFile<S extends z.ZodType>(folder: string, name: string, schema: S): Promise<z.output<S> | null> {
  const text = await textFile(folder, name);
  if (text === null) return null;
  const parsed = schema.safeParse(parseJson(folder, name, text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new StudioError(
    'bad-model',
    `${join(folder, name)}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as expected'}.`,
    'Take the file from the model again.',
    { folder, file: name },
  );
}

const bertNormalizerSchema = z.looseObject({
  type: z.literal('BertNormalizer'),
  lowercase: z.boolean(),
  strip_accents: z.boolean().nullable(),
  handle_chinese_chars: z.boolean(),
});
const wholeSchema = z.looseObject({ normalizer: z.unknown() });

/** As transformers does: tokenizer_config.json wins over the normalizer that tokenizer.json carries, unless its class takes the file as it is. */
function withConfig(folder: string, json: string, config: TokenizerConfig): string {
  const whole = wholeSchema.safeParse(parseJson(folder, 'tokenizer.json', json));
  if (!whole.success)
    throw new StudioError(
      'bad-model',
      `${join(folder, 'tokenizer.json')} is no tokenizer.`,
      'Take the file from the model again.',
      { folder },
    );
  const normalizer = bertNormalizerSchema.safeParse(whole.data.normalizer);
  if (
    !normalizer.success ||
    config.tokenizer_class === 'PreTrainedTokenizerFast' ||
    config.tokenizer_class === 'TokenizersBackend'
  )
    return json;
  const lowercase = config.do_lower_case ?? normalizer.data.lowercase;
  const handleChinese = config.tokenize_chinese_chars ?? normalizer.data.handle_chinese_chars;
  const stripAccents = config.strip_accents ?? normalizer.data.strip_accents;
  if (
    lowercase === normalizer.data.lowercase &&
    handleChinese === normalizer.data.handle_chinese_chars &&
    stripAccents === normalizer.data.strip_accents
  )
    return json;
  return JSON.stringify({
    ...whole.data,
    normalizer: { ...normalizer.data, lowercase, strip_accents: stripAccents, handle_chinese_chars: handleChinese },
  });
}
