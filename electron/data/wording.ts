/** A wording in a prompt: where its tokens stand, and which tokens are a text that can be typed. */
import type { WordingDoor } from '../engine/types.js';
import type { TextOrPair, TextTokenizer } from './tokenizer.js';
import type { Verbalizer } from './verbalizer.js';

/** What a reader would not see, or would lose when copying; and what a template would fill. */
const untypeable = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029\ufffd]|\{(?:text|pair|mask|prompt)\}/u;

/** Texts before and behind a wording that tokenizers treat differently: a word, a capital, a digit, a sign, a quotation mark. */
const usualProbes: readonly TextOrPair[] = ['a word', 'The 7 Days.', '42', '"so"', '(x)'].map((text) => ({
  text,
  pair: text,
}));

/**
 * @param probes rows of the data: a wording counts as typeable if it gives its tokens in front of (or behind) these and some usual texts
 */
export function wordingDoor(
  tokenizer: TextTokenizer,
  verbalizer: Verbalizer,
  probes: readonly TextOrPair[],
): WordingDoor {
  const rows = [...usualProbes, ...probes];
  const words = new Map<number, Promise<string>>();
  const frames = Promise.all(rows.map((row) => verbalizer.around(row)));
  return {
    ids: (text) => verbalizer.wordingIds(rows[0] as TextOrPair, text),
    word(token) {
      const known = words.get(token) ?? tokenizer.word(token);
      words.set(token, known);
      return known;
    },
    async spell(lists) {
      const texts = await Promise.all(lists.map((ids) => tokenizer.text(ids, true)));
      const known = await frames;
      const typed = texts.map((text) => (text === '' || text !== text.trim() || untypeable.test(text) ? null : text));
      const encoded = await Promise.all(typed.map((text) => (text === null ? [] : verbalizer.ids(rows, text))));
      return typed.map((text, i) => {
        const expected = known.map(({ before, behind }) => [...before, ...(lists[i] as readonly number[]), ...behind]);
        return text !== null && expected.every((ids, row) => ids.join() === encoded[i]?.[row]?.join()) ? text : null;
      });
    },
  };
}
