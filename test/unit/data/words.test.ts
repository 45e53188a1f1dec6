/** Words and windows as token ids, against what transformers' tokenizers give (test/oracle/make_entities.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openTokenizer } from '../../../electron/data/index.js';
import { encodeQuestions, windowBatches } from '../../../electron/data/windows.js';
import { encodeWords, wordBatches, wordsOf } from '../../../electron/data/words.js';
import { oracleFolder } from '../../helpers/oracle.js';

const kindSchema = z.object({
  rows: z.array(
    z.object({
      words: z.array(z.string()),
      ids: z.array(z.number()),
      first: z.array(z.number()),
      wordIds: z.array(z.number().nullable()).nullable(),
    }),
  ),
  windows: z.array(
    z.object({
      question: z.string(),
      context: z.string(),
      windows: z.array(
        z.object({
          ids: z.array(z.number()),
          typeIds: z.array(z.number()),
          context: z.array(z.tuple([z.number(), z.number()]).nullable()),
        }),
      ),
    }),
  ),
});
const fixture = z
  .object({ bert: kindSchema, roberta: kindSchema })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'data', 'words.json'), 'utf8')));

describe.each(['bert', 'roberta'] as const)('%s', (kind) => {
  const open = () => openTokenizer(join(oracleFolder, 'models', kind));

  it('puts each word’s tag on its first token and leaves what is cut without one', async () => {
    const tokenizer = await open();
    const { rows } = fixture[kind];
    const tagged = rows.map(({ words }, id) => ({
      id,
      text: words.join(' '),
      label: words.map((_, word) => `B-${word}`).join(' '),
    }));
    const labels = Array.from({ length: 12 }, (_, word) => `B-${word}`);
    const encoded = await encodeWords(tagged, tokenizer, { labels, maxLength: 14 });
    rows.forEach(({ words, ids, first, wordIds }, row) => {
      const own = [...encoded.tokens.subarray(encoded.offsets[row], encoded.offsets[row + 1])];
      expect(own).toEqual(ids);
      const marks = [...encoded.labels.subarray(encoded.offsets[row], encoded.offsets[row + 1])];
      expect(words.map((_, word) => marks.indexOf(word))).toEqual(first);
      expect(marks.filter((mark) => mark !== -100).length).toBe(first.filter((at) => at >= 0).length);
      expect([...(encoded.rows[row]?.seen ?? [])]).toEqual(first.flatMap((at, word) => (at >= 0 ? [word] : [])));
      // The same as with words split beforehand.
      if (wordIds) expect(first).toEqual(words.map((_, word) => wordIds.indexOf(word)));
    });
    expect(encoded.cut.words).toBeGreaterThan(0);
    const batch = wordBatches(encoded, tokenizer.padId).batch(Int32Array.of(0, 4));
    expect(batch.labels.filter((label) => label !== -100).length).toBe(
      [0, 4].reduce((sum, row) => sum + (encoded.rows[row]?.seen.length ?? 0), 0),
    );
  });

  it('reads a long context in windows that overlap', async () => {
    const tokenizer = await open();
    const { windows } = fixture[kind];
    const asked = windows.map(({ question, context }, id) => ({
      id,
      text: question,
      pair: context,
      answers: id === 0 ? [{ text: 'bread and butter', start: context.indexOf('bread') }] : [],
    }));
    const encoded = await encodeQuestions(asked, tokenizer, { maxLength: 32, stride: 6 });
    let at = 0;
    windows.forEach(({ context, windows: theirs }, question) => {
      for (const { ids, typeIds, context: places } of theirs) {
        const [from, to] = [encoded.offsets[at] ?? 0, encoded.offsets[at + 1] ?? 0];
        expect(encoded.asked[at]).toBe(question);
        expect([...encoded.tokens.subarray(from, to)]).toEqual(ids);
        const { tokenTypeIds, labels } = windowBatches(encoded, tokenizer.padId).batch(Int32Array.of(at));
        expect([...tokenTypeIds]).toEqual(typeIds);
        // Their places count code points.
        const points = Array.from(context);
        places.forEach((place, token) => {
          const own = [encoded.from[from + token] ?? 0, encoded.to[from + token] ?? 0] as const;
          if (place === null) expect(own[0]).toBe(-1);
          else expect(context.slice(...own)).toBe(points.slice(...place).join(''));
        });
        const [start = 0, end = 0] = labels;
        const text = context.slice(encoded.from[from + start], encoded.to[from + end]).trim();
        if (start !== 0) expect(text).toMatch(/^bread and butter/);
        at += 1;
      }
    });
    expect(at).toBe(encoded.size);
    const [, second] = windows;
    expect(encoded.ends.some((position) => position > 0)).toBe(true);
    expect(
      [...encoded.ends.subarray(2 * (encoded.size - (second?.windows.length ?? 0)))].every((end) => end === 0),
    ).toBe(true);
  });
});

it('splits plain text into words and signs', () => {
  const text = "@paul It's in the U.S., well-known (#1)!";
  expect(wordsOf(text).map(({ text: word }) => word)).toEqual([
    '@paul',
    "It's",
    'in',
    'the',
    'U.S',
    '.',
    ',',
    'well-known',
    '(',
    '#1',
    ')',
    '!',
  ]);
  for (const { text: word, from, to } of wordsOf(text)) expect(text.slice(from, to)).toBe(word);
});
