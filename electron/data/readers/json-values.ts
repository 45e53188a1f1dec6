/** A parsed JSON value as a row of strings. */
import { setCell } from '../cells.js';
import { cellLimit, cellTooLong } from '../limits.js';
import type { ReadRow } from '../types.js';

/** Text of one value: strings as they are, numbers and booleans printed, lists and objects as JSON; undefined where there is none. */
function cellText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'object')
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
  return String(value);
}

/** A row from an object's entries: missing values leave no key; a cell over the limit is a problem. */
export function rowFromObject(line: number, object: unknown): ReadRow {
  if (object === null || typeof object !== 'object' || Array.isArray(object))
    return { line, problem: `${kindOf(object)} where an object with named values is expected` };
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(object)) {
    const text = cellText(value);
    if (text === undefined) continue;
    if (text.length > cellLimit) return { line, problem: cellTooLong(`"${name}"`) };
    setCell(values, name, text);
  }
  return { line, values };
}

/** The row of a JSON text, or why it is none. */
export function rowFromJson(line: number, text: string): ReadRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { line, problem: `invalid JSON: ${error instanceof Error ? shortened(error.message) : 'unreadable'}` };
  }
  return rowFromObject(line, value);
}

const shortened = (message: string) => (message.length > 160 ? `${message.slice(0, 160)}…` : message);
const kindOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`);
