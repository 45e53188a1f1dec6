/**
 * CoNLL: a word a line with its columns between tabs or blanks, a blank line after each sentence. One sentence a row; each column is
 * a list (as JSON) called "word", "column 2" and so on. Lines of comments and -DOCSTART- are left out.
 */
import { decodedPieces } from '../decode.js';
import { cellLimit, cellTooLong } from '../limits.js';
import type { ReadRow } from '../types.js';
import { textLines, type TextLine } from './lines.js';
import type { Reader } from './reader.js';

const wordLimit = 10_000;

export const conllReader: Reader = {
  formats: ['conll'],
  async *batches(path, reading, hooks) {
    const sentences = new Sentences(reading.delimiter);
    for await (const lines of textLines(decodedPieces(path, reading.encoding ?? 'utf-8', hooks), cellLimit))
      yield sentences.of(lines);
    yield sentences.end();
  },
};

/** Cells of a line. @param delimiter a tab; anything else splits at runs of blanks */
export const conllCells = (text: string, delimiter: string | null): string[] =>
  delimiter === '\t' ? text.split('\t').map((cell) => cell.trim()) : text.trim().split(/[ \t]+/);

/** What a column of a CoNLL file is called. */
export const conllColumn = (index: number): string => (index === 0 ? 'word' : `column ${index + 1}`);

class Sentences {
  private lines: TextLine[] = [];
  /** Columns of the file, by its first sentence. */
  private columns = 0;

  constructor(private readonly delimiter: string | null) {}

  *of(lines: Iterable<TextLine>): Generator<ReadRow> {
    for (const line of lines) {
      if (line.text.trim() === '' && !line.tooLong) yield* this.end();
      // One more than is allowed says enough.
      else if (this.lines.length <= wordLimit) this.lines.push(line);
    }
  }

  *end(): Generator<ReadRow> {
    const { lines } = this;
    this.lines = [];
    const long = lines.find(({ tooLong }) => tooLong);
    if (long) {
      yield { line: long.line, problem: cellTooLong('the line') };
      return;
    }
    const rows = lines.map(({ line, text }) => ({ line, text, cells: conllCells(text, this.delimiter) }));
    if (this.columns === 0) this.columns = usual(rows);
    const words = rows.filter(
      ({ text, cells }) => !text.startsWith('-DOCSTART-') && !(text.startsWith('#') && cells.length !== this.columns),
    );
    const [first] = words;
    if (!first) return;
    const odd = words.find(({ cells }) => cells.length !== this.columns || cells.includes(''));
    if (words.length > wordLimit)
      yield {
        line: first.line,
        problem: `the sentence has more than ${wordLimit.toLocaleString('en')} words: blank lines between sentences may be missing`,
      };
    else if (odd)
      yield {
        line: odd.line,
        problem:
          odd.cells.length === this.columns
            ? `a column of "${odd.text.slice(0, 60)}" is empty`
            : `${odd.cells.length} ${odd.cells.length === 1 ? 'column' : 'columns'} where there are ${this.columns}: "${odd.text.slice(0, 60)}"`,
      };
    else
      yield {
        line: first.line,
        values: Object.fromEntries(
          Array.from({ length: this.columns }, (_, index) => [
            conllColumn(index),
            JSON.stringify(words.map(({ cells }) => cells[index] ?? '')),
          ]),
        ),
      };
  }
}

/** The number of columns that most lines have; those that may be comments count only where there are no others. */
function usual(rows: readonly { readonly text: string; readonly cells: readonly string[] }[]): number {
  const plain = rows.filter(({ text }) => !text.startsWith('#') && !text.startsWith('-DOCSTART-'));
  const counts = new Map<number, number>();
  for (const { cells } of plain) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  return [...counts].reduce<[number, number]>((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0])[0];
}
