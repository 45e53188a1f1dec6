/** Text of tokens that come one by one, and where a stop word ends it. */

/** Ids as text, without the tokenizer's own tokens. */
export type Decode = (ids: readonly number[]) => Promise<string>;

/** Stands for bytes that are no character yet. */
const broken = '\ufffd';

/**
 * Whole characters only: a character may be spread over tokens, and how a token reads may depend on those before it. Only the last
 * few ids are decoded at each token, so a long text costs no more than a short one.
 */
export class TextStream {
  readonly #ids: number[] = [];
  /** Decoding begins at the piece before the last. */
  #from = 0;
  /** Ids whose text has been given. */
  #read = 0;

  constructor(private readonly decode: Decode) {}

  /** The text that is certain with one more token; '' while a character is incomplete. */
  async push(id: number): Promise<string> {
    this.#ids.push(id);
    return this.#next((text) => !text.endsWith(broken));
  }

  /** What is left at the end, be it broken. */
  end(): Promise<string> {
    return this.#next(() => true);
  }

  async #next(isWhole: (text: string) => boolean): Promise<string> {
    const before = await this.decode(this.#ids.slice(this.#from, this.#read));
    const now = await this.decode(this.#ids.slice(this.#from));
    if (now.length <= before.length || !isWhole(now)) return '';
    this.#from = this.#read;
    this.#read = this.#ids.length;
    return now.slice(before.length);
  }
}

/** Looks for words that end a text, wherever tokens begin and end. What may yet become such a word is held back. */
export class StopWords {
  #held = '';
  #found = false;

  constructor(private readonly words: readonly string[]) {}

  /** Whether a word was met: the text ended before it. */
  get found(): boolean {
    return this.#found;
  }

  /** The text that may be shown now. */
  push(text: string): string {
    if (this.#found) return '';
    const all = this.#held + text;
    const places = this.words.map((word) => all.indexOf(word)).filter((place) => place >= 0);
    if (places.length > 0) {
      this.#found = true;
      this.#held = '';
      return all.slice(0, Math.min(...places));
    }
    const longest = Math.max(0, ...this.words.map((word) => beginningAtEnd(all, word)));
    this.#held = all.slice(all.length - longest);
    return all.slice(0, all.length - longest);
  }

  /** What was held back for nothing. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}

/** Length of the longest beginning of a word that a text ends with. */
function beginningAtEnd(text: string, word: string): number {
  for (let length = Math.min(word.length - 1, text.length); length > 0; length--)
    if (text.endsWith(word.slice(0, length))) return length;
  return 0;
}
