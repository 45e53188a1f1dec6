/** Counted by words, texts have as many tokens as the tokenizer gives for them whole. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTokenizer, type TextTokenizer } from '../../../electron/data/index.js';
import { takesWordsAlone, WordLengths } from '../../../electron/data/word-lengths.js';
import { makeTinyModel, tinyVocabulary } from '../../helpers/tiny-model.js';

const bert = {
  model: { type: 'WordPiece' },
  normalizer: { type: 'BertNormalizer' },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  added_tokens: [{ content: '[MASK]' }],
};

it('only where blanks part words', () => {
  expect(takesWordsAlone(bert)).toBe(true);
  expect(takesWordsAlone({ ...bert, model: { type: 'BPE' } })).toBe(false);
  expect(takesWordsAlone({ ...bert, normalizer: null })).toBe(false);
  expect(takesWordsAlone({ ...bert, pre_tokenizer: { type: 'Metaspace' } })).toBe(false);
  expect(takesWordsAlone({ ...bert, added_tokens: [{ content: 'New York' }] })).toBe(false);
});

describe('of a real tokenizer', () => {
  let folder: string;
  let tokenizer: TextTokenizer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'word-lengths-'));
    tokenizer = await openTokenizer(await makeTinyModel(folder));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const whole = async (text: string, pair: string | null) => {
    const [encoded] = await tokenizer.encode([{ text, pair }], 100_000);
    return encoded?.ids.length;
  };
  const word = fc.oneof(
    fc.constantFrom(
      ...tinyVocabulary(),
      '[MASK]',
      'x[SEP]y',
      'Cat',
      'CAFÉ',
      'e\u0301',
      '\u0301',
      '日本',
      'a\u0000b',
      '\t',
      '\u00a0',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ unit: 'grapheme', maxLength: 120 }),
  );
  const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));

  it('any text, any pair', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.option(text), async (text, pair) => {
        expect(await tokenizer.lengths([{ text, pair }])).toEqual([await whole(text, pair)]);
      }),
      { numRuns: 400 },
    );
  });

  it('rows in their order, whatever they share', async () => {
    const rows = ['the cat', '', 'cat  cat the', 'the dog', ' '].map((text, i) => ({
      text,
      pair: i % 2 ? null : 'the fox',
    }));
    const expected = await Promise.all(rows.map(({ text, pair }) => whole(text, pair)));
    expect(await tokenizer.lengths(rows)).toEqual(expected);
    expect(await tokenizer.lengths(rows)).toEqual(expected);
  });
});

it('asks for each word once', async () => {
  const asked: string[][] = [];
  const words = new WordLengths(async (texts) => {
    asked.push([...texts]);
    return texts.map(({ length }) => length);
  });
  expect(await words.of(['ab c ab', 'c'])).toEqual([5, 1]);
  expect(await words.of(['ab', 'ddd c', ''])).toEqual([2, 4, 0]);
  expect(asked).toEqual([['ab', 'c'], ['ddd']]);
});
