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

/** The same where the reading stands already, so that two passes read alike. */
export function readRowsAs(path: string, reading: Reading, hooks: ReadHooks = {}): AsyncIterable<ReadRow> {
  return readers[reading.format].rows(path, reading, hooks);
}
