import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellLimit } from '../../../../electron/data/limits.js';
import { DelimitedParser } from '../../../../electron/data/readers/delimited-text.js';

/** Parses `text` fed in pieces of `size` characters. */
function parsed(text: string, { delimiter = ',', quoted = true, size = Infinity } = {}) {
  const parser = new DelimitedParser(delimiter, quoted);
  const records = [];
  for (let at = 0; at < text.length; at += Math.min(size, text.length))
    records.push(...parser.feed(text.slice(at, at + size)));
  return [...records, ...parser.end()];
}
const fields = (text: string, options = {}) => parsed(text, options).map((record) => record.fields);
const quotedCell = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

describe('DelimitedParser', () => {
  test('quotes, doubled quotes, line ends in cells, every kind of line end', () => {
    const text = 'a,b\r\n"x, ""y""\nz",2\r3,\n\n,4';
    expect(parsed(text)).toEqual([
      { line: 1, fields: ['a', 'b'], problem: null, loose: false },
      { line: 2, fields: ['x, "y"\nz', '2'], problem: null, loose: false },
      { line: 4, fields: ['3', ''], problem: null, loose: false },
      { line: 6, fields: ['', '4'], problem: null, loose: false },
    ]);
  });

  test('reads alike however the text is cut', () => {
    const text = 'id,text\r\n1,"a ""b""\r\n\r\nc"\r\n2,"d"e,\r\n3,5" nail\r"unclosed,\r\n4,x';
    const whole = parsed(text);
    for (let size = 1; size < 12; size += 1) expect(parsed(text, { size })).toEqual(whole);
  });

  test('quotes in the middle of a cell, or with text behind them, belong to the cell', () => {
    expect(fields('5" nail,"Hello" he said,"x"y"\n')).toEqual([['5" nail', '"Hello" he said', '"x"y"']]);
    expect(fields('"a\tb"\t1\n', { delimiter: '\t', quoted: false })).toEqual([['"a', 'b"', '1']]);
  });

  test('a quote that is never closed costs its own line, not the rest of the file', () => {
    expect(parsed('a,b\n1,"two\n3,4\n5,"si""x"\n')).toEqual([
      { line: 1, fields: ['a', 'b'], problem: null, loose: false },
      { line: 2, fields: [], problem: 'a quote opened in line 2 is never closed', loose: true },
      { line: 3, fields: ['3', '4'], problem: null, loose: false },
      { line: 4, fields: ['5', 'si"x'], problem: null, loose: false },
    ]);
    expect(
      parsed('a,b\n1,"two\n3,4\n5,six').map(({ line, problem, fields: cells }) => [line, problem ?? cells]),
    ).toEqual([
      [1, ['a', 'b']],
      [2, 'a quote opened in line 2 is never closed'],
      [3, ['3', '4']],
      [4, ['5', 'six']],
    ]);
    expect(parsed('1,"two')).toEqual([
      { line: 1, fields: ['1', 'two'], problem: 'a quote opened in line 1 is never closed', loose: false },
    ]);
  });

  test('a cell over the limit is a problem of its row, and is not held', () => {
    const parser = new DelimitedParser(',');
    const piece = 'x'.repeat(1 << 18);
    const records = [...parser.feed('a,b\n1,"')];
    for (let count = 0; count < 200; count += 1) records.push(...parser.feed(piece));
    records.push(...parser.feed('"\n2,fine\n'), ...parser.end());
    expect(records.map(({ line, fields: cells, problem }) => [line, problem ?? cells])).toEqual([
      [1, ['a', 'b']],
      [2, 'cell 2 is longer than the limit of 1 MiB a cell; the quote opened in line 2 may never be closed'],
      [3, ['2', 'fine']],
    ]);
    expect(cellLimit).toBe(piece.length * 4);
  });

  test('equals csv-parse on any cells, quoted or not, fed in any pieces', () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', 'é', '"', ',', ';', '\n', '\r\n', ' ', '😀', '\t'),
      maxLength: 8,
    });
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }),
      );
    fc.assert(
      fc.property(table, fc.constantFrom(',', ';', '\t'), fc.integer({ min: 1, max: 40 }), (rows, delimiter, size) => {
        const text = rows
          .map((row) =>
            row.map((value) => (/^[aé ]*$/.test(value) && row.length > 1 ? value : quotedCell(value))).join(delimiter),
          )
          .join('\n');
        const expected = parse(text, { delimiter, record_delimiter: '\n' });
        expect(fields(text, { delimiter, size })).toEqual(expected);
        expect(expected).toEqual(rows);
      }),
      { numRuns: 300 },
    );
  });

  test('the line of a record is the one it begins on', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '\n', '"'), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
        const texts = rows.map((row) => row.map(quotedCell).join(','));
        const lines = texts.map(
          (_, index) => texts.slice(0, index).join('\n').split('\n').length + (index === 0 ? 0 : 1),
        );
        expect(parsed(texts.join('\n')).map(({ line }) => line)).toEqual(lines);
      }),
    );
  });
});
