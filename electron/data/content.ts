/** What a row is made to, by the task of its data set. One entry a task. */
import { cellOf } from './cells.js';
import type { MarkedAnswer, Message } from '../contract/entities.js';
import { labelColumns } from '../contract/labels.js';
import { labelsInCells } from '../contract/lists.js';
import type { Task } from '../contract/objectives.js';
import { columnsOf, exampleOf } from './conversations.js';
import { sortLabels } from './labels.js';
import { labelLimit } from './limits.js';
import { questionContent } from './questions.js';
import { taggedContent, type TagReading } from './tagging.js';
import { parseNumber } from './numbers.js';
import type { ImportRequest } from './types.js';

/** What a row is made to. */
export interface RowContent {
  readonly text: string;
  readonly pair: string | null;
  /** As the row keeps it; empty for data to write text from. */
  readonly label: string;
  readonly messages: readonly Message[] | null;
  readonly answers: readonly MarkedAnswer[] | null;
  /** What the data set's labels come from: the label, each of several, or each tag once. */
  readonly labels: readonly string[];
  /** What keeps its share in each split that is drawn; equal for all rows where there is nothing to keep. */
  readonly stratum: string;
  /** Rows that have it in common never part; null: those of the same text. */
  readonly group: string | null;
  /** What was read otherwise than it stands: told together, with the lines. */
  readonly remarks: readonly { readonly line: number; readonly about: string }[];
}

/** Where a row stands, and how its tags are written. */
export interface RowPlace {
  readonly line: number;
  readonly tags: TagReading;
}

/** A row without marked answers. In full: an object put together of others takes longer than all else of a row. */
const plain = (
  { text, pair }: Pick<RowContent, 'text' | 'pair'>,
  { label, labels, stratum, messages = null }: Pick<RowContent, 'label' | 'labels' | 'stratum'> & Partial<RowContent>,
): RowContent => ({ text, pair, label, messages, answers: null, labels, stratum, group: null, remarks: none });
const none: RowContent['remarks'] = [];

type Values = Readonly<Record<string, string>>;
interface Column {
  readonly role: string;
  readonly column: string;
}
type RequestOf<T extends Task> = Extract<ImportRequest, { task: T }>;
interface TaskContent<R> {
  /** The columns that are read from each row, with their roles. */
  columns(request: R): readonly Column[];
  content(values: Values, request: R, place: RowPlace): RowContent | { readonly problem: string };
}

interface TextColumns {
  readonly textColumn: string;
  readonly pairColumn: string | null;
}
const textColumns = ({ textColumn, pairColumn }: TextColumns): Column[] => [
  { role: 'text', column: textColumn },
  ...(pairColumn === null ? [] : [{ role: 'pair', column: pairColumn }]),
];

/** Text, or pair, of a row, which may be empty: the profile tells of it. */
function textsOf(
  values: Values,
  { textColumn, pairColumn }: TextColumns,
): { readonly text: string; readonly pair: string | null } | { readonly problem: string } {
  const text = cellOf(values, textColumn);
  if (text === undefined) return { problem: `no value for the text column "${textColumn}"` };
  const pair = pairColumn === null ? null : cellOf(values, pairColumn);
  if (pair === undefined) return { problem: `no value for the column "${pairColumn ?? ''}"` };
  return { text, pair };
}

const contents: { readonly [T in Task]: TaskContent<RequestOf<T>> } = {
  /** Blanks around a label are dropped; an empty one is none. */
  classification: {
    columns: (request) => [...textColumns(request), { role: 'label', column: request.labelColumn }],
    content(values, request) {
      const texts = textsOf(values, request);
      if ('problem' in texts) return texts;
      const label = cellOf(values, request.labelColumn)?.trim() ?? '';
      if (label === '') return { problem: `the label is missing: the column "${request.labelColumn}" is empty` };
      if (label.length > labelLimit) return tooLong;
      return plain(texts, { label, labels: [label], stratum: label });
    },
  },
  regression: {
    columns: (request) => [...textColumns(request), { role: 'number', column: request.labelColumn }],
    content(values, request) {
      const texts = textsOf(values, request);
      if ('problem' in texts) return texts;
      const cell = cellOf(values, request.labelColumn)?.trim() ?? '';
      if (cell === '') return { problem: `the number is missing: the column "${request.labelColumn}" is empty` };
      const number = parseNumber(cell);
      if (number === null)
        return { problem: `"${cell.slice(0, 40)}" in the column "${request.labelColumn}" is not a number` };
      return plain(texts, { label: String(number), labels: [], stratum: '' });
    },
  },
  'multi-label': {
    columns: (request) => [
      ...textColumns(request),
      ...labelColumns(request.labels).map((column) => ({ role: 'label', column })),
    ],
    content(values, request) {
      const texts = textsOf(values, request);
      if ('problem' in texts) return texts;
      const found = labelsInCells((name) => cellOf(values, name), request.labels);
      if ('problem' in found) return found;
      if (found.labels.some(({ length }) => length > labelLimit)) return tooLong;
      const labels = sortLabels(new Set(found.labels));
      const label = JSON.stringify(labels);
      return plain(texts, { label, labels, stratum: label });
    },
  },
  tagging: {
    columns: ({ wordsColumn, tagsColumn }) => [
      { role: 'words', column: wordsColumn },
      { role: 'tags', column: tagsColumn },
    ],
    content: (values, request, { line, tags }) => taggedContent(values, line, request, tags),
  },
  questions: {
    columns: ({ questionColumn, contextColumn, answersColumn, groupColumn }) => [
      { role: 'question', column: questionColumn },
      { role: 'context', column: contextColumn },
      { role: 'answers', column: answersColumn },
      ...(groupColumn === null ? [] : [{ role: 'group', column: groupColumn }]),
    ],
    content: (values, request, { line }) => questionContent(values, line, request),
  },
  generation: {
    columns: ({ columns }) => columnsOf(columns),
    content(values, { columns }) {
      const example = exampleOf(values, columns);
      if ('problem' in example) return example;
      const { text, messages } = example;
      return plain({ text, pair: messages?.at(-1)?.content ?? null }, { label: '', labels: [], stratum: '', messages });
    },
  },
};

const tooLong = { problem: `the label is longer than the limit of ${labelLimit} characters` };

/** The entry of a request, which takes that request: the table is keyed by its task. */
const entryOf = (request: ImportRequest) => contents[request.task] as TaskContent<ImportRequest>;

/** The columns that a request reads from each row, with their roles; that of the split aside. */
export const columnsIn = (request: ImportRequest): readonly Column[] => entryOf(request).columns(request);

export const contentOf = (
  values: Values,
  line: number,
  request: ImportRequest,
  tags: TagReading,
): RowContent | { readonly problem: string } => entryOf(request).content(values, request, { line, tags });
