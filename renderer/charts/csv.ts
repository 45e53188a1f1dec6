/** What a chart shows, as a table: one source for the T key, the CSV export and the reader of the screen. */
export interface ChartTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** A file that the user asked for: the owner of the chart chooses a path and writes it. */
export type ChartFile =
  | { readonly kind: 'csv'; readonly name: string; readonly text: string }
  | { readonly kind: 'png'; readonly name: string; readonly base64: string };

const cell = (value: string | number | null): string => {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** RFC 4180: quoted where needed, rows ended by CRLF; numbers unformatted, null as an empty field. */
export function toCsv(table: ChartTable): string {
  return [table.columns, ...table.rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
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
