/**
 * Texts as prompts, and the places in them at which a label's word is read.
 *
 * A label's word is tokenized as it would stand in the template, after the literal text before {mask}. Encoders: {mask} becomes
 * as many mask tokens as the longest word has tokens (one, if each word is one token); a word of j tokens is read at the first j of
 * them. Decoders: the prompt ends before the word; its j-th token is read behind the prompt and the j - 1 before it, so that
 * a text is one row for each different beginning that words share.
 */
import { StudioError } from '../contract/errors.js';
import type { FullVerbalizer } from '../contract/verbalizer.js';
import type { VerbalizerSpec } from '../engine/types.js';
import { parseTemplate, type Piece } from './template.js';
import type { TextOrPair, TextTokenizer } from './tokenizer.js';
import type { EncodedText } from './types.js';

/** How the rows of a batch are laid out so that words can be read. */
export interface RowReading {
  /** Tokens behind a text's own, one list for each row that the text takes. */
  readonly variants: readonly (readonly number[])[];
  /** Row of the text and distance from its `readAt`, of each slot. */
  readonly slots: readonly { readonly variant: number; readonly offset: number }[];
}

export interface VerbalizerOptions {
  /** In the order of their class index. */
  readonly labels: readonly string[];
  readonly decoder: boolean;
  /** What stands in the place of {prompt}; without it the place closes up. */
  readonly wording?: string | null;
  /** Rows tell where the wording's tokens stand, for a search that exchanges them. */
  readonly located?: boolean;
}

export class Verbalizer {
  /** Use `openVerbalizer`. */
  constructor(
    private readonly tokenizer: TextTokenizer,
    private readonly pieces: readonly Piece[],
    private readonly wording: string,
    private readonly masks: number,
    /** Tokens that the tokenizer itself puts around a text; a decoder must not see those behind it. */
    private readonly special: { readonly leading: number; readonly trailing: number },
    private readonly located: boolean,
    readonly spec: VerbalizerSpec,
    readonly reading: RowReading,
  ) {}

  /**
   * Ids of each row's prompt. A text too long is cut at its end (of two the longer), so that the prompt itself stays whole.
   * @throws StudioError `bad-input` where the prompt leaves no room for a text
   */
  async encode(rows: readonly TextOrPair[], maxLength: number): Promise<EncodedText[]> {
    const room = maxLength - Math.max(...this.reading.variants.map(({ length }) => length));
    const whole = await this.ids(rows);
    return Promise.all(
      whole.map(async (ids, i) => {
        const row = rows[i] as TextOrPair;
        const cut = ids.length <= room ? { row, ids } : await this.cut(row, room, maxLength);
        return {
          ids: Int32Array.from(cut.ids),
          typeIds: new Int32Array(cut.ids.length),
          readAt: this.readAt(cut.row, cut.ids),
          ...(this.located ? { wordingAt: await this.wordingAt(cut.row, cut.ids) } : {}),
        };
      }),
    );
  }

  /** A row's prompt as text, with `wording` in the place of {prompt}. */
  prompt(row: TextOrPair, wording = this.wording): string {
    const filled = this.pieces.map((piece) => this.fill(piece, row, wording)).join('');
    return this.masks > 0 ? filled : filled.replace(/ +$/, '');
  }

  /** Token ids of prompts, uncut. */
  async ids(rows: readonly TextOrPair[], wording = this.wording): Promise<number[][]> {
    const all = await this.tokenizer.idsOf(rows.map((row) => this.prompt(row, wording)));
    const { trailing } = this.special;
    return this.masks > 0 || trailing === 0 ? all : all.map((ids) => ids.slice(0, -trailing));
  }

  /** Token ids of a wording where it stands in a row's prompt. */
  async wordingIds(row: TextOrPair, wording = this.wording): Promise<number[]> {
    const { stem, space } = this.beforeWording(row);
    const own = stem === '' ? [] : await this.tokenizer.ids(stem, false);
    return (await this.tokenizer.ids(`${stem}${space}${wording}`, false)).slice(own.length);
  }

  /** A row's tokens before and behind the wording. @throws StudioError `bad-input` where they cannot be told from it */
  async around(row: TextOrPair): Promise<{ before: readonly number[]; behind: readonly number[] }> {
    const [ids = []] = await this.ids([row]);
    const at = await this.wordingAt(row, ids);
    return { before: ids.slice(0, at), behind: ids.slice(at + (await this.wordingIds(row)).length) };
  }

