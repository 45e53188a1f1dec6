/** Split files to encoded rows: read line by line, checked, hashed on the way. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { StudioError } from '../contract/errors.js';
import { encodeRows, type EncodedRows, type RowEncoder } from '../data/index.js';
import { splitRowSchema, type SplitRow } from './protocol.js';

export interface OpenSplit {
  readonly encoded: EncodedRows;
  /** Rows of each class. */
  readonly counts: readonly number[];
  /** SHA-256 of the file's lines. */
  readonly contentHash: string;
}

/** Rows of a split file. @throws StudioError `bad-data` naming file and line. */
export async function* readSplit(file: string): AsyncGenerator<SplitRow> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    line += 1;
    if (text !== '') yield parseRow(text, file, line);
  }
}

function parseRow(text: string, file: string, line: number): SplitRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StudioError('bad-data', `${file}, line ${line} is not JSON.`, 'Import the data again.', { file, line });
  }
  const row = splitRowSchema.safeParse(value);
  if (row.success) return row.data;
  const issue = row.error.issues[0];
  throw new StudioError(
    'bad-data',
    `${file}, line ${line}: ${issue?.path.join('.')}: ${issue?.message}`,
    'Import the data again.',
    { file, line },
  );
}

/**
 * Reads and tokenizes a split.
 * @param labels sorted label texts; a label outside them is `bad-data`
 * @param breathe called now and then, so that a cancel is heard
 */
export async function openSplit(
  file: string,
  encoder: RowEncoder,
  labels: readonly string[],
  maxLength: number,
  breathe: () => Promise<void>,
): Promise<OpenSplit> {
  const hash = createHash('sha256');
  const place = new Map(labels.map((label, index) => [label, index]));
  const counts = labels.map(() => 0);
  let rowsRead = 0;
  const rows = async function* () {
    for await (const row of readSplit(file)) {
      const index = place.get(row.label);
      if (index === undefined)
        throw new StudioError(
          'bad-data',
          `${file}, row ${row.id}: the label "${row.label}" is not one of the data set's ${labels.length} labels.`,
          'Import the data again so that the labels are counted anew.',
          { file, row: row.id },
        );
      counts[index] = (counts[index] ?? 0) + 1;
      hash.update(JSON.stringify([row.id, row.text, row.pair, row.label]));
      rowsRead += 1;
      if (rowsRead % 1000 === 0) await breathe();
      yield row;
    }
  };
  const encoded = await encodeRows(rows(), encoder, { labels, maxLength });
  return { encoded, counts, contentHash: hash.digest('hex') };
}
