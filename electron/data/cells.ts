/** Cells of a row by column. A column may be called "constructor" or "__proto__": it is a key like any other. */
type Values = Readonly<Record<string, string>>;

/** The cell of a column; undefined where the row has none. */
export const cellOf = (values: Values, column: string): string | undefined =>
  Object.hasOwn(values, column) ? values[column] : undefined;

/** Sets a cell of a row that is being read. */
export function setCell(values: Record<string, string>, column: string, text: string): void {
  if (column === '__proto__')
    Object.defineProperty(values, column, { value: text, enumerable: true, writable: true, configurable: true });
  else values[column] = text;
}
