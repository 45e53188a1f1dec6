/** JSON Lines: one object a line. */
import { decodedPieces } from '../decode.js';
import { rowTooLong } from '../limits.js';
import type { ReadRow } from '../types.js';
import { rowFromJson } from './json-values.js';
import { textLines, type TextLine } from './lines.js';
import type { Reader } from './reader.js';

export const jsonlReader: Reader = {
  formats: ['jsonl'],
  async *batches(path, reading, hooks) {
    for await (const lines of textLines(decodedPieces(path, reading.encoding ?? 'utf-8', hooks))) yield rowsOf(lines);
  },
};

function* rowsOf(lines: Iterable<TextLine>): Generator<ReadRow> {
  for (const { line, text, tooLong } of lines) {
    if (tooLong) yield { line, problem: rowTooLong() };
    else if (text.trim() !== '') yield rowFromJson(line, text);
  }
}
