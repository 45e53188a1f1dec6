/** Text to token ids, as transformers' fast tokenizers give them. */
import { Tokenizer } from '@anush008/tokenizers';
import { StudioError } from '../contract/errors.js';
import { readTokenizerFiles, type TokenizerConfig } from './tokenizer-files.js';
import type { EncodedText } from './types.js';

export interface TextOrPair {
  readonly text: string;
  readonly pair: string | null;
}

export interface TokenizerFit {
  /** Rows of the model's embedding; a tokenizer that does not fit is refused. */
  readonly vocabularySize?: number;
  /** "bert", "roberta", "distilbert"; without it config.json says. */
  readonly architecture?: string;
}

/** Segments exist in BERT only: RoBERTa has one, DistilBERT takes none. */
const decoders = new Set(['gpt2', 'llama', 'qwen2', 'qwen3']);
const withoutSegments = new Set(['roberta', 'distilbert', 'xlm-roberta', 'camembert', ...decoders]);

export class TextTokenizer {
  private maxLength: number | null = null;
  /** The native tokenizer's truncation is a state of it: calls wait for each other. */
  private queue: Promise<unknown> = Promise.resolve();

  /** Use `openTokenizer`. */
  constructor(
    private readonly native: Tokenizer,
    /** Where it was read, for messages and profiles. */
    readonly name: string,
    /** Number of token ids: the highest one plus 1. */
    readonly vocabularySize: number,
    readonly padId: number,
    readonly clsId: number | null,
    readonly sepId: number | null,
    readonly maskId: number | null,
    readonly unkId: number | null,
    private readonly segments: boolean,
  ) {}

  /**
   * Ids and segments of each row with special tokens, cut to `maxLength` tokens. Of a pair the longer text is cut first.
   * @throws StudioError `bad-input` when the length has no room for the special tokens
   */
  async encode(rows: readonly TextOrPair[], maxLength: number): Promise<EncodedText[]> {
    const room = rows.some((row) => row.pair !== null) ? 5 : 3;
    if (maxLength < room)
      throw new StudioError(
        'bad-input',
        `A maximum length of ${maxLength} has no room for the special tokens.`,
        `Set training.maxLength to ${room} or more.`,
        { field: 'training.maxLength' },
      );
    const encodings = await this.encodings(maxLength, rows);
    return encodings.map((encoding) => ({
      ids: Int32Array.from(encoding.getIds()),
      typeIds: this.segments ? Int32Array.from(encoding.getTypeIds()) : new Int32Array(encoding.getLength()),
    }));
  }

  /** Tokens of each row with special tokens, uncut. */
  async lengths(rows: readonly TextOrPair[]): Promise<number[]> {
    return (await this.encodings(null, rows)).map((encoding) => encoding.getLength());
  }

  /** Ids of a text, uncut; `special`: with the tokenizer's own tokens around it. */
  async ids(text: string, special: boolean): Promise<number[]> {
    const encoding = await this.exclusive(null, () => this.native.encode(text, null, { addSpecialTokens: special }));
    return [...encoding.getIds()];
  }

  /** Ids of texts with the tokenizer's own tokens, uncut. */
  async idsOf(texts: readonly string[]): Promise<number[][]> {
    const encodings = await this.encodings(
      null,
      texts.map((text) => ({ text, pair: null })),
    );
    return encodings.map((encoding) => [...encoding.getIds()]);
  }

  /** The text of token ids. */
  text(ids: readonly number[]): Promise<string> {
    return this.native.decode([...ids], false);
  }

  /** How the mask token is written. */
  get maskToken(): string | null {
    return this.maskId === null ? null : this.native.idToToken(this.maskId);
  }

  /** A token as people read it: "the" where the vocabulary has "Ġthe"; a piece within a word keeps its sign, "##ing". */
  async word(id: number): Promise<string> {
    const token = this.native.idToToken(id);
    const decoded = (await this.native.decode([id], false)).trim();
    return decoded === '' || /[\p{Cc}\ufffd]/u.test(decoded) ? (token ?? `[${id}]`) : decoded;
  }

  /** The id of a token of the vocabulary, or null. */
  tokenId(token: string): number | null {
    return this.native.tokenToId(token);
  }

