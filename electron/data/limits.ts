/** Limits that keep memory constant whatever a file holds. */

/** Longest cell, in characters (UTF-16 units). */
export const cellLimit = 1 << 20;
/** Longest row of a JSON, JSONL or text file, in characters. */
export const rowLimit = 8 << 20;
export const columnLimit = 10_000;
export const labelLimit = 1_000;
/** More classes than this are a column chosen by mistake. */
export const classLimit = 10_000;

/** "1 MiB": a size as messages name it. */
function sizeName(characters: number): string {
  return characters >= 1 << 20
    ? `${(characters / (1 << 20)).toFixed(characters % (1 << 20) === 0 ? 0 : 1)} MiB`
    : `${Math.round(characters / 1024)} KiB`;
}

export const cellTooLong = (where: string) => `${where} is longer than the limit of ${sizeName(cellLimit)} a cell`;
export const rowTooLong = () => `the row is longer than the limit of ${sizeName(rowLimit)}`;

/** A problem of a row that its line does not tell from others. */
export const problemAt = (row: number, problem: string): string => `row ${row}: ${problem}`;
