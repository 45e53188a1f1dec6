/**
 * Tokens of texts, counted word by word: texts repeat their words, and the native tokenizer takes some thirty microseconds for a
 * sentence. Only for tokenizers that take each word by itself.
 */
import { z } from 'zod';

/** WordPiece as BERT has it: blanks part words, and nothing of a word depends on the next. */
const byWords = z.object({
  model: z.object({ type: z.literal('WordPiece') }),
  normalizer: z.object({ type: z.literal('BertNormalizer') }),
  pre_tokenizer: z.object({ type: z.literal('BertPreTokenizer') }),
  // A token of its own with a blank in it would go over two words.
  added_tokens: z.array(z.object({ content: z.string().regex(/^\S*$/) })).default([]),
});

/** @param tokenizer what stands in tokenizer.json */
export const takesWordsAlone = (tokenizer: unknown): boolean => byWords.safeParse(tokenizer).success;

/** Words that are remembered: the first ones, among which are those that come again most. */
const mostRemembered = 200_000;
/** Longer ones are addresses and the like, of which each is another. */
const longestRemembered = 40;

export class WordLengths {
  readonly #known = new Map<string, number>();

  /** @param count tokens of each text, without those that the tokenizer puts around one */
  constructor(private readonly count: (texts: readonly string[]) => Promise<readonly number[]>) {}

  /** Tokens of each text, without those that the tokenizer puts around one. */
  async of(texts: readonly string[]): Promise<number[]> {
    const lengths = texts.map(() => 0);
    /** Words that are not known, with the places of the texts that have them. */
    const unknown = new Map<string, number[]>();
    texts.forEach((text, place) => {
      for (const word of text.split(' ')) {
        const length = this.#known.get(word);
        if (length !== undefined) lengths[place] = (lengths[place] ?? 0) + length;
        else if (word !== '') {
          const places = unknown.get(word);
          if (places) places.push(place);
          else unknown.set(word, [place]);
        }
      }
    });
    const words = [...unknown.keys()];
    const counted = words.length > 0 ? await this.count(words) : [];
    words.forEach((word, at) => {
      const length = counted[at] ?? 0;
      for (const place of unknown.get(word) ?? []) lengths[place] = (lengths[place] ?? 0) + length;
      if (word.length <= longestRemembered && this.#known.size < mostRemembered) this.#known.set(copied(word), length);
    });
    return lengths;
  }
}

/** A part of a text keeps the whole text in memory. */
const copied = (part: string): string => Buffer.from(part, 'utf16le').toString('utf16le');
