/** Numbers, several labels and pairs: how files are recognized, what rows become, and what is refused by line and value. */
import { describe, expect, test } from 'vitest';
import { importRequestSchema, labelsOfRow } from '../../../electron/contract/index.js';
import { importRows, previewFile, profileRows, type ImportedRow } from '../../../electron/data/index.js';
import { parseList } from '../../../electron/contract/index.js';
import { parseNumber } from '../../../electron/data/numbers.js';
import { scratchFolder } from './scratch.js';

const files = scratchFolder();

async function imported(request: Record<string, unknown>) {
  const rows: ImportedRow[] = [];
  const full = importRequestSchema.parse({ projectId: 1, name: 'data', textColumn: 'text', ...request });
  const summary = await importRows(full, { write: async (batch) => void rows.push(...batch) });
  return { rows, summary };
}
const lines = (header: string, count: number, row: (index: number) => string) =>
  `${header}\n${Array.from({ length: count }, (_, index) => `${row(index)}\n`).join('')}`;

describe('numbers', () => {
  const pairs = lines('score\tsentence1\tsentence2\tsource', 60, (i) => `${(i % 26) / 5}\tone ${i}\tother ${i}\tx`);

  test('a column of fractions is a regression, with both texts of a pair', async () => {
    const preview = await previewFile(await files.write('pairs.tsv', pairs));
    expect(preview.suggestedTask).toBe('regression');
    expect(preview.columns.map(({ name, suggestedRole }) => [name, suggestedRole])).toEqual([
      ['score', 'label'],
      ['sentence1', 'text'],
      ['sentence2', 'pair'],
      ['source', 'ignore'],
    ]);
    expect(preview.columns[0]?.numbers).toEqual({ low: 0, high: 5 });
  });

  test('whole numbers of few kinds are classes', async () => {
    const text = lines('text,label', 40, (i) => `text ${i},${i % 3}`);
    expect((await previewFile(await files.write('classes.csv', text))).suggestedTask).toBe('classification');
  });

  test('rows keep the number, the summary its range, and the profile how they spread', async () => {
    const path = await files.write('numbers.tsv', pairs);
    const request = {
      task: 'regression',
      path,
      textColumn: 'sentence1',
      pairColumn: 'sentence2',
      labelColumn: 'score',
    };
    const { rows, summary } = await imported(request);
    expect(summary).toMatchObject({ labels: [], range: { low: 0, high: 5 } });
    expect(summary.splitNote).toBe('15 % validation and 15 % test drawn with seed 1, equal texts kept together.');
    expect(rows[3]).toMatchObject({ label: '0.6', pair: 'other 3' });
    const profile = await profileRows(
      rows.map((row) => ({ ...row })),
      { task: 'regression', tokenizer: null },
    );
    const mean = rows.reduce((sum, { label }) => sum + Number(label), 0) / rows.length;
    expect(profile.numbers?.mean).toBeCloseTo(mean, 9);
    expect(profile.numbers?.bins.reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(profile.numbers?.edges).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]);
    expect(profile.labels).toEqual([]);
  });

  test('what is no number is refused by its line, value and column; all the same too', async () => {
    const path = await files.write('bad.csv', 'text,label\na,1.5\nb,high\nc,2\n');
    await expect(imported({ task: 'regression', path, labelColumn: 'label' })).rejects.toThrow(
      'bad.csv, line 3: "high" in the column "label" is not a number.',
    );
    const skipped = await imported({ task: 'regression', path, labelColumn: 'label', badRows: 'skip' });
    expect(skipped.summary).toMatchObject({ skippedRows: 1, range: { low: 1.5, high: 2 } });
    const flat = await files.write('flat.csv', 'text,label\na,2\nb,2.0\n');
    await expect(imported({ task: 'regression', path: flat, labelColumn: 'label' })).rejects.toThrow(
      'all 2 rows have the same number, 2.',
    );
  });

  test.each([
    ['3.75', 3.75],
    ['-.5', -0.5],
    ['1e-3', 0.001],
    ['+2', 2],
    ['', null],
    ['1,5', null],
    ['NaN', null],
    ['Infinity', null],
    ['0x10', null],
    ['1e999', null],
  ])('%j', (cell, expected) => {
    expect(parseNumber(cell)).toBe(expected);
  });
});

