/** Rows of questions: each with the context that it is asked of and where its answers stand there. */
import { cellOf } from './cells.js';
import { readAnswers } from './answers.js';
import type { RowContent } from './content.js';
import { normalizedText } from './splits.js';
import type { ImportRequest } from './types.js';

export type QuestionsRequest = Extract<ImportRequest, { task: 'questions' }>;
type Values = Readonly<Record<string, string>>;

/** Labels of questions: whether the context answers them. */
export const answerable = ['answerable', 'unanswerable'] as const;

export function questionContent(
  values: Values,
  line: number,
  request: QuestionsRequest,
): RowContent | { readonly problem: string } {
  const cell = (name: string) => cellOf(values, name);
  const question = cell(request.questionColumn)?.trim() ?? '';
  if (question === '') return { problem: `the question is empty: the column "${request.questionColumn}"` };
  const context = cell(request.contextColumn) ?? '';
  if (context.trim() === '') return { problem: `the context is empty: the column "${request.contextColumn}"` };
  const read = readAnswers(cell(request.answersColumn), context);
  if ('problem' in read) return read;
  const { answers, moved } = read;
  const label = answers.length > 0 ? answerable[0] : answerable[1];
  const group = request.groupColumn === null ? '' : (cell(request.groupColumn) ?? '').trim();
  return {
    text: question,
    pair: context,
    label,
    messages: null,
    answers,
    labels: [label],
    stratum: '',
    group: normalizedText(group === '' ? context : group, null),
    remarks: Array.from({ length: moved }, () => ({
      line,
      about: 'answers stood beside the place that the file names and were found there',
    })),
  };
}
