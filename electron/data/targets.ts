/** Numbers and lists of labels as they stand in cells. */
import type { MultiLabelColumns } from '../contract/entities.js';

const numeral = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** A cell as a number, with a point or without; null where it is none. */
export function parseNumber(cell: string): number | null {
  const text = cell.trim();
  const value = numeral.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : null;
}

const pythonItem = String.raw`'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"`;
const pythonList = new RegExp(String.raw`^(?:(?:${pythonItem})\s*(?:,\s*(?:${pythonItem})\s*)*,?)?$`);

/** A cell of a list of texts, as JSON or as Python writes it; null where it is none. */
export function parseList(cell: string): string[] | null {
  const text = cell.trim();
  if (!text.startsWith('[') || !text.endsWith(']')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one) => typeof one === 'string' || typeof one === 'number')
      ? value.map((one) => String(one).trim()).filter((one) => one !== '')
      : null;
  } catch {
    // Python's quotes: every item stands in single or double ones.
    const inner = text.slice(1, -1).trim();
    if (!pythonList.test(inner)) return null;
    const items = [...inner.matchAll(new RegExp(pythonItem, 'g'))];
    return items.map(([, single, double]) => (single ?? double ?? '').trim()).filter((one) => one !== '');
  }
}

const yes = new Set(['1', '1.0', 'true', 'yes']);
const no = new Set(['', '0', '0.0', 'false', 'no']);

/** Does a cell say of one label whether the row has it? Null where it says neither. */
export function parseFlag(cell: string): boolean | null {
  const text = cell.trim().toLowerCase();
  return yes.has(text) ? true : no.has(text) ? false : null;
}

/** The labels of a row. @param cell of a column; undefined where the row has no value for it */
export function labelsIn(
  cell: (column: string) => string | undefined,
  of: MultiLabelColumns,
): { readonly labels: readonly string[] } | { readonly problem: string } {
  if (of.form === 'columns') {
    const labels: string[] = [];
    for (const column of of.columns) {
      const value = cell(column);
      const flag = value === undefined ? null : parseFlag(value);
      if (flag === null)
        return { problem: `"${(value ?? '').slice(0, 40)}" in the column "${column}" is neither 1 nor 0` };
      if (flag) labels.push(column);
    }
    return { labels };
  }
  const value = cell(of.column);
  if (value === undefined) return { problem: `no value for the column "${of.column}"` };
  if (of.form === 'separated')
    return {
      labels: value
        .split(of.separator)
        .map((label) => label.trim())
        .filter((label) => label !== ''),
    };
  const labels = value.trim() === '' ? [] : parseList(value);
  return labels === null
    ? { problem: `"${value.slice(0, 40)}" in the column "${of.column}" is not a list of labels such as ["a", "b"]` }
    : { labels };
}
