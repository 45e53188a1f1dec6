/** The one shape of a format's reader. */
import type { DataFormat, ReadHooks, Reading, ReadRow } from '../types.js';

export interface Reader {
  readonly formats: readonly DataFormat[];
  /**
   * The file's rows in order, in constant memory, as many at a time as come at once: to wait for each alone takes longer than to read it.
   * All of a batch are taken before the next is asked for. A row that cannot be read carries its line and the reason, and reading goes on
   * where it can.
   * @throws StudioError when the file as a whole cannot be read
   */
  batches(path: string, reading: Reading, hooks: ReadHooks): AsyncIterable<Iterable<ReadRow>>;
}
