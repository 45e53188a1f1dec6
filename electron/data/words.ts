/**
 * Tagged words as token ids: the first token of each word carries its tag, the others none, as the field's examples have it. Words are
 * joined by blanks and found again by the tokenizer's places in the text.
 */
import { StudioError } from '../contract/errors.js';
import type { Batch } from '../engine/types.js';
import type { RowBatches } from './batches.js';
import { Growing } from './encoded.js';
import type { TextTokenizer } from './tokenizer.js';

const noTag = -100;

export interface TaggedWords {
  readonly id: number;
  /** Words between blanks. */
  readonly text: string;
  /** A tag a word, between blanks; empty where they are to be found. */
  readonly label: string;
}

/** A row's words, and how the tokens show them. */
interface WordRow {
  readonly id: number;
  readonly words: number;
  /** As the data have them; empty where they are to be found. */
  readonly tags: readonly string[];
  /** Words, in order, whose first token is there. */
  readonly seen: Int32Array;
}

/** A split in memory. Rows of which no word has a token stand behind the others: nothing can be read of them. */
export class WordRows {
  constructor(
    readonly rows: readonly WordRow[],
    /** All rows' token ids, one after another. */
    readonly tokens: Int32Array,
    /** Parallel to `tokens`: a class index at the first token of each word, -100 elsewhere. */
    readonly labels: Int32Array,
    /** Row i is tokens[offsets[i]] to tokens[offsets[i + 1]]; [size + 1]. */
    readonly offsets: Int32Array,
    /** Words that the maximum length cut off, in how many rows. */
    readonly cut: { readonly words: number; readonly rows: number },
    /** Words that the tokenizer leaves nothing of. */
    readonly lost: number,
  ) {}

  /** Rows that can be read. */
  get size(): number {
    return this.offsets.length - 1;
  }

  length(row: number): number {
    return (this.offsets[row + 1] ?? 0) - (this.offsets[row] ?? 0);
  }
}

const chunkRows = 256;

/** @throws StudioError `bad-data` for a tag outside `labels`, `bad-input` where the maximum length has no room for a word */
export async function encodeWords(
  rows: AsyncIterable<TaggedWords> | Iterable<TaggedWords>,
  tokenizer: TextTokenizer,
  { labels, maxLength }: { readonly labels: readonly string[]; readonly maxLength: number },
): Promise<WordRows> {
  const classes = new Map(labels.map((label, index) => [label, index]));
  const { before, after } = await tokenizer.frame(false);
  const room = maxLength - before.length - after.length;
  if (room < 1)
    throw new StudioError(
      'bad-input',
      `A maximum length of ${maxLength} has no room for a word.`,
      `Set training.maxLength to ${before.length + after.length + 1} or more.`,
      { field: 'training.maxLength' },
    );
  const [tokens, marks] = [new Growing(1 << 16), new Growing(1 << 16)];
  const offsets = [0];
  const readable: WordRow[] = [];
  const unreadable: WordRow[] = [];
  let [cutWords, cutRows, lost] = [0, 0, 0];
  let chunk: TaggedWords[] = [];
  const flush = async () => {
    const placed = await tokenizer.place(chunk.map(({ text }) => text));
    for (const [at, row] of chunk.entries()) {
      const { ids, from, to } = placed[at] ?? { ids: new Int32Array(), from: new Int32Array(), to: new Int32Array() };
      const words = row.text.split(' ');
      const tags = row.label === '' ? [] : row.label.split(' ');
      if (tags.length > 0 && tags.length !== words.length)
        throw new StudioError(
          'bad-data',
          `Row ${row.id} has ${words.length} words and ${tags.length} tags.`,
          'Import the data again.',
          { row: row.id },
        );
      const own = new Int32Array(Math.min(ids.length, room)).fill(noTag);
      const seen: number[] = [];
      let [start, token, cut] = [0, 0, 0];
      for (const [word, text] of words.entries()) {
        const end = start + text.length;
        while (token < ids.length && !((to[token] ?? 0) > start && (to[token] ?? 0) > (from[token] ?? 0))) token += 1;
        const there = token < ids.length && (from[token] ?? 0) < end;
        if (!there) lost += 1;
        else if (token >= room) cut += 1;
        else {
          own[token] = classOf(tags[word], classes, row.id);
          seen.push(word);
        }
        start = end + 1;
      }
      cutWords += cut;
      cutRows += cut > 0 ? 1 : 0;
      const made = { id: row.id, words: words.length, tags, seen: Int32Array.from(seen) };
      if (seen.length === 0) {
        unreadable.push(made);
        continue;
      }
      readable.push(made);
      const around = (list: readonly number[], fill?: number) =>
        Int32Array.from(list, (id) => (fill === undefined ? id : fill));
      for (const part of [around(before), ids.subarray(0, room), around(after)]) tokens.push(part);
      for (const part of [around(before, noTag), own, around(after, noTag)]) marks.push(part);
      offsets.push(tokens.length);
    }
    chunk = [];
  };
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length >= chunkRows) await flush();
  }
  if (chunk.length > 0) await flush();
  return new WordRows(
    [...readable, ...unreadable],
    tokens.take(),
    marks.take(),
    Int32Array.from(offsets),
    { words: cutWords, rows: cutRows },
    lost,
  );
}

function classOf(tag: string | undefined, classes: ReadonlyMap<string, number>, row: number): number {
  if (tag === undefined) return 0; // To be found: a place that is read has some number.
  const index = classes.get(tag);
  if (index !== undefined) return index;
  throw new StudioError(
    'bad-data',
    `Row ${row} has the tag "${tag}", which is not one of the data set's ${classes.size} tags.`,
    'Import the data again.',
    { row },
  );
}

/** Batches of a split of tagged words. */
export function wordBatches(rows: WordRows, padId: number): RowBatches {
  return {
    size: rows.size,
    length: (row) => rows.length(row),
    batch: (places) => {
      let sequence = 1;
      for (const place of places) sequence = Math.max(sequence, rows.length(place));
      const cells = places.length * sequence;
      const inputIds = new Int32Array(cells).fill(padId);
      const attentionMask = new Int32Array(cells);
      const labels = new Int32Array(cells).fill(noTag);
      places.forEach((place, row) => {
        const [from, to] = [rows.offsets[place] ?? 0, rows.offsets[place + 1] ?? 0];
        const at = row * sequence;
        inputIds.set(rows.tokens.subarray(from, to), at);
        labels.set(rows.labels.subarray(from, to), at);
        attentionMask.fill(1, at, at + to - from);
      });
      return {
        size: places.length,
        sequence,
        inputIds,
        attentionMask,
        tokenTypeIds: new Int32Array(cells),
        labels,
        weights: null,
      } satisfies Batch;
    },
  };
}

/** A word of a plain text and where it stands, in UTF-16 units. */
export interface PlacedWord {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Words of a text as tagged data have them: signs stand alone, but those inside a word, and @ and # before one, belong to it. */
export function wordsOf(text: string): PlacedWord[] {
  return Array.from(text.matchAll(/[@#]?[\p{L}\p{N}\p{M}_]+(?:[-'’.&/][\p{L}\p{N}\p{M}_]+)*|\S/gu), (match) => ({
    text: match[0],
    from: match.index,
    to: match.index + match[0].length,
  }));
}
