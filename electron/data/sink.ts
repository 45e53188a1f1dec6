/** Where imported rows go. The studio's sink writes them to the database; data/ knows no storage. */
import type { ImportedRow } from './types.js';

export interface RowSink {
  /**
   * Takes the next rows, in order; at most `rowsPerBatch` and about 1 MiB of text a call. The import reads on meanwhile, and hands on no more before it is done.
   * Nothing is written before every row has been checked once; when an import fails or is cancelled afterwards, the caller discards what it wrote.
   */
  write(rows: readonly ImportedRow[]): Promise<void>;
}

export const rowsPerBatch = 4000;
