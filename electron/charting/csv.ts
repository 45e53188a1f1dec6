import { csvField } from '../contract/csv.js';

/** What a chart shows, as a table: one source for the T key, the CSV export and the reader of the screen. */
export interface ChartTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** RFC 4180: quoted where needed, rows ended by CRLF; numbers unformatted, null as an empty field; no text is a formula. */
export function toCsv(table: ChartTable): string {
  return [table.columns, ...table.rows].map((row) => row.map(csvField).join(',')).join('\r\n') + '\r\n';
}

/** A name that every file system takes: "Loss, LoRA r 8" → "loss-lora-r-8". */
export function fileName(title: string): string {
  return (
    title
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'chart'
  );
}
