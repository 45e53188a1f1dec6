/** Plain text: one row a line, in the column "text"; fastText's `__label__NAME text` gives the column "label" too. */
import { decodedPieces } from '../decode.js';
import { cellLimit, cellTooLong } from '../limits.js';
import type { ReadRow } from '../types.js';
import { textLines, type TextLine } from './lines.js';
import type { Reader } from './reader.js';

const labelled = /^__label__(\S+)\s+(.*)$/s;

export const textReader: Reader = {
  formats: ['text'],
  async *batches(path, reading, hooks) {
    for await (const lines of textLines(decodedPieces(path, reading.encoding ?? 'utf-8', hooks), cellLimit))
      yield rowsOf(lines);
  },
};

function* rowsOf(lines: Iterable<TextLine>): Generator<ReadRow> {
  for (const { line, text, tooLong } of lines) {
    if (tooLong) {
      yield { line, problem: cellTooLong('the line') };
      continue;
    }
    if (text.trim() === '') continue;
    const parts = labelled.exec(text);
    const values: Record<string, string> = parts === null ? { text } : { label: parts[1] ?? '', text: parts[2] ?? '' };
    yield { line, values };
  }
}
