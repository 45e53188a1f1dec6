/** Text to token ids, as transformers' fast tokenizers give them. */
import { Tokenizer } from '@anush008/tokenizers';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import { readTokenizerFiles, type TokenizerConfig } from './tokenizer-files.js';
import { whyUnsafe } from './tokenizer-check.js';
import type { EncodedText } from './types.js';
import { takesWordsAlone, WordLengths } from './word-lengths.js';

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

export interface SpecialToken {
  readonly id: number;
  readonly text: string;
}

/** Ids of a text and the part of it that each stands for, in UTF-16 units; tokens of one character share its place. */
export interface PlacedTokens {
  readonly ids: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** Tokens around a text, or before, between and after a pair. */
export interface Frame {
  readonly before: readonly number[];
  readonly between: readonly number[];
  readonly after: readonly number[];
  /** Segment of a pair's second text and of what follows it. */
  readonly segment: number;
}

/** Segments exist in BERT only: RoBERTa has one, DistilBERT takes none. */
const decoders = new Set(['gpt2', 'llama', 'qwen2', 'qwen3']);
const withoutSegments = new Set(['roberta', 'distilbert', 'xlm-roberta', 'camembert', ...decoders]);

/** Texts that are remembered at most; then all are forgotten. */
const mostRemembered = 500_000;

export class TextTokenizer {
  private maxLength: number | null = null;
  /** The native tokenizer's truncation is a state of it: calls wait for each other. */
  private queue: Promise<unknown> = Promise.resolve();
  /** Encoded texts by length, text and pair; null where none are remembered. */
  private memory: Map<string, EncodedText> | null = null;

  private readonly words: WordLengths | null;

  /** Use `openTokenizer`. */
  constructor(
    private readonly native: Tokenizer,
    /** Where it was read, for messages and profiles. */
    readonly name: string,
    /** Number of token ids: the highest one plus 1. */
    readonly vocabularySize: number,
    readonly padId: number,
    /** Null for a decoder's. */
    readonly clsId: number | null,
    readonly sepId: number | null,
    /** The tokens that begin and end a text, where the tokenizer names them. */
    readonly bos: SpecialToken | null,
    readonly eos: SpecialToken | null,
    readonly maskId: number | null,
    readonly unkId: number | null,
    private readonly segments: boolean,
    /** Tokens that no text gives by itself. */
    private readonly specials: readonly string[],
    wordsAlone: boolean,
  ) {
    this.words = wordsAlone ? new WordLengths((words) => this.plainLengths(words)) : null;
  }

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
    const { memory } = this;
    if (memory === null) return this.encodeAnew(rows, maxLength);
    const keys = rows.map(({ text, pair }) => JSON.stringify([maxLength, text, pair]));
    if (memory.size + rows.length > mostRemembered) memory.clear();
    // Each text once, though rows may repeat it.
    const unknown = new Map(
      rows.flatMap((row, place) => (memory.has(keys[place] ?? '') ? [] : [[keys[place] ?? '', row]])),
    );
    const encoded = await this.encodeAnew([...unknown.values()], maxLength);
    [...unknown.keys()].forEach((key, place) => {
      const own = encoded[place];
      if (own !== undefined) memory.set(key, own);
    });
    return keys.map((key) => {
      const known = memory.get(key);
      if (known === undefined) throw new RangeError('a text for each row');
      return known;
    });
  }

  /** From now on texts are tokenized once: the same rows come again with each run. */
  remember(): void {
    this.memory ??= new Map();
  }

  private async encodeAnew(rows: readonly TextOrPair[], maxLength: number): Promise<EncodedText[]> {
    const encodings = await this.encodings(maxLength, rows);
    return encodings.map((encoding) => ({
      ids: Int32Array.from(encoding.getIds()),
      typeIds: this.segments ? Int32Array.from(encoding.getTypeIds()) : new Int32Array(encoding.getLength()),
    }));
  }

  /** Tokens of each row with special tokens, uncut. */
  async lengths(rows: readonly TextOrPair[]): Promise<number[]> {
    const { words } = this;
    if (words === null) return (await this.encodings(null, rows)).map((encoding) => encoding.getLength());
    const [around, aroundPair] = await Promise.all([this.around(false), this.around(true)]);
    const texts = await words.of(rows.map(({ text }) => text));
    const pairs = await words.of(rows.map(({ pair }) => pair ?? ''));
    return rows.map(({ pair }, i) => (texts[i] ?? 0) + (pairs[i] ?? 0) + (pair === null ? around : aroundPair));
  }

  /** How many tokens of its own the tokenizer puts around a text or a pair. */
  private async around(pair: boolean): Promise<number> {
    const { before, between, after } = await this.frame(pair);
    return before.length + between.length + after.length;
  }