  private encodings(maxLength: number | null, rows: readonly TextOrPair[]) {
    return this.exclusive(maxLength, () => {
      // encodeBatch takes single texts only, whatever its types say.
      if (rows.every(({ pair }) => pair === null)) return this.native.encodeBatch(rows.map(({ text }) => text));
      return Promise.all(rows.map(({ text, pair }) => this.native.encode(text, pair)));
    });
  }

  private exclusive<T>(maxLength: number | null, encode: () => Promise<T>): Promise<T> {
    const work = this.queue.then(() => {
      if (maxLength !== this.maxLength) {
        if (maxLength === null) this.native.disableTruncation();
        else this.native.setTruncation(maxLength); // longest first is its default
        this.maxLength = maxLength;
      }
      return encode();
    });
    this.queue = work.catch(() => undefined);
    return work;
  }
}

/**
 * Opens the tokenizer of a Hugging Face folder: tokenizer.json, else vocab.txt, else vocab.json with merges.txt.
 * @throws StudioError `bad-model` when there is none, when it cannot be read, or when it does not fit the model's vocabulary
 */
export async function openTokenizer(folder: string, fit: TokenizerFit = {}): Promise<TextTokenizer> {
  const { json, source, config, modelConfig } = await readTokenizerFiles(folder);
  let native: Tokenizer;
  try {
    native = Tokenizer.fromString(json);
  } catch (error) {
    throw new StudioError(
      'bad-model',
      `The tokenizer in ${folder} (${source}) cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      'Take the tokenizer files of the model again.',
      { folder },
      { cause: error },
    );
  }
  native.disablePadding();
  native.disableTruncation();
  const size = Object.values(native.getVocab(true)).reduce((highest, id) => Math.max(highest, id), -1) + 1;
  checkFit(folder, source, size, fit.vocabularySize ?? modelConfig.vocab_size);
  const find = (role: 'cls' | 'sep' | 'pad' | 'mask' | 'unk') =>
    namesOf(config, role)
      .map((token) => native.tokenToId(token))
      .find((id) => id !== null) ?? null;
  const architecture = fit.architecture ?? modelConfig.model_type ?? 'bert';
  const decoder = decoders.has(architecture);
  const lacking = decoder ? undefined : (['cls', 'sep'] as const).find((role) => find(role) === null);
  // Padding is never looked at; a decoder's tokenizer need not have a token for it.
  const padId = find('pad') ?? modelConfig.pad_token_id ?? (decoder ? 0 : null);
  if (lacking !== undefined || padId === null)
    throw new StudioError(
      'bad-model',
      `The tokenizer in ${folder} (${source}) has no ${(lacking ?? 'pad').toUpperCase()} token.`,
      'An encoder such as BERT, RoBERTa or DistilBERT is needed, with its own tokenizer.',
      { folder },
    );
  const segments = !withoutSegments.has(architecture) && (modelConfig.type_vocab_size ?? 2) > 1;
  return new TextTokenizer(native, folder, size, padId, find('cls'), find('sep'), find('mask'), find('unk'), segments);
}

/** A padded embedding may be larger than the tokenizer; ids beyond it, or a quite different size, mean the wrong tokenizer. */
function checkFit(folder: string, source: string, size: number, model: number | undefined): void {
  if (model === undefined) return;
  const tooFew = model - size > Math.max(1024, model * 0.1);
  if (size <= model && !tooFew) return;
  throw new StudioError(
    'bad-model',
    `The tokenizer in ${folder} (${source}) has ${size} tokens, but the model's vocabulary has ${model}.`,
    'Put the tokenizer files of this very model beside its weights.',
    { folder, tokenizer: size, model },
  );
}

const usualNames = {
  cls: ['[CLS]', '<s>'],
  sep: ['[SEP]', '</s>'],
  pad: ['[PAD]', '<pad>'],
  mask: ['[MASK]', '<mask>'],
  unk: ['[UNK]', '<unk>'],
} as const;

function namesOf(config: TokenizerConfig, role: keyof typeof usualNames): readonly string[] {
  const own = config[`${role}_token`];
  return own === null || own === undefined ? usualNames[role] : [own.content, ...usualNames[role]];
}
