/** CSV and TSV: one record a row, columns named by the first record or numbered. */
import { setCell } from '../cells.js';
import { decodedPieces } from '../decode.js';
import type { ReadRow } from '../types.js';
import { DelimitedParser, type DelimitedRecord } from './delimited-text.js';
import type { Reader } from './reader.js';

export const csvReader: Reader = {
  formats: ['csv', 'tsv'],
  async *batches(path, reading, hooks) {
    const parser = new DelimitedParser(reading.delimiter ?? ',', reading.quoted);
    const table = new Table(reading.header);
    for await (const piece of decodedPieces(path, reading.encoding ?? 'utf-8', hooks))
      yield table.rows(parser.feed(piece));
    yield table.rows(parser.end());
  },
};

/** Unique names for a header's cells: a blank one is numbered, a repeated one gets its count. */
function columnNames(header: readonly string[]): string[] {
  const used = new Set<string>();
  return header.map((cell, index) => {
    const base = cell.trim() || `column ${index + 1}`;
    let name = base;
    for (let count = 2; used.has(name); count += 1) name = `${base} (${count})`;
    used.add(name);
    return name;
  });
}

class Table {
  private columns: string[] | null = null;
  constructor(private readonly header: boolean) {}

  *rows(records: Iterable<DelimitedRecord>): Generator<ReadRow> {
    for (const { line, fields, problem } of records) {
      if (problem !== null) {
        yield { line, problem };
        continue;
      }
      if (this.columns === null) {
        this.columns = columnNames(this.header ? fields : fields.map(() => ''));
        if (this.header) continue;
      }
      yield this.row(line, fields, this.columns);
    }
  }

  private row(line: number, fields: readonly string[], columns: readonly string[]): ReadRow {
    // A delimiter at the end of a line adds empty cells, which lose nothing.
    const surplus = fields.slice(columns.length).some((cell) => cell !== '');
    if (surplus || fields.length < columns.length)
      return {
        line,
        problem: `${fields.length} ${fields.length === 1 ? 'field' : 'fields'} where there are ${columns.length} columns`,
      };
    const values: Record<string, string> = {};
    columns.forEach((name, index) => {
      setCell(values, name, fields[index] ?? '');
    });
    return { line, values };
  }
}
