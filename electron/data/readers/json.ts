/** A JSON array of objects, bare or wrapped in an object ({"data": [...]}): one element a row. */
import { decodedPieces } from '../decode.js';
import { rowTooLong } from '../limits.js';
import type { ReadRow } from '../types.js';
import { JsonArraySplitter, type JsonElement } from './json-elements.js';
import { rowFromJson } from './json-values.js';
import type { Reader } from './reader.js';

export const jsonReader: Reader = {
  formats: ['json'],
  async *rows(path, reading, hooks) {
    const splitter = new JsonArraySplitter();
    for await (const piece of decodedPieces(path, reading.encoding ?? 'utf-8', hooks)) {
      yield* rowsOf(splitter.feed(piece));
      if (splitter.failure !== null) break;
    }
    splitter.end();
    if (splitter.failure !== null) yield splitter.failure;
  },
};

function* rowsOf(elements: readonly JsonElement[]): Generator<ReadRow> {
  for (const { line, text, tooLong } of elements)
    yield tooLong ? { line, problem: rowTooLong() } : rowFromJson(line, text);
}
