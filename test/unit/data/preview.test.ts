import { describe, expect, test } from 'vitest';
import { filePreviewSchema } from '../../../electron/contract/index.js';
import { previewFile } from '../../../electron/data/index.js';
import { suggestRoles } from '../../../electron/data/roles.js';
import { scratchFolder } from './scratch.js';

const files = scratchFolder();
const column = (name: string, distinct = 500, meanLength = 40, values: string[] = ['x']) => ({
  name,
  distinct,
  empty: 0,
  meanLength,
  values,
});
const suggested = (...columns: Parameters<typeof suggestRoles>[0][number][]) =>
  Object.fromEntries(suggestRoles(columns, 1000));

describe('previewFile', () => {
  test.each(['constructor', '__proto__', 'toString'])(
    'shows a column called %s, which some rows lack',
    async (name) => {
      const json = await files.write('named.json', `[{"text":"a b","${name}":"x"},{"text":"c d"}]`);
      expect(await previewFile(json)).toMatchObject({
        columns: [{ name: 'text' }, { name, empty: 1 }],
        rows: [
          ['a b', 'x'],
          ['c d', ''],
        ],
      });
      const csv = await files.write('named.csv', `text,${name}\na b,x\nc d,y\n`);
      expect((await previewFile(csv)).rows).toEqual([
        ['a b', 'x'],
        ['c d', 'y'],
      ]);
    },
  );

  test('shows real rows, facts and suggested roles, and reads no more than it needs', async () => {
    const path = await files.write(
      'preview.csv',
      `id,text,label\n${Array.from({ length: 5000 }, (_, row) => `${row},sentence ${row},${row % 2 === 0 ? 'a' : ''}\n`).join('')}`,
    );
    const preview = await previewFile(path);
    expect(filePreviewSchema.parse(preview)).toEqual(preview);
    expect(preview).toMatchObject({
      format: 'csv',
      encoding: 'utf-8',
      delimiter: ',',
      header: true,
      rowsSampled: 1000,
      problems: [],
    });
    expect(preview.columns).toEqual([
      {
        name: 'id',
        distinct: 1000,
        empty: 0,
        meanLength: expect.any(Number),
        numbers: { low: 0, high: 999 },
        suggestedRole: 'ignore',
      },
      {
        name: 'text',
        distinct: 1000,
        empty: 0,
        meanLength: expect.any(Number),
        numbers: null,
        suggestedRole: 'text',
      },
      { name: 'label', distinct: 1, empty: 500, meanLength: 1, numbers: null, suggestedRole: 'label' },
    ]);
    expect(preview.rows).toHaveLength(50);
    expect(preview.rows[1]).toEqual(['1', 'sentence 1', '']);
  });

  test('bad rows are listed beside the good ones; a file of bad rows only is refused', async () => {
    expect(
      (await previewFile(await files.write('some.jsonl', '{"text":"a"}\nnot json\n{"text":"b"}\n'))).problems,
    ).toEqual([{ line: 2, message: expect.stringContaining('invalid JSON') }]);
    await expect(previewFile(await files.write('none.jsonl', 'x\ny\n'), { format: 'jsonl' })).rejects.toMatchObject({
      code: 'bad-data',
      message: expect.stringContaining('Line 1: invalid JSON'),
    });
    await expect(previewFile(await files.write('header.csv', 'text,label\n'))).rejects.toThrow(
      'has a header but no rows',
    );
  });
});

describe('suggestRoles', () => {
  test('by the whole name, not a part of it', () => {
    expect(suggested(column('context'), column('text'), column('labelled_by', 3, 5), column('label', 4, 6))).toEqual({
      text: 'text',
      label: 'label',
    });
  });

  test('pairs', () => {
    expect(
      suggested(column('sentence1'), column('sentence2'), column('score', 70, 4), column('gold_label', 3, 8)),
    ).toEqual({ sentence1: 'text', sentence2: 'pair', gold_label: 'label' });
    expect(suggested(column('question'), column('passage', 500, 300), column('label', 2, 4))).toEqual({
      question: 'text',
      passage: 'pair',
      label: 'label',
    });
    expect(suggested(column('text'), column('answer'), column('label', 2, 4))).toEqual({
      text: 'text',
      label: 'label',
    });
  });

  test('by values where names say nothing: the longest is the text, the one with few values the label; a split column by its values', () => {
    expect(
      suggested(column('a', 900, 6), column('b', 950, 80), column('c', 5, 7), column('set', 2, 5, ['train', 'dev'])),
    ).toEqual({ b: 'text', c: 'label', set: 'split' });
    expect(suggested(column('set', 2, 5, ['red', 'blue']), column('x', 900, 50))).toEqual({ set: 'label', x: 'text' });
  });
});
