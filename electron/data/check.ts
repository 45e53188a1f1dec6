/** Whether a row can be trained on, and what it is then. */
import { contentOf, type RowContent } from './content.js';
import { problemAt } from './limits.js';
import { normalizedText, splitOf } from './splits.js';
import { plainTags, type TagReading } from './tagging.js';
import type { ImportRequest, ReadRow, RowProblem, SplitName } from './types.js';

export interface CheckedRow {
  readonly line: number;
  readonly content: RowContent;
  /** null where it is still to be drawn. */
  readonly split: SplitName | null;
}

/** Rows that are alike in this never part, so that no test row's answer is learned by heart: of a conversation all before its answer. */
export const keptTogether = ({ text, pair, messages, group }: RowContent): string =>
  group ?? normalizedText(text, messages === null ? pair : null);

/** The row by its columns' roles, or its problem. */
export function checkRow(
  row: ReadRow,
  request: ImportRequest,
  split: SplitName | null,
  tags: TagReading = plainTags,
): CheckedRow | RowProblem {
  if ('problem' in row) return row;
  const { line, values } = row;
  const refused = (problem: string): RowProblem => ({
    line,
    problem: row.row === undefined ? problem : problemAt(row.row, problem),
  });
  const content = contentOf(values, line, request, tags);
  if ('problem' in content) return refused(content.problem);
  const { splitColumn } = request;
  if (split !== null || splitColumn === null) return { line, content, split };
  const named = (Object.hasOwn(values, splitColumn) ? values[splitColumn] : undefined) ?? '';
  const own = splitOf(named);
  if (own === null)
    return refused(
      `the split "${named.slice(0, 40)}" in the column "${splitColumn}" is none of train, validation, test`,
    );
  return { line, content, split: own };
}
