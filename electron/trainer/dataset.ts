/** Split files to encoded rows: read line by line, checked, hashed on the way. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { StudioError } from '../contract/errors.js';
import { ExampleDraw } from '../data/index.js';
import type { Learning, Split } from './learning.js';
import { splitRowSchema, type SplitRow } from './protocol.js';

export interface OpenSplit extends Split {
  readonly file: string;
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
 * Reads and tokenizes a split, or the rows at some places of it (counted from 0).
 * @param breathe called now and then, so that a cancel is heard
 * @throws StudioError `bad-data` naming file and row
 */
export async function openSplit(
  file: string,
  learning: Learning,
  breathe: () => Promise<void>,
  only: ReadonlySet<number> | null = null,
): Promise<OpenSplit> {
  const hash = createHash('sha256');
  let rowsRead = 0;
  const rows = async function* () {
    for await (const row of readSplit(file)) {
      rowsRead += 1;
      if (rowsRead % 1000 === 0) await breathe();
      if (only !== null && !only.has(rowsRead - 1)) continue;
      const { id, text, pair, label, messages, answers } = row;
      hash.update(JSON.stringify([id, text, pair, label, ...[messages, answers].filter((part) => part !== null)]));
      yield row;
    }
  };
  return { ...(await learning.encode(rows())), file, contentHash: hash.digest('hex') };
}

/** The rows of a training split that `count` examples of each class are, drawn by the seed; of data without classes, `count` rows. */
export async function openDrawn(
  file: string,
  learning: Learning,
  breathe: () => Promise<void>,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<OpenSplit> {
  const draw = new ExampleDraw(seed);
  const classes = learning.objective.type === 'classification';
  for await (const row of readSplit(file)) draw.addRow(row, classes);
  const { places, short } = draw.take(count);
  const split = await openSplit(file, learning, breathe, places);
  const drawn = `${places.size.toLocaleString('en')} rows drawn by seed ${seed}, ${count.toLocaleString('en')} ${classes ? 'of each class' : 'of the split'}`;
  const fewer = classes && short.length > 0 ? `; all that there are of ${short.join(', ')}` : '';
  return { ...split, notes: [`${drawn}${fewer}.`, ...split.notes] };
}

/**
 * At most `limit` rows from the head of a split's file, in its order.
 * @param what they are for, as the end of a sentence
 * @throws StudioError `bad-data` for a split without rows
 */
export async function firstRows(file: string, limit: number, what: string): Promise<SplitRow[]> {
  const rows: SplitRow[] = [];
  for await (const row of readSplit(file)) {
    rows.push(row);
    if (rows.length >= limit) break;
  }
  if (rows.length === 0)
    throw new StudioError('bad-data', `There are no rows ${what}.`, 'Give the data set test rows.', { file });
  return rows;
}
