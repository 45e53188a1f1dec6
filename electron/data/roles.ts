/** Which column plays which part: by its whole name first ("text" is not found inside "context"), by its values otherwise. */
import { splitOf } from './splits.js';

export interface ColumnFacts {
  readonly name: string;
  readonly distinct: number;
  readonly empty: number;
  readonly meanLength: number;
  /** The different values of the sample. */
  readonly values: readonly string[];
}
export type Role = 'text' | 'pair' | 'label' | 'split' | 'ignore';

const names = {
  text: [
    'text',
    'sentence',
    'sentence1',
    'sentence_1',
    'sentence a',
    'question',
    'question1',
    'premise',
    'content',
    'review',
    'message',
    'body',
    'utterance',
    'query',
    'gloss',
    'input',
    'tweet',
    'comment',
    'document',
    'text1',
    'text_a',
    'title',
  ],
  pair: [
    'sentence2',
    'sentence_2',
    'sentence b',
    'question2',
    'hypothesis',
    'pair',
    'text2',
    'text_b',
    'answer',
    'context',
    'passage',
  ],
  label: [
    'label',
    'labels',
    'category',
    'class',
    'target',
    'sentiment',
    'intent',
    'topic',
    'domain',
    'type',
    'y',
    'gold_label',
    'label_text',
    'tag',
    'stance',
    'emotion',
  ],
  split: ['split', 'set', 'partition', 'fold', 'subset'],
} as const;

/** A role for each column; the others are ignored. At most one column a role. */
export function suggestRoles(columns: readonly ColumnFacts[], rows: number): Map<string, Role> {
  const roles = new Map<string, Role>();
  const free = () => columns.filter((column) => !roles.has(column.name));
  const byName = (role: keyof typeof names, fits: (column: ColumnFacts) => boolean) => {
    for (const name of names[role]) {
      const column = free().find((candidate) => candidate.name.trim().toLowerCase() === name && fits(candidate));
      if (column !== undefined) {
        roles.set(column.name, role);
        return column;
      }
    }
    return undefined;
  };
  const few = (column: ColumnFacts) =>
    column.distinct >= 2 && column.distinct <= Math.max(2, rows / 2) && column.meanLength <= 100;

  byName('split', (column) => column.values.length > 0 && column.values.every((value) => splitOf(value) !== null));
  const label = byName('label', few) ?? byName('label', () => true);
  if (label === undefined) {
    const [best] = free()
      .filter(few)
      .sort((a, b) => a.distinct - b.distinct || a.meanLength - b.meanLength);
    if (best !== undefined && free().length > 1) roles.set(best.name, 'label');
  }
  const text = byName('text', (column) => column.distinct > 0);
  if (text === undefined) {
    const [longest] = free().sort((a, b) => b.meanLength - a.meanLength);
    if (longest !== undefined) roles.set(longest.name, 'text');
  }
  // "context" or "answer" beside a lone "text" is no pair by itself; beside a question or a premise it is.
  const first =
    [...roles]
      .find(([, role]) => role === 'text')?.[0]
      .trim()
      .toLowerCase() ?? '';
  const asks = /1$|_a$| a$|^(question|premise|query|sentence)$/.test(first);
  byName('pair', (column) => asks && column.empty < rows / 2);
  return roles;
}