  private async wordingAt(row: TextOrPair, ids: readonly number[]): Promise<number> {
    const { stem } = this.beforeWording(row);
    const at = this.special.leading + (stem === '' ? 0 : (await this.tokenizer.ids(stem, false)).length);
    if ((await this.wordingIds(row)).every((id, i) => id === ids[at + i])) return at;
    throw new StudioError(
      'bad-input',
      `method.initText: "${this.wording}" melts into the text beside it, so that its tokens cannot be told apart.`,
      'Put a space before and behind {prompt}, or start from another text.',
      { path: 'method.initText' },
    );
  }

  /** The text before the wording, and the space between them. */
  private beforeWording(row: TextOrPair): { stem: string; space: string } {
    const at = this.pieces.findIndex((piece) => 'place' in piece && piece.place === 'prompt');
    const text = this.pieces
      .slice(0, Math.max(0, at))
      .map((piece) => this.fill(piece, row, ''))
      .join('');
    const stem = text.replace(/ +$/, '');
    return { stem, space: text.length > stem.length ? ' ' : '' };
  }

  private fill(piece: Piece, { text, pair }: TextOrPair, wording: string): string {
    if ('literal' in piece) return piece.literal;
    switch (piece.place) {
      case 'text':
        return text;
      case 'pair':
        return pair ?? '';
      case 'prompt':
        return wording;
      case 'mask':
        return (this.tokenizer.maskToken ?? '').repeat(this.masks);
    }
  }

  /** Of an encoder the first of its masks (a text may hold mask tokens of its own), of a decoder the last token. */
  private readAt(row: TextOrPair, ids: readonly number[]): number {
    const { maskToken, maskId } = this.tokenizer;
    if (this.masks === 0 || maskToken === null) return ids.length - 1;
    const at = this.pieces.findIndex((piece) => 'place' in piece && piece.place === 'mask');
    const before = this.pieces.slice(0, at).map((piece) => this.fill(piece, row, this.wording));
    let left = before.join('').split(maskToken).length - 1;
    return ids.findIndex((id) => id === maskId && left-- === 0);
  }

  /** The longest beginning of a row's texts whose prompt fits. */
  private async cut(row: TextOrPair, room: number, maxLength: number): Promise<{ row: TextOrPair; ids: number[] }> {
    const encode = async (characters: number) => {
      const shorter = cutTexts(row, characters);
      const [ids = []] = await this.ids([shorter]);
      return { row: shorter, ids };
    };
    let [low, high] = [0, [...row.text].length + [...(row.pair ?? '')].length];
    let best = await encode(0);
    if (best.ids.length >= room)
      throw new StudioError(
        'bad-input',
        `training.maxLength: the prompt without a text has ${best.ids.length + maxLength - room} tokens, and rows are cut to ${maxLength}.`,
        'Use a larger maximum length or a shorter template.',
        { path: 'training.maxLength' },
      );
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const tried = await encode(middle);
      if (tried.ids.length <= room) {
        best = tried;
        low = middle;
      } else high = middle - 1;
    }
    return best;
  }
}

/** Both texts cut to so many characters together; of two the longer one is cut first. */
function cutTexts({ text, pair }: TextOrPair, characters: number): TextOrPair {
  const [first, second] = [[...text], [...(pair ?? '')]];
  const half = Math.floor(characters / 2);
  const keptSecond = Math.min(second.length, Math.max(half, characters - first.length));
  return {
    text: first.slice(0, characters - keptSecond).join(''),
    pair: pair === null ? null : second.slice(0, keptSecond).join(''),
  };
}

/**
 * Tokenizes the words of a verbalizer.
 * @throws StudioError `bad-input` where the tokenizer has no mask token, a word has no tokens of its own, or two have the same
 */
export async function openVerbalizer(
  tokenizer: TextTokenizer,
  { template, words, score }: FullVerbalizer,
  { labels, decoder, wording = null, located = false }: VerbalizerOptions,
): Promise<Verbalizer> {
  const all = parseTemplate(template, decoder);
  const pieces = wording ? all : withoutWording(all);
  if (!decoder && tokenizer.maskToken === null)
    throw new StudioError(
      'bad-input',
      `verbalizer: the tokenizer in ${tokenizer.name} has no mask token.`,
      'Classify by a head (verbalizer null).',
      { path: 'verbalizer' },
    );
  const at = pieces.findIndex((piece) => 'place' in piece && piece.place === 'mask');
  const before = pieces[at - 1];
  const literal = before === undefined ? '' : 'literal' in before ? before.literal : 'a';
  const tokens: number[][] = [];
  for (const label of labels) tokens.push(await wordTokens(tokenizer, label, words[label] ?? label, literal));
  requireDifferent(labels, tokens);
  const layout = decoder ? behindPrompt(tokens) : atMasks(tokens);
  return new Verbalizer(
    tokenizer,
    pieces,
    wording ?? '',
    decoder ? 0 : Math.max(...tokens.map(({ length }) => length)),
    await specialTokens(tokenizer),
    located,
    { slots: layout.reading.slots.length, words: layout.words, score },
    layout.reading,
  );
}

