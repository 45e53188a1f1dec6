/** A report's table: its cells in words for who reads it, and its bare numbers for a spreadsheet. */
import type { ReportTable } from '../contract/index.js';
import type { ChartTable } from './csv.js';
import { NO_VALUE, outward } from './format.js';
import { unitWords, withUnit } from './units.js';
import { said, t } from '../language/index.js';

type Column = ReportTable['columns'][number];
type Row = ReportTable['rows'][number];
type Cell = Row['cells'][string];

export interface CellWords {
  readonly text: string;
  /** "91.0 to 92.2"; null without an interval. */
  readonly ends: string | null;
}

const isMeasured = (cell: Cell | undefined): cell is Exclude<Cell, string | number | null> =>
  typeof cell === 'object' && cell !== null;

/** A cell as it is read. */
export function cellWords(cell: Cell | undefined, column: Column): CellWords {
  if (cell === null || cell === undefined) return { text: NO_VALUE, ends: null };
  if (typeof cell === 'string') return { text: said(cell), ends: null };
  const { scale, cell: say } = unitWords(column.unit);
  if (typeof cell === 'number') return { text: say(cell * scale), ends: null };
  const { mean, interval } = cell;
  if (interval === null) return { text: say(mean * scale), ends: null };
  const ends =
    column.unit === 'points'
      ? outward(interval.low * scale, interval.high * scale)
      : [say(interval.low * scale), say(interval.high * scale)];
  return { text: say(mean * scale), ends: ends.join(t(' to ')) };
}

/** Does a column hold numbers? Then it stands at the right and sorts by size. */
export const isNumeric = (table: ReportTable, { key }: Column): boolean =>
  table.rows.some(({ cells }) => typeof cells[key] === 'number' || isMeasured(cells[key]));

/** What a row sorts by in a column; null goes last. */
export function sortKey({ cells }: Row, { key }: Column): string | number | null {
  const cell = cells[key] ?? null;
  return isMeasured(cell) ? cell.mean : cell;
}

/** Heads with their unit: "macro F1, %". */
export const columnTitle = (column: Column): string => withUnit(said(column.title), column.unit);

/** Every number as the report holds it, the ends of its interval beside it, and the runs that a row rests on. */
export function flatTable(table: ReportTable): ChartTable {
  const columns = table.columns.map((column) => ({
    ...column,
    measured: table.rows.some(({ cells }) => {
      const cell = cells[column.key];
      return isMeasured(cell) && cell.interval !== null;
    }),
  }));
  return {
    columns: [
      ...columns.flatMap(({ title, unit, measured }) => {
        const head = unit === null ? title : `${title} [${unit}]`;
        return measured ? [head, t('{title} 95 % from', { title }), t('{title} 95 % to', { title })] : [head];
      }),
      'runs',
    ],
    rows: table.rows.map(({ cells, runs }) => [
      ...columns.flatMap(({ key, measured }) => {
        const cell = cells[key] ?? null;
        const [value, low, high] = isMeasured(cell)
          ? [cell.mean, cell.interval?.low ?? null, cell.interval?.high ?? null]
          : [cell, null, null];
        return measured ? [value, low, high] : [value];
      }),
      runs.join(' '),
    ]),
  };
}
