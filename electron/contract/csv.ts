/** Fields of CSV files that the app writes, for charts, reports and predictions alike. */

/** What a spreadsheet takes for the beginning of a formula, in full width too. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/u;
const number = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;

/**
 * One field after RFC 4180, quoted where needed; null is empty and numbers are unformatted. A text that a spreadsheet would run gets
 * an apostrophe before it, as the spreadsheet itself writes it; a text that is a number stays one.
 */
export function csvField(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = formula.test(value) && !number.test(value) ? `'${value}` : value;
  return text !== value || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
