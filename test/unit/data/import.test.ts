import { describe, expect, test } from 'vitest';
import { importRequestSchema } from '../../../electron/contract/index.js';
import { importRows, type ImportedRow, type ImportHooks, type ImportProgress } from '../../../electron/data/index.js';
import { scratchFolder } from './scratch.js';

const files = scratchFolder();

async function run(request: Record<string, unknown>, hooks: ImportHooks = {}) {
  const rows: ImportedRow[] = [];
  const sizes: number[] = [];
  const full = importRequestSchema.parse({
    projectId: 1,
    name: 'data',
    textColumn: 'text',
    labelColumn: 'label',
    ...request,
  });
  const summary = await importRows(
    full,
    {
      write: async (batch) => {
        sizes.push(batch.length);
        rows.push(...batch);
      },
    },
    hooks,
  );
  return { rows, sizes, summary };
}
const table = (count: number, row: (index: number) => string) =>
  `text,label\n${Array.from({ length: count }, (_, index) => `${row(index)}\n`).join('')}`;
const many = (count: number) => table(count, (index) => `text number ${index},${'abcd'[index % 4]}`);

describe('importRows', () => {
  test('draws the splits, numbers rows within them, and tells what it did', async () => {
    const path = await files.write('many.csv', many(9000));
    const { rows, sizes, summary } = await run({ path, validation: 0.1, test: 0.2, seed: 3 });
    expect(summary).toMatchObject({
      rows: { train: 6300, validation: 900, test: 1800 },
      labels: ['a', 'b', 'c', 'd'],
      skippedRows: 0,
      problems: [],
      notes: [],
      splitNote: '10 % validation and 20 % test drawn by label with seed 3, equal texts kept together.',
    });
    expect(sizes).toEqual([4000, 4000, 1000]);
    // As earlier versions had it: the same file stays the same data.
    expect(summary.contentHash).toBe('61c932fce220dd422fbae3218eb0985ab58a283427506cfc500bd517a2ca5257');
    for (const split of ['train', 'validation', 'test'] as const)
      expect(rows.filter((row) => row.split === split).map((row) => row.position)).toEqual(
        Array.from({ length: summary.rows[split] }, (_, position) => position),
      );
    expect(rows[17]).toMatchObject({ line: 19, text: 'text number 17', label: 'b', pair: null });
    expect((await run({ path, validation: 0.1, test: 0.2, seed: 3 })).summary.contentHash).toBe(summary.contentHash);
    expect((await run({ path, validation: 0.1, test: 0.2, seed: 4 })).summary.contentHash).not.toBe(
      summary.contentHash,
    );
  });

  test('given files, each of its own format; a share comes out of the training file', async () => {
    const path = await files.write('train.csv', many(100));
    const other = await files.write('test.jsonl', '{"text":"x","label":"a"}\n{"text":"y","label":"new"}\n');
    const { rows, summary } = await run({
      path,
      validation: 0.1,
      test: other,
      reading: { format: 'csv', delimiter: ',' },
    });
    expect(summary.rows).toEqual({ train: 90, validation: 10, test: 2 });
    expect(summary.splitNote).toBe(
      'Test from test.jsonl; 10 % validation drawn by label with seed 1, equal texts kept together.',
    );
    expect(summary.notes).toEqual(['The label "new" has no training rows: they cannot be learned.']);
    expect(rows.slice(-2).map((row) => [row.split, row.text, row.line])).toEqual([
      ['test', 'x', 1],
      ['test', 'y', 2],
    ]);
  });

  test('a split column, under its usual names', async () => {
    const path = await files.write(
      'column.tsv',
      'text\tlabel\tset\nr1\ta\ttrain\nr2\tb\tTrain\nr3\ta\tdev\nr4\tb\ttest\nr5\tb\telse\n',
    );
    const { summary } = await run({ path, splitColumn: 'set', badRows: 'skip' });
    expect(summary).toMatchObject({
      rows: { train: 2, validation: 1, test: 1 },
      skippedRows: 1,
      splitNote: 'By the column "set".',
    });
    expect(summary.problems).toEqual([
      { path, line: 6, problem: 'the split "else" in the column "set" is none of train, validation, test' },
    ]);
  });

  test('pairs, label blanks dropped, empty texts kept', async () => {
    const path = await files.write(
      'pairs.json',
      JSON.stringify([
        { text: 'a', other: 'b', label: ' yes ' },
        { text: '', other: 'c', label: 'no' },
        { text: 'd', other: 'e', label: 'no' },
      ]),
    );
    const { rows, summary } = await run({ path, pairColumn: 'other', validation: null, test: null });
    expect(rows.map(({ text, pair, label }) => [text, pair, label])).toEqual([
      ['a', 'b', 'yes'],
      ['', 'c', 'no'],
      ['d', 'e', 'no'],
    ]);
    expect(summary).toMatchObject({
      splitNote: 'All rows are for training.',
      labels: ['no', 'yes'],
      notes: [expect.stringContaining('no validation rows'), expect.stringContaining('no test rows')],
    });
  });

  test('labels are numbered as Python sorts: by code point', async () => {
    const path = await files.write(
      'order.jsonl',
      ['b', 'a', 'B', '\uff5e', '😀', 'ä'].map((label) => `${JSON.stringify({ text: 't', label })}\n`).join(''),
    );
    expect((await run({ path, validation: null, test: null })).summary.labels).toEqual([
      'B',
      'a',
      'b',
      'ä',
      '\uff5e',
      '😀',
    ]);
  });

  test('stop: the first bad row ends the import before anything is written', async () => {
    const path = await files.write('bad.csv', `${many(3000)}no label,\nthree,f,ields\n`);
    let written = 0;
    const request = importRequestSchema.parse({
      projectId: 1,
      name: 'd',
      path,
      textColumn: 'text',
      labelColumn: 'label',
    });
    await expect(
      importRows(request, {
        write: async () => {
          written += 1;
        },
      }),
    ).rejects.toMatchObject({
      code: 'bad-data',
      message: `${path}, line 3002: the label is missing: the column "label" is empty.`,
      context: { line: 3002 },
    });
    expect(written).toBe(0);
  });

  test('skip: bad rows are left out, counted and listed', async () => {
    const path = await files.write(
      'skip.csv',
      `${table(40, (index) => `"text, number ${index}",${'abcd'[index % 4]}`)}no label,\nthree,f,ields\n"open,a\n`,
    );
    const { summary } = await run({ path, badRows: 'skip', validation: null, test: null });
    expect(summary).toMatchObject({ rows: { train: 40 }, skippedRows: 3 });
    expect(summary.problems.map(({ line, problem }) => [line, problem])).toEqual([
      [42, 'the label is missing: the column "label" is empty'],
      [43, '3 fields where there are 2 columns'],
      [44, 'a quote opened in line 44 is never closed'],
    ]);
  });

  test.each([
    ['one class', 'text,label\nx,a\ny,a\n', {}, 'all 2 rows have the same label, "a"'],
    [
      'no such column',
      'text,label\nx,a\ny,b\n',
      { labelColumn: 'category' },
      'has no column "category". Its columns are: "text", "label"',
    ],
    [
      'labels all missing',
      'text,label\nx,\ny,\n',
      { badRows: 'skip' },
      'no row can be used; 2 were left out, the first in line 2: the label is missing',
    ],
    ['shares too large', 'text,label\nx,a\ny,b\n', { validation: 0.5, test: 0.5 }, 'Validation and test take 100 %'],
    [
      'a label column of long texts',
      `text,label\nx,${'y'.repeat(1001)}\n`,
      {},
      'the label is longer than the limit of 1000 characters',
    ],
    ['empty', '', {}, 'is empty'],
  ])('refuses: %s', async (name, content, request, message) => {
    const path = await files.write(`refused-${name}.csv`, content);
    await expect(run({ path, ...request })).rejects.toMatchObject({
      message: expect.stringContaining(message),
      hint: expect.any(String),
    });
  });

  test('JSON rows without a column: named as missing where no row has it, a bad row where some have', async () => {
    const none = await files.write('none.jsonl', '{"text":"x"}\n{"text":"y"}\n');
    await expect(run({ path: none, badRows: 'skip' })).rejects.toThrow('has no column "label"');
    const some = await files.write('some.jsonl', '{"text":"x","label":"a"}\n{"label":"b"}\n{"text":"y","label":"b"}\n');
    await expect(run({ path: some })).rejects.toThrow('line 2: no value for the text column "text"');
  });

  test('a bad row of a JSON array in one line is told by its number; by its line where that tells', async () => {
    const rows = '{"text":"x","label":"a"},{"text":"y","label":"b"},{"label":"b"},7';
    const one = await files.write('one.json', `[${rows}]`);
    await expect(run({ path: one })).rejects.toThrow('line 1: row 3: no value for the text column "text"');
    const seven = await files.write('seven.json', `[${rows.replace(',{"label":"b"}', '')}]`);
    await expect(run({ path: seven })).rejects.toThrow('line 1: row 3: a number where an object');
    const each = await files.write('each.json', `[\n${rows.replaceAll('},', '},\n')}]`);
    await expect(run({ path: each })).rejects.toThrow('line 4: no value for the text column "text"');
  });

  test('tells progress over both passes and stops at a signal', async () => {
    const path = await files.write('long.csv', many(60_000));
    const told: ImportProgress[] = [];
    await run({ path }, { onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)).toMatchObject({ done: told[0]?.total, rows: expect.any(Number), message: 'Writing rows' });
    expect(told.every((progress, index) => index === 0 || progress.done >= (told[index - 1]?.done ?? 0))).toBe(true);
    const controller = new AbortController();
    await expect(
      run({ path }, { onProgress: () => controller.abort(), signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'cancelled' });
  });
});
