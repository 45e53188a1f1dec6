/** Texts for masked language modelling: short ones share a row, long ones are split, and the masks depend on seed and place only. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Batch } from '../engine/types.js';
import type { RowBatches } from './batches.js';
import { Growing } from './encoded.js';
import { streamSeed } from './random.js';
import type { TextTokenizer } from './tokenizer.js';
import { StudioError } from '../contract/errors.js';

/** By the names of transformers' DataCollatorForLanguageModeling. */
export interface Masking {
  /** Share of the tokens that are to be guessed. */
  readonly mlmProbability: number;
  /** Of these, the share that becomes the mask token, and the share that becomes a random one; the others stay. */
  readonly maskReplaceProb: number;
  readonly randomReplaceProb: number;
}

export interface MaskedIds {
  readonly cls: number;
  readonly sep: number;
  readonly mask: number;
  readonly pad: number;
  /** Random tokens are drawn among these. */
  readonly words: { readonly from: number; readonly to: number };
}

/** -100 takes no loss, as in transformers. */
const ignored = -100;

/**
 * Masks tokens in place and labels those to be guessed (Devlin et al. 2019, section 3.1): each by chance, and where chance takes
 * none, one. `begin` and `end` leave out the tokenizer's own tokens at the ends; `sep` between texts is never masked.
 */
export function maskTokens(
  tokens: Int32Array,
  labels: Int32Array,
  { begin, end }: { readonly begin: number; readonly end: number },
  ids: MaskedIds,
  { mlmProbability, maskReplaceProb, randomReplaceProb }: Masking,
  generator: ReturnType<typeof xoroshiro128plus>,
): void {
  const guess = (at: number) => {
    labels[at] = tokens[at] ?? 0;
    const chance = uniformFloat64(generator);
    if (chance < maskReplaceProb) tokens[at] = ids.mask;
    else if (chance < maskReplaceProb + randomReplaceProb)
      tokens[at] = uniformInt(generator, ids.words.from, ids.words.to);
  };
  let guessed = 0;
  for (let at = begin; at < end; at += 1) {
    if (tokens[at] === ids.sep || uniformFloat64(generator) >= mlmProbability) continue;
    guess(at);
    guessed += 1;
  }
  if (guessed > 0) return;
  const at = uniformInt(generator, begin, end - 1);
  if (tokens[at] !== ids.sep) guess(at);
  else if (begin < end && tokens[begin] !== ids.sep) guess(begin);
}

/** Rows of inner tokens, each between the tokenizer's own, as one padded batch. `generatorOf` gives each row's masks. */
export function maskedBatch(
  rows: readonly Int32Array[],
  ids: MaskedIds,
  masking: Masking,
  generatorOf: (row: number) => ReturnType<typeof xoroshiro128plus>,
): Batch {
  const sequence = 2 + rows.reduce((longest, { length }) => Math.max(longest, length), 1);
  const cells = rows.length * sequence;
  const inputIds = new Int32Array(cells).fill(ids.pad);
  const attentionMask = new Int32Array(cells);
  const labels = new Int32Array(cells).fill(ignored);
  rows.forEach((row, index) => {
    const start = index * sequence;
    inputIds[start] = ids.cls;
    inputIds.set(row, start + 1);
    inputIds[start + 1 + row.length] = ids.sep;
    attentionMask.fill(1, start, start + row.length + 2);
    maskTokens(inputIds, labels, { begin: start + 1, end: start + 1 + row.length }, ids, masking, generatorOf(index));
  });
  return {
    size: rows.length,
    sequence,
    inputIds,
    attentionMask,
    tokenTypeIds: new Int32Array(cells),
    labels,
    weights: null,
  };
}

/** The ids that masking needs. @throws StudioError `bad-model` for a tokenizer without a mask token */
export function maskedIdsOf(tokenizer: TextTokenizer): MaskedIds {
  const { clsId: cls, sepId: sep, maskId: mask, padId: pad, vocabularySize } = tokenizer;
  if (cls === null || sep === null || mask === null)
    throw new StudioError(
      'bad-model',
      `${tokenizer.name} has no mask token, which masked language modelling needs.`,
      'Choose an encoder such as BERT, RoBERTa or DistilBERT.',
    );
  return { cls, sep, mask, pad, words: { from: 0, to: vocabularySize - 1 } };
}

/** Masks of held-out texts are the same for every run, so that their numbers compare. */
const heldOutSeed = 1;

