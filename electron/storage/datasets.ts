/** Tables datasets and dataset_rows. */
import { z } from 'zod';
import {
  datasetRowSchema,
  datasetSchema,
  importRequestSchema,
  markedAnswerSchema,
  messageSchema,
  type Dataset,
  type DatasetRow,
  type ImportRequest,
  type MarkedAnswer,
  type Message,
  type SplitName,
} from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { labelColumns } from '../contract/labels.js';
import type { Parameter, Sql } from './database.js';

const summarySchema = datasetSchema.pick({
  rows: true,
  labels: true,
  range: true,
  splitNote: true,
  skippedRows: true,
  notes: true,
  bytes: true,
  contentHash: true,
});
export type DatasetSummary = z.infer<typeof summarySchema>;
const rowSchema = z.object({
  id: z.number(),
  project_id: z.number(),
  name: z.string(),
  created_at: z.string(),
  request: z.string(),
  summary: z.string(),
});

function record(row: unknown): Dataset {
  const r = rowSchema.parse(row);
  const request = importRequestSchema.parse(JSON.parse(r.request));
  return {
    id: r.id,
    projectId: r.project_id,
    name: r.name,
    task: request.task,
    source: request.path,
    ...columnsOf(request),
    createdAt: r.created_at,
    ...summarySchema.parse(JSON.parse(r.summary)),
  };
}

function columnsOf(request: ImportRequest): Pick<Dataset, 'form' | 'textColumn' | 'pairColumn' | 'labelColumn'> {
  if (request.task === 'tagging')
    return { form: null, textColumn: request.wordsColumn, pairColumn: null, labelColumn: request.tagsColumn };
  if (request.task === 'questions') {
    const { questionColumn, contextColumn, answersColumn } = request;
    return { form: null, textColumn: questionColumn, pairColumn: contextColumn, labelColumn: answersColumn };
  }
  if (request.task !== 'generation') {
    const { textColumn, pairColumn } = request;
    const labelColumn = request.task === 'multi-label' ? labelColumns(request.labels).join(', ') : request.labelColumn;
    return { form: null, textColumn, pairColumn, labelColumn };
  }
  const { columns } = request;
  switch (columns.form) {
    case 'text':
      return { form: 'text', textColumn: columns.text, pairColumn: null, labelColumn: null };
    case 'instruction':
      return { form: 'instruction', textColumn: columns.prompt, pairColumn: columns.completion, labelColumn: null };
    case 'chat':
      return { form: 'chat', textColumn: columns.messages, pairColumn: null, labelColumn: null };
  }
}

/** A column of JSON, or NULL. */
const stored = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : (JSON.parse(text) as unknown)))
    .pipe(schema.nullable());
const storedRow = datasetRowSchema.extend({
  messages: stored(z.array(messageSchema)),
  answers: stored(z.array(markedAnswerSchema)),
});
const rowColumns = 'split, position, line, text, pair, label, messages, answers';
const places = '(?, ?, ?, ?, ?, ?, ?, ?, ?)';
const valuesInJson = rowColumns
  .split(', ')
  .map((_, place) => `value->>${place}`)
  .join(', ');
const insertJson = `INSERT INTO dataset_rows (dataset_id, ${rowColumns}) SELECT ?, ${valuesInJson} FROM json_each(?)`;
const rowsPerStatement = 4000;
/** SQLite takes 32,766 values a statement. */
const rowsByValue = 500;

export async function listDatasets(sql: Sql, projectId: number): Promise<Dataset[]> {
  return (await sql.all('SELECT * FROM datasets WHERE project_id = ? AND ready = 1 ORDER BY id', [projectId])).map(
    record,
  );
}

/** Throws StudioError 'not-found'. */
export async function getDataset(sql: Sql, id: number): Promise<Dataset> {
  const [row] = await sql.all('SELECT * FROM datasets WHERE id = ? AND ready = 1', [id]);
  if (!row) throw new StudioError('not-found', `There is no data set ${id}.`, 'It may have been deleted.', { id });
  return record(row);
}

export async function getImportRequest(sql: Sql, id: number): Promise<ImportRequest> {
  const [row] = await sql.all('SELECT request FROM datasets WHERE id = ?', [id]);
  return importRequestSchema.parse(JSON.parse(z.object({ request: z.string() }).parse(row).request));
}

