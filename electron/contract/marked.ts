/** Parts of texts that rows and answers mark: entities among words, answers in contexts. */
import type { DatasetRow, MarkedSpan } from './entities.js';
import { labelInWords } from './labels.js';
import type { Task } from './objectives.js';

/** From word to word (the end not included), and what it is. */
export type Entity = readonly [from: number, to: number, type: string];

/** Entities of a sentence's BIO tags. Lenient, as seqeval: an I- that cannot go on with the tag before it begins an entity. */
export function entitiesOf(tags: readonly string[]): Entity[] {
  const entities: Entity[] = [];
  let open: { from: number; type: string } | null = null;
  tags.forEach((tag, place) => {
    const [prefix, type] = tag === 'O' ? ['O', ''] : [tag[0] ?? '', tag.slice(2)];
    if (prefix === 'I' && open?.type === type) return;
    if (open) entities.push([open.from, place, open.type]);
    open = prefix === 'O' ? null : { from: place, type };
  });
  const last = open as { from: number; type: string } | null;
  if (last) entities.push([last.from, tags.length, last.type]);
  return entities;
}

/** A marked part of a text in UTF-16 units (the end not included), and what it is; empty for an answer. */
export type MarkedPart = Pick<MarkedSpan, 'from' | 'to' | 'text' | 'type'>;

/** The entities of a row of tagged words: `text` is its words and `tags` their tags, both parted by blanks. */
export function markedWords(text: string, tags: string): MarkedPart[] {
  const words: { from: number; to: number }[] = [];
  let at = 0;
  for (const word of text.split(' ')) {
    words.push({ from: at, to: at + word.length });
    at += word.length + 1;
  }
  return entitiesOf(tags.split(' ')).flatMap(([first, end, type]) => {
    const [from, to] = [words[first]?.from, words[end - 1]?.to];
    return from === undefined || to === undefined ? [] : [{ from, to, text: text.slice(from, to), type }];
  });
}

/** "person: Ann, place: Rome" */
export const entitiesInWords = (parts: readonly Pick<MarkedPart, 'text' | 'type'>[]): string =>
  parts.map(({ type, text }) => `${type}: ${text}`).join(', ');

/** Types of entities, from their BIO tags, in the order of the tags. */
export const entityTypes = (tags: readonly string[]): string[] => [
  ...new Set(tags.filter((tag) => tag !== 'O').map((tag) => tag.slice(2))),
];

/** What a row asks for, as an answer to it is written; of several right answers the first. */
export function answerInWords(
  task: Task,
  { text, label, answers }: Pick<DatasetRow, 'text' | 'label' | 'answers'>,
): string {
  if (task === 'tagging') return entitiesInWords(markedWords(text, label)) || 'none';
  if (task === 'questions') return answers?.[0]?.text ?? 'none';
  return labelInWords(task, label);
}
