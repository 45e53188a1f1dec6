/** tokenizer.json from vocabulary files alone, as transformers' tokenizers of before it build it. */
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import type { TokenizerConfig } from './tokenizer-files.js';

/** @throws StudioError `bad-model` naming the file */
export function parseJson(folder: string, name: string, text: string): unknown {
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

const special = (id: number, content: string, leftStrip = false) => ({
  id,
  content,
  single_word: false,
  lstrip: leftStrip,
  rstrip: false,
  normalized: false,
  special: true,
});

/** WordPiece, as BertTokenizer. @throws StudioError `bad-model` for a token that is missing */
export function wordPiece(folder: string, words: string, config: TokenizerConfig): unknown {
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

/** How a family's tokenizer cuts before BPE, and what it puts around a text. */
interface ByteLevelFamily {
  readonly normalizer: unknown;
  preTokenizer(addPrefixSpace: boolean): unknown;
  postProcessor(tokens: ClassifierTokens, id: (token: string) => number, addPrefixSpace: boolean): unknown;
  /** Has it tokens of a classifier by itself, or the end of a text only? */
  readonly classifier: boolean;
}

interface ClassifierTokens {
  readonly cls: string;
  readonly sep: string;
}

const byteLevel = (addPrefixSpace: boolean, useRegex = true) => ({
  type: 'ByteLevel',
  add_prefix_space: addPrefixSpace,
  trim_offsets: true,
  use_regex: useRegex,
});
const sequence = (id: 'A' | 'B') => ({ Sequence: { id, type_id: id === 'A' ? 0 : 1 } });
const nothingAround = {
  type: 'TemplateProcessing',
  single: [sequence('A')],
  pair: [sequence('A'), sequence('B')],
  special_tokens: {},
};
const qwenPattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const families = {
  roberta: {
    normalizer: null,
    preTokenizer: byteLevel,
    postProcessor: ({ cls, sep }, id, addPrefixSpace) => ({
      type: 'RobertaProcessing',
      sep: [sep, id(sep)],
      cls: [cls, id(cls)],
      trim_offsets: true,
      add_prefix_space: addPrefixSpace,
    }),
    classifier: true,
  },
  gpt2: {
    normalizer: null,
    preTokenizer: byteLevel,
    postProcessor: () => nothingAround,
    classifier: false,
  },
  qwen2: {
    normalizer: { type: 'NFC' },
    preTokenizer: (addPrefixSpace) => ({
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: qwenPattern }, behavior: 'Isolated', invert: false },
        byteLevel(addPrefixSpace, false),
      ],
    }),
    postProcessor: () => nothingAround,
    classifier: false,
  },
} as const satisfies Record<string, ByteLevelFamily>;

const byClass: Readonly<Record<string, keyof typeof families>> = {
  RobertaTokenizer: 'roberta',
  GPT2Tokenizer: 'gpt2',
  Qwen2Tokenizer: 'qwen2',
};
const byModel: Readonly<Record<string, keyof typeof families>> = {
  roberta: 'roberta',
  gpt2: 'gpt2',
  qwen2: 'qwen2',
  qwen3: 'qwen2',
};

/** Whose rules the files are cut by: those of the class that the folder names, else of its model. */
function familyOf(folder: string, tokenizerClass: string | null, modelType: string | null): ByteLevelFamily {
  const named = tokenizerClass?.replace(/Fast$/, '');
  const family = named !== undefined ? byClass[named] : modelType === null ? 'roberta' : byModel[modelType];
  if (family) return families[family];
  throw new StudioError(
    'bad-model',
    `${folder} holds no tokenizer.json, and from vocab.json and merges.txt alone it is not known how ${named ?? modelType} cuts a text.`,
    'Put the model’s tokenizer.json into the folder; in Python: AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER).',
    { folder, file: 'tokenizer.json' },
  );
}

/** Byte-level BPE, as RobertaTokenizer, GPT2Tokenizer and Qwen2Tokenizer. @throws StudioError `bad-model` naming file and token */
export function byteLevelBpe(
  folder: string,
  vocabulary: string,
  mergeLines: string,
  config: TokenizerConfig,
  modelType: string | null,
): unknown {
  const family = familyOf(folder, config.tokenizer_class ?? null, modelType);
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
  const id = (token: string) => idIn(folder, 'vocab.json', vocab, token);
  const addPrefixSpace = config.add_prefix_space ?? false;
  const around = { cls: config.cls_token?.content ?? '<s>', sep: config.sep_token?.content ?? '</s>' };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(family, vocab, config),
    normalizer: family.normalizer,
    pre_tokenizer: family.preTokenizer(addPrefixSpace),
    post_processor: family.postProcessor(around, id, addPrefixSpace),
    decoder: byteLevel(true),
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

/** Tokens that are never cut: the special ones that the vocabulary has, and those that the folder adds. */
function addedTokens(family: ByteLevelFamily, vocab: Readonly<Record<string, number>>, config: TokenizerConfig) {
  const end = '<|endoftext|>';
  const names = family.classifier
    ? {
        cls: config.cls_token?.content ?? '<s>',
        pad: config.pad_token?.content ?? '<pad>',
        sep: config.sep_token?.content ?? '</s>',
        unk: config.unk_token?.content ?? '<unk>',
        mask: config.mask_token?.content ?? '<mask>',
      }
    : {
        bos: config.bos_token?.content ?? end,
        eos: config.eos_token?.content ?? end,
        unk: config.unk_token?.content ?? end,
        pad: config.pad_token?.content ?? end,
        mask: config.mask_token?.content ?? end,
      };
  const tokens = new Map(
    Object.values(names).flatMap((token) => {
      const known = vocab[token];
      return known === undefined
        ? []
        : [[known, special(known, token, token === names.mask && config.mask_token?.lstrip === true)]];
    }),
  );
  for (const [id, token] of Object.entries(config.added_tokens_decoder ?? {}))
    tokens.set(Number(id), { ...token, id: Number(id) });
  return [...tokens.values()].sort((a, b) => a.id - b.id);
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
