/** What the labels of the first rows become. Pure functions. */
import type { FilePreview, MultiLabelColumns } from '../../../electron/contract/index.js';

const split = (cell: string, sign: string): string[] =>
  (sign === '' ? [cell] : cell.split(sign)).map((part) => part.trim()).filter((part) => part !== '');

/** A list as JSON or Python has it; the import checks it strictly. */
function listed(cell: string): string[] | null {
  const text = cell.trim();
  if (text === '') return [];
  if (!text.startsWith('[') || !text.endsWith(']')) return null;
  return split(text.slice(1, -1), ',').map((part) => part.replace(/^['"]|['"]$/g, ''));
}

/** Of each row, or null where it cannot be read so. @param columns those with the role Label */
export function firstLabels(
  preview: FilePreview,
  columns: readonly string[],
  form: MultiLabelColumns['form'],
  sign: string,
  rows: number,
): (string[] | null)[] {
  const places = columns.map((name) => preview.columns.findIndex((column) => column.name === name));
  const [first = -1] = places;
  if (first < 0) return [];
  return preview.rows.slice(0, rows).map((row) => {
    if (form === 'separated') return split(row[first] ?? '', sign);
    if (form === 'list') return listed(row[first] ?? '');
    const flags = places.map((place) => (row[place] ?? '').trim().toLowerCase());
    if (!flags.every((flag) => /^(|0|0\.0|false|no|1|1\.0|true|yes)$/.test(flag))) return null;
    return columns.filter((_, i) => /^(1|1\.0|true|yes)$/.test(flags[i] ?? ''));
  });
}
