/** How a file reads: format, encoding, delimiter, header. What the user fixed is taken; the rest is found in its first bytes. */
import { extname } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { detectEncoding, type FileStart, isDecodable, readStart } from './encoding.js';
import { conllCells } from './readers/conll.js';
import { DelimitedParser } from './readers/delimited-text.js';
import { isPrefixed } from './tags.js';
import type { DataFormat, Reading, ReadingOptions } from './types.js';

const byExtension: Readonly<Record<string, DataFormat>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.json': 'json',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.parquet': 'parquet',
  '.pq': 'parquet',
  '.txt': 'text',
  '.text': 'text',
  '.conll': 'conll',
  '.conllu': 'conll',
  '.iob': 'conll',
  '.bio': 'conll',
};
const delimiters = [',', '\t', ';', '|'] as const;

/**
 * @throws StudioError `bad-file` for a file that is empty, binary or no Parquet; `bad-input` for an option that cannot be; `not-found`, `no-access`
 */
export async function detectReading(path: string, asked: ReadingOptions = {}): Promise<Reading> {
  const start = await readStart(path);
  const isParquet = start.sample.subarray(0, 4).toString('latin1') === 'PAR1';
  const named = byExtension[extname(path).toLowerCase()];
  if (isParquet || (asked.format ?? named) === 'parquet') {
    if (!isParquet)
      throw new StudioError(
        'bad-file',
        `${path} is no Parquet file: it does not begin with PAR1.`,
        'It may be cut off or misnamed: write it again, or fix its format.',
        { path },
      );
    return { format: 'parquet', encoding: null, delimiter: null, header: false, quoted: false, bytes: start.bytes };
  }
  if (asked.delimiter !== undefined && (asked.delimiter.length !== 1 || /["\r\n]/.test(asked.delimiter)))
    throw new StudioError(
      'bad-input',
      `"${asked.delimiter}" cannot be a delimiter.`,
      'Give one character, for instance a comma or a tab.',
      { path },
    );
  if (asked.encoding !== undefined && !isDecodable(asked.encoding))
    throw new StudioError(
      'bad-input',
      `"${asked.encoding}" is no known encoding.`,
      'Try utf-8, utf-16le or windows-1252.',
      { path },
    );
  const encoding = asked.encoding ?? (await detectEncoding(path, start));
  const sample = decodedSample(start, encoding);
  if (sample.trim() === '')
    throw new StudioError('bad-file', `${path} holds nothing but blanks.`, 'Choose a file that holds rows.', { path });
  const format =
    asked.format ??
    (asked.delimiter === undefined ? detectFormat(sample, named) : asked.delimiter === '\t' ? 'tsv' : 'csv');
  if (format === 'conll') {
    const delimiter = asked.delimiter ?? conllDelimiter(linesOf(sample));
    return { format, encoding, delimiter, header: false, quoted: false, bytes: start.bytes };
  }
  if (format !== 'csv' && format !== 'tsv')
    return { format, encoding, delimiter: null, header: false, quoted: false, bytes: start.bytes };
  const shape =
    asked.delimiter === undefined ? bestShape(sample, format === 'tsv' ? '\t' : ',') : shapeOf(sample, asked.delimiter);
  const delimited = asked.format === undefined ? (shape.delimiter === '\t' ? 'tsv' : 'csv') : format;
  return {
    format: delimited,
    encoding,
    delimiter: shape.delimiter,
    header: asked.header ?? looksLikeHeader(shape.rows),
    quoted: shape.quoted,
    bytes: start.bytes,
  };
}

/** The sample as text, cut after its last whole line where the file goes on. */
function decodedSample({ sample, bytes }: FileStart, encoding: string): string {
  const text = new TextDecoder(encoding).decode(sample, { stream: true });
  if (sample.length === bytes) return text;
  const end = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'));
  return end > 0 ? text.slice(0, end + 1) : text;
}

const linesOf = (sample: string) => sample.split(/\r\n?|\n/).filter((line) => line.trim() !== '');

/** A tab where most lines have one, else a blank (which stands for any run of blanks). */
const conllDelimiter = (lines: readonly string[]) =>
  lines.filter((line) => line.includes('\t')).length > lines.length / 2 ? '\t' : ' ';

/** Words one a line: the lines of most sentences have as many columns, and a tag of entities in one of them; blank lines part them. */
function looksLikeConll(sample: string): boolean {
  if (!/(?:\r\n?|\n)[ \t]*(?:\r\n?|\n)/.test(sample.trim())) return false;
  const lines = linesOf(sample)
    .filter((line) => !line.startsWith('-DOCSTART-'))
    .slice(0, 400);
  const rows = lines.map((line) => conllCells(line, conllDelimiter(lines)));
  const columns = rows.find((_, row) => !lines[row]?.startsWith('#'))?.length ?? 0;
  const words = rows.filter((cells, row) => cells.length === columns || !lines[row]?.startsWith('#'));
  const tagged = (cell: string | undefined) => cell !== undefined && (cell === 'O' || isPrefixed(cell));
  return Array.from({ length: columns }, (_, column) => column)
    .slice(1)
    .some((column) => words.filter((cells) => tagged(cells[column])).length > 0.9 * words.length);
}

function detectFormat(sample: string, named: DataFormat | undefined): DataFormat {
  const first = sample.trimStart()[0];
  const lines = linesOf(sample).slice(0, 20);
  if (named === 'conll') return named;
  if (named !== 'csv' && first === '{' && /"paragraphs"\s*:\s*\[/.test(sample) && /"qas"\s*:\s*\[/.test(sample))
    return 'squad';
  const jsonLines = first === '{' && lines.filter((line) => isJsonObject(line)).length >= Math.max(1, lines.length - 1);
  if (named === 'json' || named === 'jsonl') {
    if (first === '[') return 'json';
    return jsonLines && (named === 'jsonl' || lines.length > 1) ? 'jsonl' : named;
  }
  if (named !== 'csv' && looksLikeConll(sample)) return 'conll';
  if (named === 'csv' || named === 'tsv') return named;
  if (first === '[' && /^\s*\[\s*[{\]]/.test(sample)) return 'json';
  if (jsonLines) return 'jsonl';
  if (lines.some((line) => line.startsWith('__label__'))) return 'text';
  const shape = bestShape(sample, named === 'text' ? '\t' : ',');
  // A comma in every line of prose is no table; tabs are, and an unnamed file with an even number of cells is.
  const table = shape.columns > 1 && shape.share > 0.98 && (named !== 'text' || shape.delimiter === '\t');
  return table ? (shape.delimiter === '\t' ? 'tsv' : 'csv') : 'text';
}

function isJsonObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

interface Shape {
  readonly delimiter: string;
  readonly quoted: boolean;
  /** Cells of most rows. */
  readonly columns: number;
  /** Share of the rows that have so many. */
  readonly share: number;
  /** Some quotes are not as CSV has them. */
  readonly loose: boolean;
  readonly rows: readonly (readonly string[])[];
}

const sampledRows = 500;

function bestShape(sample: string, expected: string): Shape {
  const shapes = [expected, ...delimiters.filter((delimiter) => delimiter !== expected)].map((delimiter) =>
    shapeOf(sample, delimiter),
  );
  const tables = shapes.filter((shape) => shape.columns > 1);
  const [first = shapeOf(sample, expected)] = shapes;
  // The first of equals wins, so the expected delimiter does; another must be clearly more even.
  return tables.reduce<Shape>(
    (best, shape) => (best.columns === 1 || shape.share > best.share + 0.02 ? shape : best),
    first,
  );
}

/** With quotes as CSV has them, unless the rows come out clearly more even when a quote is a character like others. */
function shapeOf(sample: string, delimiter: string): Shape {
  const quoted = measured(sample, delimiter, true);
  if ((quoted.share === 1 && !quoted.loose) || !sample.includes('"')) return quoted;
  const plain = measured(sample, delimiter, false);
  return plain.columns >= 2 && (plain.share === 1 || plain.share > quoted.share + 0.02) ? plain : quoted;
}

function measured(sample: string, delimiter: string, quoted: boolean): Shape {
  const parser = new DelimitedParser(delimiter, quoted);
  const records = [...parser.feed(sample), ...parser.end()].slice(0, sampledRows);
  const counts = new Map<number, number>();
  for (const record of records)
    if (record.problem === null) counts.set(record.fields.length, (counts.get(record.fields.length) ?? 0) + 1);
  const [columns, rows] = [...counts].reduce<[number, number]>(
    (most, entry) => (entry[1] > most[1] ? entry : most),
    [1, 0],
  );
  const header = records[0]?.fields.length === columns ? 1 : 0.5;
  return {
    delimiter,
    quoted,
    columns,
    share: records.length === 0 ? 0 : (header * rows) / records.length,
    loose: records.some((record) => record.loose),
    rows: records.filter((record) => record.problem === null).map((record) => record.fields),
  };
}

/** Whether the first record names columns: short, filled, different cells, no numbers, none of which returns below in its own column. */
function looksLikeHeader(rows: readonly (readonly string[])[]): boolean {
  const [first, ...rest] = rows;
  if (first === undefined) return true;
  const named = first.every(
    (cell) => cell.length <= 64 && !/^[-+]?\d+([.,]\d+)?$/.test(cell.trim()) && !/[.!?]$/.test(cell.trim()),
  );
  const filled = first.filter((cell) => cell.trim() !== '');
  const different = filled.length > 0 && new Set(filled).size === filled.length;
  const returns = first.some((cell, column) => cell.trim() !== '' && rest.some((row) => row[column] === cell));
  return named && different && !returns;
}