/** The tokens of a word behind the literal text before it: what follows that text's own. */
async function wordTokens(tokenizer: TextTokenizer, label: string, word: string, literal: string): Promise<number[]> {
  const stem = literal.replace(/ +$/, '');
  const space = literal.length > stem.length ? ' ' : '';
  // A sign before the space makes it part of the text, whatever the tokenizer does at a text's beginning.
  const anchor = stem === '' && space === ' ' ? 'a' : stem;
  const own = anchor === '' ? [] : await tokenizer.ids(anchor, false);
  const both = await tokenizer.ids(`${anchor}${space}${word}`, false);
  const tokens = both.slice(own.length);
  if (tokens.length === 0 || own.some((id, i) => id !== both[i]) || tokens.includes(tokenizer.unkId ?? -1))
    throw new StudioError(
      'bad-input',
      `verbalizer.words: the vocabulary cannot spell "${word}", the word of the label "${label}", behind "${literal}".`,
      'Choose another word, or put a space before {mask}.',
      { path: `verbalizer.words.${label}` },
    );
  return tokens;
}

function requireDifferent(labels: readonly string[], tokens: readonly (readonly number[])[]): void {
  tokens.forEach((own, i) => {
    const same = tokens.findIndex((other, j) => j < i && other.join() === own.join());
    if (same >= 0)
      throw new StudioError(
        'bad-input',
        `verbalizer.words: the words of "${labels[same]}" and "${labels[i]}" are the same tokens to this model.`,
        'Give one of them another word.',
        { path: `verbalizer.words.${labels[i]}` },
      );
  });
}

interface Layout {
  readonly reading: RowReading;
  readonly words: VerbalizerSpec['words'];
}

function atMasks(tokens: readonly (readonly number[])[]): Layout {
  const masks = Math.max(...tokens.map(({ length }) => length));
  return {
    reading: { variants: [[]], slots: Array.from({ length: masks }, (_, offset) => ({ variant: 0, offset })) },
    words: tokens.map((word) => word.map((token, slot) => ({ slot, token }))),
  };
}

function behindPrompt(tokens: readonly (readonly number[])[]): Layout {
  const beginnings = new Map<string, readonly number[]>();
  for (const word of tokens)
    for (let length = 0; length < word.length; length += 1)
      beginnings.set(word.slice(0, length).join(), word.slice(0, length));
  const all = [...beginnings.values()];
  const begins = (short: readonly number[], long: readonly number[]) => short.every((id, i) => id === long[i]);
  const variants = all.filter((one) => !all.some((other) => other.length > one.length && begins(one, other)));
  const slotOf = new Map(all.map((one, slot) => [one.join(), slot]));
  return {
    reading: {
      variants,
      slots: all.map((one) => ({
        variant: variants.findIndex((variant) => begins(one, variant)),
        offset: one.length,
      })),
    },
    words: tokens.map((word) =>
      word.map((token, length) => ({ slot: slotOf.get(word.slice(0, length).join()) ?? 0, token })),
    ),
  };
}

/** A template without a wording: the place closes up, with the space beside it. */
function withoutWording(pieces: readonly Piece[]): readonly Piece[] {
  const at = pieces.findIndex((piece) => 'place' in piece && piece.place === 'prompt');
  if (at < 0) return pieces;
  const next = pieces[at + 1];
  const closed = next && 'literal' in next ? [{ literal: next.literal.replace(/^ /, '') }] : next ? [next] : [];
  return [
    ...pieces.slice(0, at),
    ...closed.filter((p) => !('literal' in p) || p.literal !== ''),
    ...pieces.slice(at + 2),
  ];
}

/** How many tokens the tokenizer itself puts around a text. */
async function specialTokens(tokenizer: TextTokenizer): Promise<{ leading: number; trailing: number }> {
  const [own, whole] = [await tokenizer.ids('a', false), await tokenizer.ids('a', true)];
  const leading = whole.findIndex((_, at) => own.every((id, i) => id === whole[at + i]));
  return leading < 0 ? { leading: 0, trailing: 0 } : { leading, trailing: whole.length - leading - own.length };
}
