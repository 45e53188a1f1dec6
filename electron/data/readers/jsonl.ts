/** JSON Lines: one object a line. */
import { decodedPieces } from '../decode.js';
import { rowTooLong } from '../limits.js';
import { rowFromJson } from './json-values.js';
import { textLines } from './lines.js';
import type { Reader } from './reader.js';

export const jsonlReader: Reader = {
  formats: ['jsonl'],
  async *rows(path, reading, hooks) {
    for await (const { line, text, tooLong } of textLines(decodedPieces(path, reading.encoding ?? 'utf-8', hooks))) {
      if (tooLong) yield { line, problem: rowTooLong() };
      else if (text.trim() !== '') yield rowFromJson(line, text);
    }
  },
};
