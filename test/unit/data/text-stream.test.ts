import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openTokenizer, StopWords, TextStream, type TextTokenizer } from '../../../electron/data/index.js';
import { oracleFolder } from '../../helpers/oracle.js';

let tokenizer: TextTokenizer;
beforeAll(async () => {
  tokenizer = await openTokenizer(join(oracleFolder, 'models', 'llama'));
});

const stream = () => new TextStream((ids) => tokenizer.text(ids, true));

async function piecesOf(ids: readonly number[]): Promise<string[]> {
  const text = stream();
  const pieces: string[] = [];
  for (const id of ids) pieces.push(await text.push(id));
  return [...pieces, await text.end()];
}

describe('TextStream', () => {
  it.each([
    'The weather is fine today.',
    'Grüße aus Zürich, naïve café: “quoted” – dash…',
    '日本語のテキスト and 한국어, русский текст',
    'emoji 👩‍👩‍👧‍👦 🇨🇭 🙂‍↕️ end',
    '  leading blanks,\n\nlines\tand tabs  ',
  ])('gives whole characters only, and in the end the text: %j', async (text) => {
    const ids = await tokenizer.ids(text, false);
    const pieces = await piecesOf(ids);
    expect(pieces.join('')).toBe(text);
    for (const piece of pieces) expect(piece).not.toContain('\ufffd');
    for (const piece of pieces) expect(piece).not.toMatch(/[\ud800-\udbff]$/);
    // It streams: text is there long before the end.
    if (ids.length > 8) expect(pieces.slice(0, ids.length / 2).join('').length).toBeGreaterThan(2);
  });

  it('gives a character that is never finished at the end, and goes on behind a broken one', async () => {
    const [first, , third] = await tokenizer.ids('日', false);
    const word = await tokenizer.ids('ab', false);
    expect((await piecesOf([first as number])).join('')).toBe('\ufffd');
    expect((await piecesOf([...word, third as number, ...word])).join('')).toBe('ab\ufffdab');
  });

  it('decodes a few ids at a time, however long the text', async () => {
    let longest = 0;
    const text = new TextStream((ids) => {
      longest = Math.max(longest, ids.length);
      return tokenizer.text(ids, true);
    });
    for (const id of await tokenizer.ids('The weather is fine today. '.repeat(20), false)) await text.push(id);
    expect(longest).toBeLessThan(5);
  });
});

describe('StopWords', () => {
  const shown = (words: readonly string[], pieces: readonly string[]) => {
    const stop = new StopWords(words);
    const given = pieces.map((piece) => stop.push(piece));
    return { given, rest: stop.end(), found: stop.found };
  };

  it('ends before a word, wherever pieces begin and end', () => {
    expect(shown(['STOP'], ['all S', 'T', 'O', 'P here'])).toEqual({
      given: ['all ', '', '', ''],
      rest: '',
      found: true,
    });
    expect(shown(['\n\n'], ['one\n', 'two\n', '\nthree'])).toEqual({
      given: ['one', '\ntwo', ''],
      rest: '',
      found: true,
    });
  });

  it('shows what turned out to be no such word', () => {
    expect(shown(['STOP'], ['S', 'T', 'ORM'])).toEqual({ given: ['', '', 'STORM'], rest: '', found: false });
    expect(shown(['aab'], ['a', 'a', 'a', 'b'])).toEqual({ given: ['', '', 'a', ''], rest: '', found: true });
  });

  it('takes the first of several words, and gives what it held at the end', () => {
    expect(shown(['end', 'user:'], ['a user', ': end'])).toEqual({ given: ['a ', ''], rest: '', found: true });
    expect(shown(['end'], ['to the e', 'n'])).toEqual({ given: ['to the ', ''], rest: 'en', found: false });
    expect(shown([], ['as it', ' is'])).toEqual({ given: ['as it', ' is'], rest: '', found: false });
  });
});
