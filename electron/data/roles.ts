/** Which column plays which part: by its whole name first ("text" is not found inside "context"), by its values otherwise. */
import { cellOf } from './cells.js';
import type { FilePreview, GenerationColumns, MultiLabelColumns } from '../contract/entities.js';
import type { Task } from '../contract/objectives.js';
import { readAnswers } from './answers.js';
import { listIn, parseFlag, parseList } from '../contract/lists.js';
import { splitOf } from './splits.js';
import { SchemeFinder, schemeNames } from './tags.js';
import { parseNumber } from './numbers.js';

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
    'text 2',
    'text_2',
    'sentence_b',
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
    'entailment',
    'gold',
    'score',
    'similarity',
    'relatedness_score',
    'similarity_score',
    'relatedness',
    'rating',
    'stars',
    'genres',
    'tags',
    'categories',
    'topics',
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

const generationNames = {
  text: ['text', 'content', 'document', 'body', 'article', 'story'],
  messages: ['messages', 'conversations', 'conversation', 'dialog', 'dialogue', 'chat'],
  prompt: ['instruction', 'prompt', 'question', 'query', 'input', 'user'],
  input: ['input', 'context'],
  completion: ['output', 'completion', 'response', 'answer', 'chosen', 'assistant', 'target'],
  system: ['system', 'system_prompt'],
} as const;

