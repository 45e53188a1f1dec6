/** WordPiece vocabularies learned from text, and the tokenizer files of a BERT that has one. */
import {
  bertNormalizer,
  bertPreTokenizer,
  templateProcessing,
  Tokenizer,
  WordPiece,
  wordPieceDecoder,
} from '@anush008/tokenizers';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const specialTokens: readonly string[] = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

export interface WordPieceOptions {
  /** Lower-cases and strips accents. */
  readonly lowercase: boolean;
}

const normalizerOf = ({ lowercase }: WordPieceOptions) =>
  bertNormalizer({ cleanText: true, handleChineseChars: true, stripAccents: lowercase, lowercase });

function prepared(tokenizer: Tokenizer, options: WordPieceOptions): Tokenizer {
  tokenizer.setNormalizer(normalizerOf(options));
  tokenizer.setPreTokenizer(bertPreTokenizer());
  return tokenizer;
}

/** Counts characters as the model will see them. */
export class CharacterCounts {
  readonly #counts = new Map<string, number>();
  readonly #normalizer: ReturnType<typeof bertNormalizer>;

  constructor(options: WordPieceOptions) {
    this.#normalizer = normalizerOf(options);
  }

  add(text: string): void {
    for (const character of this.#normalizer.normalizeString(text))
      this.#counts.set(character, (this.#counts.get(character) ?? 0) + 1);
  }

  /** Those seen so often at least. */
  usual(times: number): ReadonlySet<string> {
    return new Set([...this.#counts].filter(([, count]) => count >= times).map(([character]) => character));
  }
}

/**
 * At most `size` tokens of a text file, the special ones first: characters, then merges, the most frequent first.
 * @param usual characters that are known; tokens with others are left out
 */
export function learnWordPiece(
  corpus: string,
  size: number,
  usual: ReadonlySet<string>,
  options: WordPieceOptions,
): string[] {
  const tokenizer = prepared(
    new Tokenizer(WordPiece.init({ '[UNK]': 0 }, { unkToken: '[UNK]', continuingSubwordPrefix: '##' })),
    options,
  );
  tokenizer.train([corpus]);
  // The order in which training found them: so the first N are the vocabulary of size N.
  const found = Object.entries(tokenizer.getVocab())
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token)
    .filter(
      (token) =>
        !specialTokens.includes(token) && [...token.replace(/^##/, '')].every((character) => usual.has(character)),
    );
  return [...specialTokens, ...found].slice(0, size);
}

/** Writes tokenizer.json, vocab.txt and tokenizer_config.json, as transformers' BertTokenizer reads them. */
export async function writeWordPiece(
  folder: string,
  vocabulary: readonly string[],
  maxLength: number,
  options: WordPieceOptions,
): Promise<void> {
  const ids = Object.fromEntries(vocabulary.map((token, id) => [token, id]));
  const tokenizer = prepared(
    new Tokenizer(WordPiece.init(ids, { unkToken: '[UNK]', continuingSubwordPrefix: '##', maxInputCharsPerWord: 100 })),
    options,
  );
  tokenizer.addSpecialTokens([...specialTokens]);
  tokenizer.setPostProcessor(
    templateProcessing('[CLS] $A [SEP]', '[CLS] $A [SEP] $B:1 [SEP]:1', [
      ['[CLS]', ids['[CLS]'] ?? 0],
      ['[SEP]', ids['[SEP]'] ?? 0],
    ]),
  );
  tokenizer.setDecoder(wordPieceDecoder('##', true));
  await mkdir(folder, { recursive: true });
  tokenizer.save(join(folder, 'tokenizer.json'), false);
  await writeFile(join(folder, 'vocab.txt'), vocabulary.map((token) => `${token}\n`).join(''));
  const config = {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: options.lowercase,
    strip_accents: options.lowercase,
    tokenize_chinese_chars: true,
    model_max_length: maxLength,
    cls_token: '[CLS]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    unk_token: '[UNK]',
    mask_token: '[MASK]',
  };
  await writeFile(join(folder, 'tokenizer_config.json'), `${JSON.stringify(config, null, 2)}\n`);
}