/** A data set that is being filled by a process: nobody sees it before `finishDataset`. */
export async function beginDataset(
  sql: Sql,
  request: ImportRequest,
  createdAt: string,
  worker: string,
): Promise<number> {
  const result = await sql.run(
    'INSERT INTO datasets (project_id, name, ready, created_at, request, summary, worker) VALUES (?, ?, 0, ?, ?, ?, ?)',
    [request.projectId, request.name, createdAt, JSON.stringify(request), '{}', worker],
  );
  return result.lastId;
}

export async function finishDataset(sql: Sql, id: number, summary: DatasetSummary): Promise<void> {
  await sql.run('UPDATE datasets SET ready = 1, summary = ? WHERE id = ?', [
    JSON.stringify(summarySchema.parse(summary)),
    id,
  ]);
}

export async function deleteDataset(sql: Sql, id: number): Promise<void> {
  await sql.run('DELETE FROM datasets WHERE id = ?', [id]);
}

/** True while a data set of that name is being filled. */
export async function isBeingFilled(sql: Sql, projectId: number, name: string): Promise<boolean> {
  const rows = await sql.all('SELECT id FROM datasets WHERE ready = 0 AND project_id = ? AND name = ?', [
    projectId,
    name,
  ]);
  return rows.length > 0;
}

/** Processes that fill data sets; null for those that name none. */
export async function workers(sql: Sql): Promise<(string | null)[]> {
  const rows = await sql.all('SELECT DISTINCT worker FROM datasets WHERE ready = 0');
  return rows.map((row) => z.object({ worker: z.string().nullable() }).parse(row).worker);
}

/** An import that was cut off with its process leaves a data set that is not ready. */
export async function deleteUnfinishedDatasets(sql: Sql, worker: string | null): Promise<number> {
  return (await sql.run('DELETE FROM datasets WHERE ready = 0 AND worker IS ?', [worker])).changes;
}

export type NewRow = Omit<DatasetRow, 'id' | 'messages' | 'answers'> & {
  readonly messages: readonly Message[] | null;
  readonly answers?: readonly MarkedAnswer[] | null;
};

export const isThere = async (sql: Sql, id: number): Promise<boolean> =>
  (await sql.all('SELECT 1 FROM datasets WHERE id = ?', [id])).length > 0;

/** Rows as one JSON text a statement: the binding takes longer over each value than SQLite over reading them all. Each statement is written whole or not at all. */
export async function insertRows(sql: Sql, datasetId: number, rows: readonly NewRow[]): Promise<void> {
  for (const part of parts(rows, rowsPerStatement)) {
    const values = part.map(valuesOf);
    const json = JSON.stringify(values);
    // SQLite would end a text of JSON at a NUL, and keep half a surrogate pair as bytes that are no text.
    if (/\\u(0000|d[89a-f])/.test(json)) await insertByValue(sql, datasetId, values);
    else await sql.runAgain(insertJson, [datasetId, json]);
  }
}

async function insertByValue(sql: Sql, datasetId: number, rows: readonly (readonly Parameter[])[]): Promise<void> {
  for (const part of parts(rows, rowsByValue))
    await sql.run(
      `INSERT INTO dataset_rows (dataset_id, ${rowColumns}) VALUES ${part.map(() => places).join(', ')}`,
      part.flatMap((values) => [datasetId, ...values]),
    );
}

function* parts<T>(all: readonly T[], length: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += length) yield all.slice(from, from + length);
}

function valuesOf({ split, position, line, text, pair, label, messages, answers }: NewRow): readonly Parameter[] {
  const words = messages === null ? null : JSON.stringify(messages);
  return [split, position, line, text, pair, label, words, answers ? JSON.stringify(answers) : null];
}

export async function copyRows(sql: Sql, from: number, to: number): Promise<void> {
  await sql.run(
    `INSERT INTO dataset_rows (dataset_id, ${rowColumns}) SELECT ?, ${rowColumns} FROM dataset_rows WHERE dataset_id = ? ORDER BY id`,
    [to, from],
  );
}

export interface RowFilter {
  readonly split?: SplitName;
  readonly label?: string;
  /** Of rows with several labels: those that have it. */
  readonly amongLabels?: string;
  /** Of tagged words: those with an entity of this type. */
  readonly entity?: string;
  readonly search?: string;
}

