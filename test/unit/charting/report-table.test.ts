/** Tables of a report in words, in order and as bare numbers. */
import { expect, it } from 'vitest';
import { cellWords, columnTitle, flatTable, isNumeric, sortKey } from '../../../electron/charting/report-table.js';
import { tableTexts } from '../../../electron/charting/values.js';
import type { ReportTable } from '../../../electron/contract/index.js';
import { everyFigure } from '../../fixtures/reports/every-figure.js';

const [table] = everyFigure.tables as [ReportTable];
const column = (key: string) => {
  const found = table.columns.find((one) => one.key === key);
  if (!found) throw new Error(`no column ${key}`);
  return found;
};
const [full, lora] = table.rows as [ReportTable['rows'][number], ReportTable['rows'][number]];

it('says shares in percent, differences with their sign, sizes and times with their units', () => {
  expect(cellWords(lora.cells['macroF1'], column('macroF1'))).toEqual({ text: '93.0', ends: '91.9 to 94.1' });
  expect(cellWords(lora.cells['difference'], column('difference'))).toEqual({
    text: '\u22120.2',
    ends: '\u22121.4 to +1.0',
  });
  expect(cellWords(lora.cells['memory'], column('memory')).text).toBe('575 MB');
  expect(cellWords(lora.cells['step'], column('step')).text).toBe('201 ms');
  expect(cellWords(full.cells['difference'], column('difference'))).toEqual({ text: '\u2013', ends: null });
  expect(table.columns.map(columnTitle)).toEqual(
    expect.arrayContaining(['macro F1, %', 'difference, points', 'trained']),
  );
});

it('sorts numbers by their size and knows columns of numbers', () => {
  expect(sortKey(lora, column('macroF1'))).toBeCloseTo(0.93);
  expect(sortKey(full, column('difference'))).toBeNull();
  expect([isNumeric(table, column('p')), isNumeric(table, column('verdict'))]).toEqual([true, false]);
});

it('gives a spreadsheet the bare numbers with the ends of their intervals', () => {
  const { columns, rows } = flatTable(table);
  expect(columns.slice(2, 5)).toEqual(['macro F1 [share]', 'macro F1 95 % from', 'macro F1 95 % to']);
  expect(rows.every((row) => row.length === columns.length)).toBe(true);
  expect(rows[0]?.at(-1)).toBe('1 2 3');
});

it('writes the measures of a column with the same decimals', () => {
  const texts = tableTexts({
    columns: ['name', 'score', 'rows'],
    rows: [
      ['a', 59.264, 8],
      ['b', 53, 1240],
      ['c', null, 3],
    ],
  });
  expect(texts.map((row) => row.slice(1))).toEqual([
    ['59.26', '8'],
    ['53.00', '1,240'],
    ['\u2013', '3'],
  ]);
});