  /** Tokens of each text without the tokenizer's own ones, uncut. */
  async plainLengths(texts: readonly string[]): Promise<number[]> {
    const encodings = await this.exclusive(null, () =>
      this.native.encodeBatch([...texts], { addSpecialTokens: false }),
    );
    return encodings.map((encoding) => encoding.getLength());
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

  /** The text of token ids, that of the tokenizer's own tokens included, or with `plain` left out. */
  text(ids: readonly number[], plain = false): Promise<string> {
    return this.native.decode([...ids], plain);
  }

  /** How the mask token is written. */
  get maskToken(): string | null {
    return this.maskId === null ? null : this.native.idToToken(this.maskId);
  }

  /** Ids of texts, uncut and without the tokenizer's own tokens around them, each with its place. */
  async place(texts: readonly string[]): Promise<PlacedTokens[]> {
    const encodings = await this.exclusive(null, () =>
      this.native.encodeBatch([...texts], { addSpecialTokens: false }),
    );
    return encodings.map((encoding, at) => {
      const units = unitsOf(texts[at] ?? '');
      const offsets = encoding.getOffsets();
      const side = (index: 0 | 1) => Int32Array.from(offsets, (pair) => units(pair[index] ?? 0));
      return { ids: Int32Array.from(encoding.getIds()), from: side(0), to: side(1) };
    });
  }

  /** What the tokenizer puts around a text, or around two of them, with the segment of each part. */
  async frame(pair: boolean): Promise<Frame> {
    const [encoding, [first, second]] = await Promise.all([
      this.exclusive(null, () => this.native.encode('a', pair ? 'b' : null)),
      this.place(['a', 'b']),
    ]);
    const ids = [...encoding.getIds()];
    const segments = this.segments ? [...encoding.getTypeIds()] : ids.map(() => 0);
    const find = (part: PlacedTokens | undefined, from: number) => {
      const own = [...(part?.ids ?? [])];
      const at = ids.findIndex((_, start) => start >= from && own.every((id, i) => ids[start + i] === id));
      return { at, end: at + own.length };
    };
    const a = find(first, 0);
    const b = pair ? find(second, a.end) : { at: ids.length, end: ids.length };
    return {
      before: ids.slice(0, a.at),
      between: pair ? ids.slice(a.end, b.at) : [],
      after: pair ? ids.slice(b.end) : ids.slice(a.end),
      segment: segments[b.at] ?? 0,
    };
  }

  /** Length of the tokenizer's own token ("<|im_end|>") that stands at a place of a text; 0 where none does. */
  specialAt(text: string, at: number): number {
    return this.specials.reduce((most, one) => (one.length > most && text.startsWith(one, at) ? one.length : most), 0);
  }

  /** Ids of the tokenizer's own tokens: where one follows an answer, the answer is at its end. */
  get specialIds(): readonly number[] {
    return this.specials.flatMap((text) => this.native.tokenToId(text) ?? []);
  }

  /** Does the tokenizer put its beginning token before a text? */
  async beginsTexts(): Promise<boolean> {
    return this.bos !== null && (await this.ids('a', true))[0] === this.bos.id;
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
  const parsed: unknown = JSON.parse(json);
  const unreadable = (why: string, options?: ErrorOptions) =>
    new StudioError(
      'bad-model',
      `The tokenizer in ${folder} (${source}) cannot be read: ${why}.`,
      'Take the tokenizer files of the model again.',
      { folder },
      options,
    );
  const unsafe = whyUnsafe(parsed);
  if (unsafe !== null) throw unreadable(unsafe);
  let native: Tokenizer;
  try {
    native = Tokenizer.fromString(json);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error), { cause: error });
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
  const named = (text: string | undefined): SpecialToken | null => {
    const id = text === undefined ? null : native.tokenToId(text);
    return text === undefined || id === null ? null : { id, text };
  };
  const byId = (id: number | undefined): SpecialToken | null => {
    const text = id === undefined ? null : native.idToToken(id);
    return id === undefined || text === null ? null : { id, text };
  };
  const eos = named(config.eos_token?.content) ?? byId([modelConfig.eos_token_id ?? []].flat()[0]);
  const lacking = decoder ? undefined : (['cls', 'sep'] as const).find((role) => find(role) === null);
  // Padding is never looked at; a decoder's tokenizer need not have a token for it.
  const padId = find('pad') ?? modelConfig.pad_token_id ?? (decoder ? (eos?.id ?? 0) : null);
  if (lacking !== undefined || padId === null)
    throw new StudioError(
      'bad-model',
      `The tokenizer in ${folder} (${source}) has no ${(lacking ?? 'pad').toUpperCase()} token.`,
      'An encoder such as BERT, RoBERTa or DistilBERT is needed, with its own tokenizer.',
      { folder },
    );
  const segments = !withoutSegments.has(architecture) && (modelConfig.type_vocab_size ?? 2) > 1;
  return new TextTokenizer(
    native,
    folder,
    size,
    padId,
    find('cls'),
    find('sep'),
    named(config.bos_token?.content),
    eos,
    find('mask'),
    find('unk'),
    segments,
    specialsIn(parsed),
    takesWordsAlone(parsed),
  );
}

const addedSchema = z.object({
  added_tokens: z.array(z.object({ content: z.string(), special: z.boolean() })).default([]),
});

const specialsIn = (tokenizer: unknown): string[] =>
  (addedSchema.safeParse(tokenizer).data?.added_tokens ?? [])
    .filter(({ special, content }) => special && content !== '')
    .map(({ content }) => content);

/** From code points, in which the tokenizer counts, to UTF-16 units, in which texts are cut here. */
function unitsOf(text: string): (points: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (points) => points;
  const starts = [0];
  for (const point of text) starts.push((starts.at(-1) ?? 0) + point.length);
  return (points) => starts[points] ?? text.length;
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