/** How a file reads as data to write text from: OpenAI's and ShareGPT's conversations, prompts with completions (Alpaca's among them), or a text. */
export function suggestGeneration(columns: readonly ColumnFacts[]): GenerationColumns | null {
  const named = (role: keyof typeof generationNames, ...taken: (string | null)[]) => {
    const lower = (column: ColumnFacts) => column.name.trim().toLowerCase();
    for (const name of generationNames[role]) {
      const found = columns.find((column) => lower(column) === name && !taken.includes(column.name));
      if (found !== undefined) return found;
    }
    return null;
  };
  const chat = named('messages');
  if (chat?.values.every((value) => /^\s*\[\s*\{/.test(value)))
    return { form: 'chat', messages: chat.name, system: named('system')?.name ?? null };
  const prompt = named('prompt')?.name ?? null;
  const completion = named('completion', prompt)?.name ?? null;
  if (prompt !== null && completion !== null)
    return {
      form: 'instruction',
      prompt,
      input: named('input', prompt, completion)?.name ?? null,
      completion,
      system: named('system')?.name ?? null,
    };
  const [longest] = [...columns].sort((a, b) => b.meanLength - a.meanLength);
  const text = named('text') ?? longest;
  return text === undefined ? null : { form: 'text', text: text.name };
}

/** How a file reads as tagged words: two columns of lists of the same length, the tags by their name or by what they hold. @param tagNames names of numbered classes by column */
export function suggestTagging(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, string>>[],
  tagNames: ReadonlyMap<string, readonly string[]>,
): FilePreview['tagging'] {
  const lists = new Map<string, readonly string[][]>();
  for (const column of columns) {
    const own = rows.map((row) => listIn(cellOf(row, column)));
    if (own.length > 0 && own.every((list) => list !== null)) lists.set(column, own);
  }
  const numbers = (column: string) =>
    (lists.get(column) ?? []).every((list) => list.every((cell) => /^-?\d+$/.test(cell)));
  const words = [...lists.keys()].find((column) => !numbers(column));
  if (words === undefined) return null;
  const lengths = (column: string) => (lists.get(column) ?? []).map((list) => list.length).join();
  const others = [...lists.keys()].filter((column) => column !== words && lengths(column) === lengths(words));
  const schemeIn = (column: string) => {
    const finder = new SchemeFinder();
    for (const tags of lists.get(column) ?? []) finder.add(tags);
    const scheme = finder.scheme();
    return typeof scheme === 'string' ? scheme : null;
  };
  const byName = (column: string) => /(^|_)(ner|tags?|labels?|entities)/i.test(column);
  // The last one that marks entities, as CoNLL has it; numbers say nothing, so their name has to.
  const tags =
    others.findLast((column) => !numbers(column) && schemeIn(column) !== null) ??
    others.findLast((column) => numbers(column) && byName(column)) ??
    others.at(-1);
  if (tags === undefined) return null;
  const scheme = numbers(tags) ? null : schemeIn(tags);
  return {
    words,
    tags,
    scheme: scheme === null ? null : schemeNames[scheme],
    tagNames: numbers(tags) ? [...(tagNames.get(tags) ?? [])] : null,
  };
}

const questionNames = {
  question: ['question', 'query'],
  context: ['context', 'passage', 'paragraph', 'document'],
  answers: ['answers', 'answer'],
  group: ['title', 'article'],
} as const;

/** How a file reads as questions on contexts: the answers name their place, or stand in the context. */
export function suggestQuestions(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, string>>[],
): FilePreview['questions'] {
  const named = (role: keyof typeof questionNames) =>
    questionNames[role].flatMap((name) => columns.filter((column) => column.trim().toLowerCase() === name))[0] ?? null;
  const [question, context, answers] = [named('question'), named('context'), named('answers')];
  if (question === null || context === null || answers === null) return null;
  const read = rows.map((row) => readAnswers(cellOf(row, answers), cellOf(row, context) ?? ''));
  const found = read.filter((one) => !('problem' in one) && one.answers.length > 0).length;
  return found > 0 && found >= read.filter((one) => 'problem' in one).length
    ? { question, context, answers, group: named('group') }
    : null;
}

/** Tagged words and questions on contexts by their form; conversations, prompts with completions and lone texts are to be continued; whatever has a column of classes is to be sorted into them. */
export function suggestTask({
  columns,
  multiLabel,
  tagging,
  questions,
  generation,
  roles,
}: Pick<FilePreview, 'tagging' | 'questions' | 'generation' | 'multiLabel'> & {
  readonly columns: readonly ColumnFacts[];
  readonly roles: ReadonlyMap<string, Role>;
}): Task {
  if (tagging !== null && (tagging.scheme !== null || tagging.tagNames !== null)) return 'tagging';
  if (questions !== null) return 'questions';
  const byName = (column: string) => names.label.some((name) => name === column.trim().toLowerCase());
  const labels = [...roles].filter(([, role]) => role === 'label').map(([column]) => column);
  if (multiLabel !== null) return 'multi-label';
  const asked =
    generation === null
      ? 'classification'
      : generation.form === 'text'
        ? labels.length === 0
          ? 'generation'
          : 'classification'
        : labels.some(byName)
          ? 'classification'
          : 'generation';
  const label = columns.find(({ name }) => name === labels[0]);
  return asked === 'classification' && label !== undefined && isMeasured(label) ? 'regression' : asked;
}

/** The lowest and the highest of a column whose cells are numbers; null for others. */
export function numbersIn({ values }: ColumnFacts): { low: number; high: number } | null {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    const number = parseNumber(value);
    if (number === null) return null;
    [low, high] = [Math.min(low, number), Math.max(high, number)];
  }
  return high < low ? null : { low, high };
}

/** Whole numbers are classes; where some have a fraction, or there are too many to be classes, they measure something. */
const mostClasses = 20;
function isMeasured(column: ColumnFacts): boolean {
  return (
    numbersIn(column) !== null &&
    (column.distinct > mostClasses || column.values.some((value) => !Number.isInteger(parseNumber(value))))
  );
}

const separators = [';', '|', ','] as const;
/** A label has at most so many characters, or it is a text. */
const labelCharacters = 60;

/**
 * Where the labels of rows with several stand: in the column of the label as a list or behind a sign, or in columns of 1 and 0.
 * A sign separates labels where its parts come back in other cells: far fewer different parts than cells.
 */
export function suggestMultiLabel(
  columns: readonly ColumnFacts[],
  roles: ReadonlyMap<string, Role>,
): MultiLabelColumns | null {
  const role = (name: string) => roles.get(name) ?? 'ignore';
  const short = columns.filter(({ name, meanLength }) => role(name) !== 'split' && meanLength <= 200);
  const named = short.filter(({ name }) => names.label.some((one) => one === name.trim().toLowerCase()));
  for (const column of [...named, ...short.filter(({ name }) => role(name) === 'label')]) {
    const filled = column.values.filter((value) => value.trim() !== '');
    if (filled.length >= 2 && filled.every((value) => parseList(value) !== null))
      return { form: 'list', column: column.name };
    for (const separator of separators) {
      const parts = filled.map((value) => value.split(separator).map((part) => part.trim()));
      const several = parts.filter(({ length }) => length > 1).length;
      const different = new Set(parts.flat());
      const isLabel = [...different].every((part) => part !== '' && part.length <= labelCharacters);
      if (several >= 2 && several >= filled.length / 4 && isLabel && different.size < filled.length)
        return { form: 'separated', column: column.name, separator };
    }
  }
  // Two columns of 1 and 0 may be anything; three are a table of labels.
  const flags = columns.filter(
    ({ name, values, distinct }) =>
      distinct > 0 && distinct <= 2 && role(name) !== 'split' && values.every((value) => parseFlag(value) !== null),
  );
  const byName = columns.some(
    (column) => named.includes(column) && !flags.includes(column) && role(column.name) === 'label',
  );
  return flags.length >= 3 && !byName ? { form: 'columns', columns: flags.map(({ name }) => name) } : null;
}
