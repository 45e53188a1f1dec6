import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileName, toCsv } from '../../../electron/charting/csv.js';

describe('toCsv', () => {
  it('is read back by a CSV reader as it was, whatever the texts hold', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', ';', '\t', 'é', '😀') }),
            fc.double({ noNaN: true, noDefaultInfinity: true }),
          ),
          { maxLength: 8 },
        ),
        (rows) => {
          const records: unknown = parse(toCsv({ columns: ['name', 'value, quoted'], rows }), {
            relax_column_count: false,
          });
          expect(records).toEqual([
            ['name', 'value, quoted'],
            ...rows.map(([text, number]) => [/^[\t\r\n]/.test(text) ? `'${text}` : text, String(number)]),
          ]);
        },
      ),
    );
  });

  it('writes no text that a spreadsheet would run, and leaves numbers below zero alone', () => {
    const texts = ['=1+1', '+A1', '-A1', '@SUM(A1)', '\tA1', '\rA1', '\n=A1', '-2+3', '＝1', '－A1'];
    const lines = toCsv({ columns: ['=x'], rows: [...texts.map((text) => [text]), [-2.5], ['-2.5'], ['+1e-3']] });
    const read: unknown = parse(lines, { relax_column_count: false });
    expect(read).toEqual([["'=x"], ...texts.map((text) => [`'${text}`]), ['-2.5'], ['-2.5'], ['+1e-3']]);
    expect(lines).toContain(`"'=1+1"`);
  });

  it('leaves a missing value empty and numbers unformatted', () => {
    expect(
      toCsv({
        columns: ['step', 'loss'],
        rows: [
          [1240, null],
          [2, 0.5],
        ],
      }),
    ).toBe('step,loss\r\n1240,\r\n2,0.5\r\n');
  });
});

it('names files by letters and digits that every system takes', () => {
  expect(fileName('Loss, LoRA r 8: Déjà vu')).toBe('loss-lora-r-8-de-ja-vu');
  expect(fileName('\u2013')).toBe('chart');
});
