/** Whether a row can be trained on, and what it is then. */
import type { MarkedAnswer, Message } from '../contract/entities.js';
import { columnsOf, exampleOf } from './conversations.js';
import { labelLimit } from './limits.js';
import { questionContent } from './questions.js';
import { normalizedText, splitOf } from './splits.js';
import { plainTags, taggedContent, type TagReading } from './tagging.js';
import type { ImportRequest, ReadRow, RowProblem, SplitName } from './types.js';

/** What a row is made to. */
export interface RowContent {
  readonly text: string;
  readonly pair: string | null;
  /** Empty for data to write text from. */
  readonly label: string;
  readonly messages: readonly Message[] | null;
  readonly answers: readonly MarkedAnswer[] | null;
  /** What the data set's labels come from: the label, or each tag once. */
  readonly labels: readonly string[];
  /** What keeps its share in each split that is drawn. */
  readonly stratum: string;
  /** Rows that have it in common never part; null: those of the same text. */
  readonly group: string | null;
  /** What was read otherwise than it stands: told together, with the lines. */
  readonly remarks: readonly { readonly line: number; readonly about: string }[];
}

export interface CheckedRow extends RowContent {
  readonly line: number;
  /** null where it is still to be drawn. */
  readonly split: SplitName | null;
}

type Values = Readonly<Record<string, string>>;

/** The columns that a request reads from each row, with their roles; that of the split aside. */
export function rolesIn(request: ImportRequest): { readonly role: string; readonly column: string }[] {
  const named = (role: string, column: string | null) => (column === null ? [] : [{ role, column }]);
  switch (request.task) {
    case 'generation':
      return columnsOf(request.columns);
    case 'tagging':
      return [...named('words', request.wordsColumn), ...named('tags', request.tagsColumn)];
    case 'questions':
      return [
        ...named('question', request.questionColumn),
        ...named('context', request.contextColumn),
        ...named('answers', request.answersColumn),
        ...named('group', request.groupColumn),
      ];
    case 'classification':
      return [
        ...named('text', request.textColumn),
        ...named('pair', request.pairColumn),
        ...named('label', request.labelColumn),
      ];
  }
}

/** Rows that are alike in this never part, so that no test row's answer is learned by heart: of a conversation all before its answer. */
export const keptTogether = ({ text, pair, messages, group }: RowContent): string =>
  group ?? normalizedText(text, messages === null ? pair : null);

/** The row by its columns' roles, or its problem. Of classes an empty text is allowed (the profile tells of it), an empty label is not; blanks around a label are dropped. */
export function checkRow(
  row: ReadRow,
  request: ImportRequest,
  split: SplitName | null,
  tags: TagReading = plainTags,
): CheckedRow | RowProblem {
  if ('problem' in row) return row;
  const { line, values } = row;
  const content = contentOf(values, line, request, tags);
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

function contentOf(
  values: Values,
  line: number,
  request: ImportRequest,
  tags: TagReading,
): RowContent | { readonly problem: string } {
  if (request.task === 'tagging') return taggedContent(values, line, request, tags);
  if (request.task === 'questions') return questionContent(values, line, request);
  const plain = { answers: null, group: null, remarks: [] };
  if (request.task === 'generation') {
    const example = exampleOf(values, request.columns);
    if ('problem' in example) return example;
    const { text, messages } = example;
    return { ...plain, text, pair: messages?.at(-1)?.content ?? null, label: '', messages, labels: [], stratum: '' };
  }
  const cell = (name: string) => (Object.hasOwn(values, name) ? values[name] : undefined);
  const text = cell(request.textColumn);
  if (text === undefined) return { problem: `no value for the text column "${request.textColumn}"` };
  const pair = request.pairColumn === null ? null : cell(request.pairColumn);
  if (pair === undefined) return { problem: `no value for the column "${request.pairColumn ?? ''}"` };
  const label = cell(request.labelColumn)?.trim() ?? '';
  if (label === '') return { problem: `the label is missing: the column "${request.labelColumn}" is empty` };
  if (label.length > labelLimit) return { problem: `the label is longer than the limit of ${labelLimit} characters` };
  return { ...plain, text, pair, label, messages: null, labels: [label], stratum: label };
}