/** A split's texts as token ids in memory, without the tokenizer's own. */
export class MaskedTexts {
  constructor(
    private readonly tokens: Int32Array,
    /** Text i is tokens[offsets[i]] to tokens[offsets[i + 1]]; [size + 1]. */
    private readonly offsets: Int32Array,
    /** The caller's id of each text. */
    readonly ids: Float64Array,
    /** Texts without a token, which were left out. */
    readonly empty: number,
    /** Tokens of a row between the tokenizer's own. */
    private readonly room: number,
    private readonly special: MaskedIds,
    private readonly masking: Masking,
  ) {}

  get size(): number {
    return this.ids.length;
  }

  #text(index: number): Int32Array {
    return this.tokens.subarray(this.offsets[index], this.offsets[index + 1]);
  }

  /** Pieces of every text, none longer than a row; `text` says whose. */
  #pieces(): { readonly text: number; readonly row: Int32Array }[] {
    return Array.from({ length: this.size }, (_, text) =>
      this.#cut(this.#text(text)).map((row) => ({ text, row })),
    ).flat();
  }

  #cut(tokens: Int32Array): Int32Array[] {
    return Array.from({ length: Math.ceil(tokens.length / this.room) }, (_, at) =>
      tokens.subarray(at * this.room, (at + 1) * this.room),
    );
  }

  /**
   * Rows for training. With `packing` all texts are one stream, a separator between two, cut into full rows; else each text has rows of
   * its own. A batch's masks depend on the seed and on the draw that it is asked for.
   */
  training(packing: boolean, seed: number): RowBatches {
    const rows = packing ? this.#cut(this.#stream()) : this.#pieces().map(({ row }) => row);
    return {
      size: rows.length,
      length: (row) => (rows[row]?.length ?? 0) + 2,
      batch: (places, draw = 0) => {
        const generator = xoroshiro128plus(streamSeed(seed, draw));
        const own = Array.from(places, (place) => rows[place] ?? new Int32Array());
        return maskedBatch(own, this.special, this.masking, () => generator);
      },
    };
  }

  #stream(): Int32Array {
    const stream = new Int32Array(this.tokens.length + Math.max(0, this.size - 1));
    let at = 0;
    for (let text = 0; text < this.size; text += 1) {
      if (text > 0) stream[at++] = this.special.sep;
      stream.set(this.#text(text), at);
      at += this.#text(text).length;
    }
    return stream;
  }

  /** Rows for measuring, each with the place of its text; the masks are always the same. */
  heldOut(): RowBatches & { textOf(row: number): number } {
    const pieces = this.#pieces();
    return {
      size: pieces.length,
      length: (row) => (pieces[row]?.row.length ?? 0) + 2,
      textOf: (row) => pieces[row]?.text ?? 0,
      batch: (places) =>
        maskedBatch(
          Array.from(places, (place) => pieces[place]?.row ?? new Int32Array()),
          this.special,
          this.masking,
          (row) => xoroshiro128plus(streamSeed(heldOutSeed, places[row] ?? 0)),
        ),
    };
  }
}

const chunkRows = 256;

/** Tokenizes texts as they come. @throws StudioError `bad-model` for a tokenizer without a mask token */
export async function encodeMasked(
  rows:
    | AsyncIterable<{ readonly id: number; readonly text: string }>
    | Iterable<{ readonly id: number; readonly text: string }>,
  tokenizer: TextTokenizer,
  { maxLength, ...masking }: Masking & { readonly maxLength: number },
): Promise<MaskedTexts> {
  const special = maskedIdsOf(tokenizer);
  const tokens = new Growing(1 << 16);
  const offsets = [0];
  const ids: number[] = [];
  let empty = 0;
  let chunk: { readonly id: number; readonly text: string }[] = [];
  const flush = async () => {
    for (const [at, { ids: own }] of (await tokenizer.place(chunk.map(({ text }) => text))).entries()) {
      if (own.length === 0) empty += 1;
      else {
        tokens.push(own);
        offsets.push(tokens.length);
        ids.push(chunk[at]?.id ?? 0);
      }
    }
    chunk = [];
  };
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length >= chunkRows) await flush();
  }
  if (chunk.length > 0) await flush();
  return new MaskedTexts(
    tokens.take(),
    Int32Array.from(offsets),
    Float64Array.from(ids),
    empty,
    maxLength - 2,
    special,
    masking,
  );
}
