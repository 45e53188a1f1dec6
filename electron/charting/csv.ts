/** What a chart shows, as a table: one source for the T key, the CSV export and the reader of the screen. */
export interface ChartTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** A text that a spreadsheet would run as a formula gets an apostrophe before it, as the spreadsheet itself writes it. */
const harmless = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

const cell = (value: string | number | null): string => {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = harmless(value);
  return text !== value || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** RFC 4180: quoted where needed, rows ended by CRLF; numbers unformatted, null as an empty field; no text is a formula. */
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