describe('several labels', () => {
  test('behind a sign: the sign is found, blanks and repeats go, an empty cell has none', async () => {
    const sets = ['sport; news', 'news', '', 'sport;sport;weather', 'weather'];
    const path = await files.write(
      'tags.csv',
      lines('text,tags', 50, (i) => `text ${i},${sets[i % 5] ?? ''}`),
    );
    const preview = await previewFile(path);
    expect(preview).toMatchObject({
      suggestedTask: 'multi-label',
      multiLabel: { form: 'separated', column: 'tags', separator: ';' },
    });
    const { rows, summary } = await imported({ task: 'multi-label', path, labels: preview.multiLabel });
    expect(summary.labels).toEqual(['news', 'sport', 'weather']);
    expect(rows.slice(0, 4).map(({ label }) => labelsOfRow(label))).toEqual([
      ['news', 'sport'],
      ['news'],
      [],
      ['sport', 'weather'],
    ]);
    const profile = await profileRows(rows, { task: 'multi-label', tokenizer: null });
    expect(profile.labelsARow).toEqual([10, 20, 20]);
    expect(
      profile.labels.map(({ label, train, validation, test: held }) => [label, train + validation + held]),
    ).toEqual([
      ['news', 20],
      ['sport', 20],
      ['weather', 20],
    ]);
  });

  test('as lists, of JSON or of Python', async () => {
    const path = await files.write(
      'lists.jsonl',
      Array.from(
        { length: 20 },
        (_, i) => `${JSON.stringify({ text: `t ${i}`, labels: i % 2 ? ['b', 'a'] : ['c'] })}\n`,
      ).join(''),
    );
    const preview = await previewFile(path);
    expect(preview).toMatchObject({ suggestedTask: 'multi-label', multiLabel: { form: 'list', column: 'labels' } });
    const { rows } = await imported({ task: 'multi-label', path, labels: preview.multiLabel });
    expect(labelsOfRow(rows[1]?.label ?? '')).toEqual(['a', 'b']);
    expect(parseList(`['it''s', "a, b"]`)).toBeNull();
    expect(parseList(`['x', "a, b"]`)).toEqual(['x', 'a, b']);
    expect(parseList('[]')).toEqual([]);
    expect(parseList('[{"a": 1}]')).toBeNull();
  });

  test('in columns of 1 and 0', async () => {
    const path = await files.write(
      'flags.csv',
      lines('text,toxic,rude,threat', 40, (i) => `text ${i},${i % 2},${i % 3 === 0 ? 1 : 0},0`),
    );
    const preview = await previewFile(path);
    expect(preview).toMatchObject({
      suggestedTask: 'multi-label',
      multiLabel: { form: 'columns', columns: ['toxic', 'rude', 'threat'] },
    });
    const { rows, summary } = await imported({ task: 'multi-label', path, labels: preview.multiLabel });
    // Nobody has it, so that there is nothing to learn of it.
    expect(summary.labels).toEqual(['rude', 'toxic']);
    expect(labelsOfRow(rows[3]?.label ?? '')).toEqual(['rude', 'toxic']);
    const bad = await files.write('maybe.csv', 'text,toxic,rude\na,1,0\nb,maybe,0\n');
    await expect(
      imported({ task: 'multi-label', path: bad, labels: { form: 'columns', columns: ['toxic', 'rude'] } }),
    ).rejects.toThrow('maybe.csv, line 3: "maybe" in the column "toxic" is neither 1 nor 0.');
  });

  test('a column of one label a row stays classification, texts with commas too', async () => {
    const path = await files.write(
      'prose.csv',
      lines('text,label', 60, (i) => `"a, b, c ${i}, and more",${i % 2 ? 'yes' : 'no'}`),
    );
    expect(await previewFile(path)).toMatchObject({ suggestedTask: 'classification', multiLabel: null });
  });
});

describe('pairs', () => {
  test.each([
    ['premise', 'hypothesis', 'label'],
    ['sentence1', 'sentence2', 'gold_label'],
    ['question', 'passage', 'label'],
    ['question1', 'question2', 'label'],
    ['premise', 'hypothesis', 'entailment'],
  ])('%s and %s are read together', async (first, second, label) => {
    const path = await files.write(
      `${first}-${second}-${label}.csv`,
      lines(`${first},${second},${label}`, 30, (i) => `one ${i},other ${i},${['yes', 'no', 'maybe'][i % 3] ?? ''}`),
    );
    const preview = await previewFile(path);
    expect(preview.suggestedTask).toBe('classification');
    expect(preview.columns.map(({ suggestedRole }) => suggestedRole)).toEqual(['text', 'pair', 'label']);
  });
});
