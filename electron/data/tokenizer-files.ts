/**
 * A model folder's tokenizer as one tokenizer.json text. Older folders hold the vocabulary only:
 * vocab.txt (WordPiece, as BertTokenizer builds it) or vocab.json with merges.txt (byte-level BPE, as RobertaTokenizer builds it).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import { fileError } from './decode.js';

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
      json: JSON.stringify(byteLevelBpe(folder, vocabulary, merges, config)),
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

function parseJson(folder: string, name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StudioError(
      'bad-model',
      `${join(folder, name)} is not valid JSON: ${error instanceof Error ? error.message : ''}.`,
      'Take the file from the model again.',
      { folder, file: name },
      { cause: error },
    );
  }
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

const special = (id: number, content: string, leftStrip = false) => ({
  id,
  content,
  single_word: false,
  lstrip: leftStrip,
  rstrip: false,
  normalized: false,
  special: true,
});

function wordPiece(folder: string, words: string, config: TokenizerConfig): unknown {
  const lines = words.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  const vocab: Record<string, number> = Object.fromEntries(lines.map((token, id) => [token, id]));
  const tokens = {
    cls: config.cls_token?.content ?? '[CLS]',
    sep: config.sep_token?.content ?? '[SEP]',
    unk: config.unk_token?.content ?? '[UNK]',
    pad: config.pad_token?.content ?? '[PAD]',
    mask: config.mask_token?.content ?? '[MASK]',
  };
  const id = (token: string) => idIn(folder, 'vocab.txt', vocab, token);
  const piece = (token: string, segment: number) => ({ SpecialToken: { id: token, type_id: segment } });
  const text = (name: 'A' | 'B', segment: number) => ({ Sequence: { id: name, type_id: segment } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...new Set(Object.values(tokens))]
      .filter((token) => vocab[token] !== undefined)
      .map((token) => special(id(token), token))
      .sort((a, b) => a.id - b.id),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: config.tokenize_chinese_chars ?? true,
      strip_accents: config.strip_accents ?? null,
      lowercase: config.do_lower_case ?? true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [piece(tokens.cls, 0), text('A', 0), piece(tokens.sep, 0)],
      pair: [piece(tokens.cls, 0), text('A', 0), piece(tokens.sep, 0), text('B', 1), piece(tokens.sep, 1)],
      special_tokens: Object.fromEntries(
        [tokens.cls, tokens.sep].map((token) => [token, { id: token, ids: [id(token)], tokens: [token] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: tokens.unk,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

function byteLevelBpe(folder: string, vocabulary: string, mergeLines: string, config: TokenizerConfig): unknown {
  const parsed = z.record(z.string(), z.int().min(0)).safeParse(parseJson(folder, 'vocab.json', vocabulary));
  if (!parsed.success)
    throw new StudioError(
      'bad-model',
      `${join(folder, 'vocab.json')} is no vocabulary: it must map tokens to numbers.`,
      'Take the file from the model again.',
      { folder },
    );
  const vocab = parsed.data;
  const merges = mergeLines
    .split(/\r?\n/)
    .filter((line, index) => line !== '' && !(index === 0 && line.startsWith('#version')));
  const tokens = {
    cls: config.cls_token?.content ?? '<s>',
    pad: config.pad_token?.content ?? '<pad>',
    sep: config.sep_token?.content ?? '</s>',
    unk: config.unk_token?.content ?? '<unk>',
    mask: config.mask_token?.content ?? '<mask>',
  };
  const id = (token: string) => idIn(folder, 'vocab.json', vocab, token);
  const addPrefixSpace = config.add_prefix_space ?? false;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...new Set(Object.values(tokens))]
      .filter((token) => vocab[token] !== undefined)
      .map((token) => special(id(token), token, token === tokens.mask && config.mask_token?.lstrip === true))
      .sort((a, b) => a.id - b.id),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: addPrefixSpace, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [tokens.sep, id(tokens.sep)],
      cls: [tokens.cls, id(tokens.cls)],
      trim_offsets: true,
      add_prefix_space: addPrefixSpace,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges,
    },
  };
}

function idIn(folder: string, file: string, vocab: Readonly<Record<string, number>>, token: string): number {
  const id = vocab[token];
  if (id === undefined)
    throw new StudioError(
      'bad-model',
      `${join(folder, file)} lacks the token ${token}.`,
      'Take the tokenizer files of this very model.',
      { folder, token },
    );
  return id;
}
