/** A JSON array of objects, bare or wrapped in an object ({"data": [...]}): one element a row. */
import { decodedPieces } from '../decode.js';
import { problemAt, rowTooLong } from '../limits.js';
import type { ReadRow } from '../types.js';
import { JsonArraySplitter, type JsonElement } from './json-elements.js';
import { rowFromJson } from './json-values.js';
import type { Reader } from './reader.js';

export const jsonReader: Reader = {
  formats: ['json'],
  async *batches(path, reading, hooks) {
    const splitter = new JsonArraySplitter();
    let [read, before] = [0, 0];
    const rowsOf = function* (elements: readonly JsonElement[]): Generator<ReadRow> {
      for (const element of elements) {
        read += 1;
        yield rowOf(element, element.line === before ? read : null);
        before = element.line;
      }
    };
    for await (const piece of decodedPieces(path, reading.encoding ?? 'utf-8', hooks)) {
      yield rowsOf(splitter.feed(piece));
      if (splitter.failure !== null) break;
    }
    splitter.end();
    if (splitter.failure !== null) yield [splitter.failure];
  },
};

/** @param row the element's number, where its line does not tell which it is */
function rowOf({ line, text, tooLong }: JsonElement, row: number | null): ReadRow {
  const read = tooLong ? { line, problem: rowTooLong() } : rowFromJson(line, text);
  if (row === null) return read;
  return 'problem' in read ? { line, problem: problemAt(row, read.problem) } : { ...read, row };
}