/** @param known how many rows fit the filter, where that is known: otherwise they are counted */
export async function pageRows(
  sql: Sql,
  datasetId: number,
  filter: RowFilter,
  offset: number,
  limit: number,
  known?: number,
): Promise<{ total: number; rows: DatasetRow[] }> {
  const parts: [string, Parameter][] = [['dataset_id = ?', datasetId]];
  if (filter.split !== undefined) parts.push(['split = ?', filter.split]);
  if (filter.label !== undefined) parts.push(['label = ?', filter.label]);
  if (filter.amongLabels !== undefined)
    parts.push(['EXISTS (SELECT 1 FROM json_each(label) WHERE value = ?)', filter.amongLabels]);
  // Rows hold BIO tags, parted by blanks; every entity begins by B-.
  if (filter.entity !== undefined) parts.push([`instr(' ' || label || ' ', ' B-' || ? || ' ') > 0`, filter.entity]);
  if (filter.search)
    parts.push([
      `(text || ' ' || COALESCE(pair, '')) LIKE ? ESCAPE '\\'`,
      `%${filter.search.replace(/[\\%_]/g, '\\$&')}%`,
    ]);
  const where = parts.map(([condition]) => condition).join(' AND ');
  const values = parts.map(([, value]) => value);
  const count = async () =>
    Number((await sql.all(`SELECT COUNT(*) AS total FROM dataset_rows WHERE ${where}`, values))[0]?.['total']);
  // The inner query skips within the index; only the page's own rows are read.
  const rows = await sql.all(
    `SELECT id, ${rowColumns} FROM dataset_rows WHERE id IN (SELECT id FROM dataset_rows WHERE ${where} ORDER BY id LIMIT ? OFFSET ?) ORDER BY id`,
    [...values, limit, offset],
  );
  return { total: known ?? (await count()), rows: rows.map((row) => storedRow.parse(row)) };
}

/** All rows in order, read in pages, so that memory stays constant. */
export async function* eachRow(sql: Sql, datasetId: number, split?: SplitName): AsyncGenerator<DatasetRow> {
  let last = 0;
  for (;;) {
    const rows = await sql.all(
      `SELECT id, ${rowColumns} FROM dataset_rows WHERE dataset_id = ? AND id > ? ${split ? 'AND split = ?' : ''} ORDER BY id LIMIT 2000`,
      [datasetId, last, ...(split ? [split] : [])],
    );
    for (const row of rows) yield storedRow.parse(row);
    if (rows.length < 2000) return;
    last = Number(rows.at(-1)?.['id']);
  }
}

/** A row as a line of JSON; only conversations and questions have more than texts and a label. */
const lineOfRow = `CASE WHEN messages IS NULL AND answers IS NULL
  THEN json_object('id', id, 'text', text, 'pair', pair, 'label', label)
  ELSE json_object('id', id, 'text', text, 'pair', pair, 'label', label, 'messages', json(messages), 'answers', json(answers)) END`;
const storedLine = z.object({ id: z.number(), line: z.string() });
/** Lines are passed on together up to so many characters. */
const charactersTogether = 262_144;

/**
 * A split's rows as lines of JSON, in order, many together. SQLite writes them beside this thread: read and written here they would take
 * five times as long.
 */
export async function* eachLine(sql: Sql, datasetId: number, split: SplitName): AsyncGenerator<string> {
  let last = 0;
  for (;;) {
    const rows = await sql.all(
      `SELECT id, ${lineOfRow} AS line FROM dataset_rows WHERE dataset_id = ? AND id > ? AND split = ? ORDER BY id LIMIT 2000`,
      [datasetId, last, split],
    );
    let together = '';
    for (const row of rows) {
      const { id, line } = storedLine.parse(row);
      last = id;
      together += `${line}\n`;
      if (together.length < charactersTogether) continue;
      yield together;
      together = '';
    }
    if (together !== '') yield together;
    if (rows.length < 2000) return;
  }
}

/** Lines of rows in the files that they came from, by their numbers; rows that are gone are left out. */
export async function linesOf(sql: Sql, ids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const rows = await sql.all('SELECT id, line FROM dataset_rows WHERE id IN (SELECT value FROM json_each(?))', [
    JSON.stringify(ids),
  ]);
  return new Map(rows.map((row) => [Number(row['id']), Number(row['line'])]));
}

/** Numbers of a data set's rows, in order. */
export async function rowIds(sql: Sql, datasetId: number): Promise<number[]> {
  return (await sql.all('SELECT id FROM dataset_rows WHERE dataset_id = ? ORDER BY id', [datasetId])).map((row) =>
    Number(row['id']),
  );
}
