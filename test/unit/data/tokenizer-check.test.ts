/** What a foreign tokenizer.json may hold: at each of the refused ones the native library ended the whole process, or took all memory. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTokenizer } from '../../../electron/data/index.js';
import { whyWild } from '../../../electron/data/tame-pattern.js';
import { whyUnsafe } from '../../../electron/data/tokenizer-check.js';

const bert = join(import.meta.dirname, '..', '..', 'fixtures', 'oracle', 'models', 'bert');
const qwen =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const letters = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const capitals = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const o200k = `[^\\r\\n\\p{L}\\p{N}]?${capitals}*${letters}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?${capitals}+${letters}*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tokenizer-check-'));
});
afterAll(() => rm(scratch, { recursive: true }));

/** Opens BERT's tokenizer with some of its parts exchanged. */
async function opened(change: Readonly<Record<string, unknown>>, name: string) {
  const folder = join(scratch, name);
  await cp(bert, folder, { recursive: true });
  const path = join(folder, 'tokenizer.json');
  await writeFile(path, JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), ...change }));
  return openTokenizer(folder);
}

const split = (Regex: string) => ({
  pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
});
const text = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } });
const template = (single: readonly unknown[], more: object = {}) => ({
  post_processor: { type: 'TemplateProcessing', single, pair: [text('A'), text('B')], special_tokens: {}, ...more },
});

describe('openTokenizer', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['a pattern that takes for ever', split('(a+)+$')],
    ['one that is normalized by', { normalizer: { type: 'Replace', pattern: { Regex: '((a|aa)+)+b' }, content: 'x' } }],
    ['one that decodes', { decoder: { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: 'x' } }],
    ['a template without its token', template([{ SpecialToken: { id: 'x', type_id: 0 } }, text('A')])],
    ['a token named as every object has it', template([{ SpecialToken: { id: 'toString', type_id: 0 } }, text('A')])],
    ['a second text where there is one', template([text('B')])],
    ['a decoder that strips more than there is', { decoder: { type: 'Strip', content: 'a', start: 4e9, stop: 4e9 } }],
    ['a map of characters that is none', { normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } }],
    ['pieces of no length', { pre_tokenizer: { type: 'FixedLength', length: 0 } }],
    [
      'a prefix longer than its words',
      {
        model: {
          type: 'BPE',
          continuing_subword_prefix: 'xxxxxxxxxxxx',
          vocab: { '[CLS]': 0, '[SEP]': 1, '[PAD]': 2, a: 3, b: 4, ab: 5 },
          merges: ['a b'],
        },
      },
    ],
    [
      'normalizers that make a text endless',
      {
        normalizer: {
          type: 'Sequence',
          normalizers: Array.from({ length: 12 }, () => ({
            type: 'Replace',
            pattern: { Regex: '.' },
            content: 'aaaaaaaaaa',
          })),
        },
      },
    ],
  ])('refuses %s in words', async (name, change) => {
    await expect(opened(change, name)).rejects.toMatchObject({
      code: 'bad-model',
      hint: 'Take the tokenizer files of the model again.',
      message: expect.stringMatching(/cannot be read: \w/) as unknown,
    });
  });

  it('opens one whose parts are as Llama 2 and 3 have them', async () => {
    const one = await opened({ ...split(qwen), ...template([text('A')]) }, 'whole');
    expect((await one.lengths([{ text: 'two words', pair: null }]))[0]).toBeGreaterThan(0);
    expect(
      whyUnsafe({
        normalizer: {
          type: 'Sequence',
          normalizers: [
            { type: 'Prepend', prepend: '▁' },
            { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
          ],
        },
        pre_tokenizer: null,
        post_processor: {
          type: 'Sequence',
          processors: [{ type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true }],
        },
        decoder: {
          type: 'Sequence',
          decoders: [
            { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
            { type: 'ByteFallback' },
            { type: 'Fuse' },
            { type: 'Strip', content: ' ', start: 1, stop: 0 },
          ],
        },
        model: { type: 'BPE', continuing_subword_prefix: null, vocab: {}, merges: [] },
      }),
    ).toBeNull();
  });
});

describe('whyWild', () => {
  it.each([
    qwen,
    o200k,
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    qwen.replace('|\\p{N}|', '|\\p{N}{1,3}|'),
    '',
    '.',
    '[^[a-z]&&[b]]+',
    '\\)+|[)]',
  ])('lets in %s', (pattern) => {
    expect(whyWild(pattern)).toBeNull();
  });

  it.each([
    '(a+)+$',
    '(a|a)*b',
    '(?:a?){30}b',
    'a*a*b',
    'a?a?a?a?b',
    'a{0,1000}b',
    '(?=a+a+b)',
    '(a)\\1',
    '\\g<0>',
    '(?<n>a)\\k<n>',
    '(?~a)',
    '(?<=a+)b',
    'a+**',
    '\\X',
    '(a',
    'a)',
    '[a',
    'x'.repeat(3000),
  ])('refuses %s', (pattern) => {
    expect(whyWild(pattern)).not.toBeNull();
  });
});
