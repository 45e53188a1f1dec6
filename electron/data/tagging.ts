/** Rows of tagged words: from the lists of a file to words and BIO tags. */
import { cellOf } from './cells.js';
import { StudioError } from '../contract/errors.js';
import type { RowContent } from './content.js';
import { listIn } from '../contract/lists.js';
import { labelLimit } from './limits.js';
import { SchemeFinder, schemeNames, toBio, type TagScheme } from './tags.js';
import type { ImportRequest, ReadRow } from './types.js';

export type TaggingRequest = Extract<ImportRequest, { task: 'tagging' }>;
/** How tags are read: by which scheme, and whether each word has a line of its own. */
export interface TagReading {
  readonly scheme: TagScheme;
  readonly wordLines: boolean;
}
export const plainTags: TagReading = { scheme: 'bio', wordLines: false };

type Values = Readonly<Record<string, string>>;
type Problem = { readonly problem: string };

/** Words and tags as the file has them, numbers of tags by their names. */
function listsOf(values: Values, request: TaggingRequest): { words: string[]; tags: string[] } | Problem {
  const { wordsColumn, tagsColumn, tagNames } = request;
  const words = listIn(cellOf(values, wordsColumn));
  if (words === null) return { problem: `the column "${wordsColumn}" holds no list of words` };
  const tags = listIn(cellOf(values, tagsColumn));
  if (tags === null) return { problem: `the column "${tagsColumn}" holds no list of tags` };
  if (words.length === 0) return { problem: `the column "${wordsColumn}" holds no words` };
  if (words.length !== tags.length) return { problem: `${words.length} words have ${tags.length} tags` };
  const place = tags.findIndex((tag) => tag.trim() === '' || tag.length > labelLimit || /\s/.test(tag));
  if (place >= 0) return { problem: `the tag of word ${place + 1} ("${words[place] ?? ''}") is empty or holds blanks` };
  if (!tags.every((tag) => /^-?\d+$/.test(tag))) return { words, tags };
  if (tagNames === null)
    return { problem: 'the tags are numbers: their names are needed, in the order of the numbers' };
  const named = tags.map((tag) => tagNames[Number(tag)]);
  const nameless = named.indexOf(undefined);
  if (nameless >= 0)
    return { problem: `the tag ${tags[nameless] ?? ''} has no name: ${tagNames.length} names are given` };
  return { words, tags: named as string[] };
}

/** A row's words as text and its tags as label, both between blanks. */
export function taggedContent(
  values: Values,
  line: number,
  request: TaggingRequest,
  { scheme, wordLines }: TagReading,
): RowContent | Problem {
  const lists = listsOf(values, request);
  if ('problem' in lists) return lists;
  const { tags, malformed } = toBio(lists.tags, scheme);
  // A blank inside a word must not part it.
  const words = lists.words.map((word) => word.trim().replace(/\s/g, '\u00a0') || '\ufffd');
  return {
    text: words.join(' '),
    pair: null,
    label: tags.join(' '),
    messages: null,
    answers: null,
    labels: [...new Set(tags)],
    stratum: '',
    group: null,
    remarks: malformed.map((place) => ({
      line: wordLines ? line + place : line,
      about: 'I- tags that go on with nothing were read as the beginning of an entity, as seqeval reads them',
    })),
  };
}

/**
 * The scheme of the tags of all rows together, and a note where they are converted.
 * @throws StudioError `bad-data` where there is none that marks entities
 */
export async function schemeOf(
  request: TaggingRequest,
  rows: AsyncIterable<ReadRow>,
): Promise<{ readonly scheme: TagScheme; readonly notes: readonly string[] }> {
  const finder = new SchemeFinder();
  let usable = 0;
  for await (const row of rows) {
    if ('problem' in row) continue;
    const lists = listsOf(row.values, request);
    if ('problem' in lists) continue;
    usable += 1;
    finder.add(lists.tags);
  }
  // Without a usable row the check of each says why.
  const scheme = usable === 0 ? 'bio' : finder.scheme();
  if (typeof scheme !== 'string')
    throw new StudioError(
      'bad-data',
      `${request.path}: in the column "${request.tagsColumn}" ${scheme.problem}.`,
      'Choose the column of the entity tags.',
      { path: request.path, column: request.tagsColumn },
    );
  return {
    scheme,
    notes: scheme === 'bio' ? [] : [`The tags were ${schemeNames[scheme]} and were converted to ${schemeNames.bio}.`],
  };
}
