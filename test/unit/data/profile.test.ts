import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { profileSchema } from '../../../electron/contract/index.js';
import { openTokenizer, profileRows, type ProfileRow } from '../../../electron/data/index.js';
import { LengthHistogram } from '../../../electron/data/lengths.js';

const bert = join(import.meta.dirname, '..', '..', 'fixtures', 'oracle', 'models', 'bert');
const row = (split: ProfileRow['split'], line: number, label: string, text: string): ProfileRow => ({
  split,
  line,
  label,
  text,
  pair: null,
  messages: null,
});
const words = { task: 'classification', tokenizer: null } as const;
const rows = [
  ...Array.from({ length: 24 }, (_, index) =>
    row('train', index + 1, index % 2 === 0 ? 'a' : 'b', `sentence ${index}`),
  ),
  row('train', 30, 'a', 'Sentence   0'), // repeats line 1
  row('train', 31, 'b', 'sentence 2'), // another label than line 3
  row('train', 32, 'c', '   '),
  row('validation', 40, 'a', 'sentence 4'), // stands in train
  row('test', 50, 'b', 'SENTENCE 1'), // stands in train
  row('test', 51, 'new', 'unseen text'),
  row('test', 52, 'a', `long ${'word '.repeat(200)}`),
];
const find = (profile: Awaited<ReturnType<typeof profileRows>>, kind: string) =>
  profile.warnings.filter((warning) => warning.kind === kind);

describe('profileRows', () => {
  test('finds what will mislead a run, with rows and examples', async () => {
    const profile = await profileRows(rows, words);
    expect(profileSchema.parse(profile)).toEqual(profile);
    expect(profile.rows).toEqual({ train: 27, validation: 1, test: 3 });
    expect(profile.labels).toEqual([
      { label: 'a', train: 13, validation: 1, test: 1 },
      { label: 'b', train: 13, validation: 0, test: 1 },
      { label: 'c', train: 1, validation: 0, test: 0 },
      { label: 'new', train: 0, validation: 0, test: 1 },
    ]);
    expect(find(profile, 'empty-text')).toMatchObject([
      { rows: 1, severity: 'warn', message: '1 row without text.', examples: [{ line: 32 }] },
    ]);
    expect(find(profile, 'leak')).toMatchObject([
      { rows: 1, severity: 'bad', examples: [{ split: 'test', line: 50 }] },
      { rows: 1, severity: 'warn', examples: [{ split: 'validation', line: 40 }] },
    ]);
    expect(find(profile, 'conflicting-labels')).toMatchObject([
      {
        rows: 2,
        examples: [
          { line: 3, label: 'a' },
          { line: 31, label: 'b' },
        ],
      },
    ]);
    expect(find(profile, 'duplicate')).toMatchObject([{ rows: 2, examples: [{ line: 30 }] }]);
    expect(find(profile, 'rare-label')).toMatchObject([
      { severity: 'bad', rows: 1, message: '1 of 4 labels have no training rows: "new" (0).' },
      { severity: 'warn', rows: 1, message: '1 of 4 labels have fewer than 10 training rows: "c" (1).' },
    ]);
    expect(find(profile, 'long-text')).toMatchObject([
      { rows: 1, message: '1 row longer than 128 words.', examples: [{ line: 52 }] },
    ]);
  });

  test('counts are the same in any order of rows', async () => {
    const counts = (profile: Awaited<ReturnType<typeof profileRows>>) =>
      profile.warnings.map(({ kind, severity, rows: count }) => [kind, severity, count]);
    const backwards = await profileRows([...rows].reverse(), words);
    expect(counts(backwards)).toEqual(counts(await profileRows(rows, words)));
    expect(find(backwards, 'leak').map(({ examples }) => examples[0])).toMatchObject([
      { split: 'test', line: 50 },
      { split: 'validation', line: 40 },
    ]);
  });

  test('clean data have no warnings; pairs are compared whole', async () => {
    const clean = Array.from({ length: 40 }, (_, index) => ({
      ...row(index < 30 ? 'train' : 'test', index, index % 2 === 0 ? 'a' : 'b', 'same text'),
      pair: `pair ${index}`,
    }));
    expect((await profileRows(clean, words)).warnings).toEqual([]);
  });

  test('with a tokenizer lengths are tokens, special ones included', async () => {
    const tokenizer = await openTokenizer(bert);
    const profile = await profileRows(rows, { task: 'classification', tokenizer });
    const lengths = await tokenizer.lengths(rows);
    expect(profile.lengths.tokenizer).toBe(bert);
    expect(profile.lengths.max).toBe(Math.max(...lengths));
    expect(profile.lengths.bins.reduce((sum, bin) => sum + bin, 0)).toBe(rows.length);
    expect(profile.lengths.cut.find(({ maxLength }) => maxLength === 64)?.rows).toBe(
      lengths.filter((length) => length > 64).length,
    );
  });

  test('stops at a signal', async () => {
    await expect(profileRows(rows, words, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

describe('LengthHistogram', () => {
  test('bins cover every text; one far outlier does not flatten the rest', () => {
    const histogram = new LengthHistogram();
    for (let length = 1; length <= 100; length += 1) for (let times = 0; times < 3; times += 1) histogram.add(length);
    histogram.add(5000);
    const { edges, bins, median, p95, max, cut } = histogram.summary();
    expect(edges).toHaveLength(bins.length + 1);
    expect(bins.reduce((sum, bin) => sum + bin, 0)).toBe(301);
    expect([median, p95, max]).toEqual([51, 96, 5000]);
    expect(edges.slice(0, 3)).toEqual([0, 5, 10]);
    expect(edges.at(-1)).toBe(5001);
    expect(bins[0]).toBe(12);
    expect(cut.find(({ maxLength }) => maxLength === 64)).toEqual({
      maxLength: 64,
      rows: 36 * 3 + 1,
      share: 109 / 301,
    });
  });

  test('no rows', () => {
    expect(new LengthHistogram().summary()).toMatchObject({ median: 0, p95: 0, max: 0, bins: [0] });
  });
});
