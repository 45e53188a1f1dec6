/** Whether a row can be trained on, and what it is then. */
import type { Message } from '../contract/entities.js';
import { columnsOf, exampleOf } from './conversations.js';
import { labelLimit } from './limits.js';
import { splitOf } from './splits.js';
import type { ImportRequest, ReadRow, RowProblem, SplitName } from './types.js';

export interface CheckedRow {
  readonly line: number;
  readonly text: string;
  readonly pair: string | null;
  /** Empty for data to write text from. */
  readonly label: string;
  readonly messages: readonly Message[] | null;
  /** null where it is still to be drawn. */
  readonly split: SplitName | null;
}

type Values = Readonly<Record<string, string>>;
type Content = Omit<CheckedRow, 'line' | 'split'>;

/** The columns that a request reads from each row, with their roles; that of the split aside. */
export function rolesIn(request: ImportRequest): { readonly role: string; readonly column: string }[] {
  if (request.task === 'generation') return columnsOf(request.columns);
  const { textColumn, pairColumn, labelColumn } = request;
  return [
    { role: 'text', column: textColumn },
    ...(pairColumn === null ? [] : [{ role: 'pair', column: pairColumn }]),
    { role: 'label', column: labelColumn },
  ];
}

/** The row by its columns' roles, or its problem. Of classes an empty text is allowed (the profile tells of it), an empty label is not; blanks around a label are dropped. */
export function checkRow(row: ReadRow, request: ImportRequest, split: SplitName | null): CheckedRow | RowProblem {
  if ('problem' in row) return row;
  const { line, values } = row;
  const content = contentOf(values, request);
  if ('problem' in content) return { line, ...content };
  const { splitColumn } = request;
  if (split !== null || splitColumn === null) return { line, ...content, split };
  const named = (Object.hasOwn(values, splitColumn) ? values[splitColumn] : undefined) ?? '';
  const own = splitOf(named);
  if (own === null)
    return {
      line,
      problem: `the split "${named.slice(0, 40)}" in the column "${splitColumn}" is none of train, validation, test`,
    };
  return { line, ...content, split: own };
}

function contentOf(values: Values, request: ImportRequest): Content | { readonly problem: string } {
  if (request.task === 'generation') {
    const example = exampleOf(values, request.columns);
    if ('problem' in example) return example;
    const { text, messages } = example;
    return { text, pair: messages?.at(-1)?.content ?? null, label: '', messages };
  }
  const cell = (name: string) => (Object.hasOwn(values, name) ? values[name] : undefined);
  const text = cell(request.textColumn);
  if (text === undefined) return { problem: `no value for the text column "${request.textColumn}"` };
  const pair = request.pairColumn === null ? null : cell(request.pairColumn);
  if (pair === undefined) return { problem: `no value for the column "${request.pairColumn ?? ''}"` };
  const label = cell(request.labelColumn)?.trim() ?? '';
  if (label === '') return { problem: `the label is missing: the column "${request.labelColumn}" is empty` };
  if (label.length > labelLimit) return { problem: `the label is longer than the limit of ${labelLimit} characters` };
  return { text, pair, label, messages: null };
}
