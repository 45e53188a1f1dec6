/** Whether a row can be trained on, and what it is then. */
import { labelLimit } from './limits.js';
import { splitOf } from './splits.js';
import type { ImportRequest, ReadRow, RowProblem, SplitName } from './types.js';

export interface CheckedRow {
  readonly line: number;
  readonly text: string;
  readonly pair: string | null;
  readonly label: string;
  /** null where it is still to be drawn. */
  readonly split: SplitName | null;
}

type Columns = Pick<ImportRequest, 'textColumn' | 'pairColumn' | 'labelColumn' | 'splitColumn'>;

/** The row by its columns' roles, or its problem. An empty text is allowed (the profile tells of it), an empty label is not; blanks around a label are dropped. */
export function checkRow(row: ReadRow, columns: Columns, split: SplitName | null): CheckedRow | RowProblem {
  if ('problem' in row) return row;
  const { line, values } = row;
  const cell = (name: string) => (Object.hasOwn(values, name) ? values[name] : undefined);
  const text = cell(columns.textColumn);
  if (text === undefined) return { line, problem: `no value for the text column "${columns.textColumn}"` };
  const pair = columns.pairColumn === null ? null : cell(columns.pairColumn);
  if (pair === undefined) return { line, problem: `no value for the column "${columns.pairColumn ?? ''}"` };
  const label = cell(columns.labelColumn)?.trim() ?? '';
  if (label === '') return { line, problem: `the label is missing: the column "${columns.labelColumn}" is empty` };
  if (label.length > labelLimit)
    return { line, problem: `the label is longer than the limit of ${labelLimit} characters` };
  if (split !== null || columns.splitColumn === null) return { line, text, pair, label, split };
  const named = cell(columns.splitColumn) ?? '';
  const own = splitOf(named);
  if (own === null)
    return {
      line,
      problem: `the split "${named.slice(0, 40)}" in the column "${columns.splitColumn}" is none of train, validation, test`,
    };
  return { line, text, pair, label, split: own };
}
