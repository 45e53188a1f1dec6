/** Any file as a stream of rows. */
import { detectReading } from './detect.js';
import { readers } from './readers/index.js';
import type { ReadHooks, Reading, ReadingOptions, ReadRow } from './types.js';

/**
 * The rows of a file in order, in constant memory. Bad rows are yielded with line and reason.
 * @throws StudioError when the file as a whole cannot be read, or `cancelled`
 */
export async function* readRows(
  path: string,
  options: ReadingOptions = {},
  hooks: ReadHooks = {},
): AsyncGenerator<ReadRow> {
  yield* readRowsAs(path, await detectReading(path, options), hooks);
}

/** The same where the reading stands already. */
export async function* readRowsAs(path: string, reading: Reading, hooks: ReadHooks = {}): AsyncGenerator<ReadRow> {
  for await (const rows of rowBatches(path, reading, hooks)) yield* rows;
}

/** The same as the reader gives them, many at a time: for who reads all rows. Each batch is gone through before the next is asked for. */
export function rowBatches(path: string, reading: Reading, hooks: ReadHooks = {}): AsyncIterable<Iterable<ReadRow>> {
  return readers[reading.format].batches(path, reading, hooks);
}
