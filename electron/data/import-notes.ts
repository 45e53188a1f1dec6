/** What an import tells beside its numbers: how rows were split, what was read otherwise than it stands, what is missing. */
import { basename } from 'node:path';
import { splitNames } from '../contract/entities.js';
import type { Task } from '../contract/objectives.js';
import type { ImportRequest, SplitName } from './types.js';

const linesNamed = 5;

/** What was read otherwise than it stands, counted by what it is. */
export class Remarks {
  private readonly known = new Map<string, number[]>();
  private readonly counts = new Map<string, number>();

  add(about: string, line: number): void {
    const lines = this.known.get(about) ?? [];
    this.known.set(about, lines);
    if (lines.length < linesNamed) lines.push(line);
    this.counts.set(about, (this.counts.get(about) ?? 0) + 1);
  }

  /** "23 answers stood …: lines 3, 17, 20, 21, 40 and 18 more." */
  sentences(): string[] {
    return [...this.known].map(([about, lines]) => {
      const count = this.counts.get(about) ?? 0;
      const more = count > lines.length ? ` and ${count - lines.length} more` : '';
      return `${count} ${about}: ${count === 1 ? 'line' : 'lines'} ${lines.join(', ')}${more}.`;
    });
  }
}

/** What keeps its share; left out: nothing. */
const drawnBy: { readonly [T in Task]?: string } = {
  classification: 'by label ',
  'multi-label': "by each row's rarest label ",
};

export function splitNote(request: ImportRequest): string {
  if (request.splitColumn !== null) return `By the column "${request.splitColumn}".`;
  const files = (['validation', 'test'] as const)
    .filter((split) => typeof request[split] === 'string')
    .map((split) => `${split} from ${basename(String(request[split]))}`);
  const shares = (['validation', 'test'] as const).flatMap((split) => {
    const share = request[split];
    return typeof share === 'number' && share > 0 ? [`${Number((share * 100).toFixed(1))} % ${split}`] : [];
  });
  const drawn =
    shares.length > 0
      ? [
          `${shares.join(' and ')} drawn ${drawnBy[request.task] ?? ''}with seed ${request.seed}, ${togetherIn(request)} kept together`,
        ]
      : [];
  const parts = [...files, ...drawn];
  return parts.length === 0
    ? 'All rows are for training.'
    : `${parts.join('; ')}.`.replace(/^./, (letter) => letter.toUpperCase());
}

function togetherIn(request: ImportRequest): string {
  switch (request.task) {
    case 'generation':
      return request.columns.form === 'text' ? 'equal texts' : 'equal prompts';
    case 'questions':
      return request.groupColumn === null ? 'questions of one context' : `questions of one "${request.groupColumn}"`;
    case 'tagging':
    case 'classification':
    case 'regression':
    case 'multi-label':
      return 'equal texts';
  }
}

export function notesOn(
  labels: ReadonlyMap<string, Readonly<Record<SplitName, number>>>,
  rows: Readonly<Record<SplitName, number>>,
): string[] {
  const notes: string[] = [];
  const unseen = [...labels].filter(([, counts]) => counts.train === 0).map(([label]) => `"${label}"`);
  if (unseen.length > 0)
    notes.push(
      `${unseen.length === 1 ? 'The label' : 'The labels'} ${unseen.slice(0, 5).join(', ')}${unseen.length > 5 ? ` and ${unseen.length - 5} more` : ''} ${unseen.length === 1 ? 'has' : 'have'} no training rows: they cannot be learned.`,
    );
  for (const split of splitNames)
    if (split !== 'train' && rows[split] === 0)
      notes.push(
        split === 'validation'
          ? 'There are no validation rows: runs cannot stop early or keep their best state.'
          : 'There are no test rows: runs get no test score.',
      );
  return notes;
}
