/** Cells that hold lists, and those that hold the labels of a row of several. */
import type { MultiLabelColumns } from './entities.js';

/** The texts of a list, numbers printed; null for what is no list of these. */
export function listIn(cell: string | undefined): string[] | null {
  if (cell === undefined || !/^\s*\[/.test(cell)) return null;
  try {
    const value: unknown = JSON.parse(cell);
    if (!Array.isArray(value)) return null;
    const texts = (value as unknown[]).map((entry) =>
      typeof entry === 'string' ? entry : typeof entry === 'number' ? String(entry) : null,
    );
    return texts.every((text) => text !== null) ? texts : null;
  } catch {
    return null;
  }
}

const pythonItem = String.raw`'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"`;
const pythonList = new RegExp(String.raw`^(?:(?:${pythonItem})\s*(?:,\s*(?:${pythonItem})\s*)*,?)?$`);

/** A cell of a list of texts, as JSON or as Python writes it; null where it is none. */
export function parseList(cell: string): string[] | null {
  const text = cell.trim();
  const items = listIn(text) ?? pythonItems(text);
  return items && items.map((one) => one.trim()).filter((one) => one !== '');
}

/** Every item stands in single or double quotes. */
function pythonItems(text: string): string[] | null {
  if (!text.startsWith('[') || !text.endsWith(']')) return null;
  const inner = text.slice(1, -1).trim();
  return pythonList.test(inner)
    ? [...inner.matchAll(new RegExp(pythonItem, 'g'))].map(([, single, double]) => single ?? double ?? '')
    : null;
}

const yes = new Set(['1', '1.0', 'true', 'yes']);
const no = new Set(['', '0', '0.0', 'false', 'no']);

/** Does a cell say of one label whether the row has it? Null where it says neither. */
export function parseFlag(cell: string): boolean | null {
  const text = cell.trim().toLowerCase();
  return yes.has(text) ? true : no.has(text) ? false : null;
}

/** The labels of a row. @param cell of a column; undefined where the row has no value for it */
export function labelsInCells(
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
