/**
 * Questions with their contexts as token ids. A context that is too long is read in windows that overlap, each behind the whole
 * question; the answer's first and last token are sought in each, and where a window does not hold it, at the first token.
 */
import { StudioError } from '../contract/errors.js';
import type { MarkedAnswer } from '../contract/entities.js';
import type { Batch } from '../engine/types.js';
import type { RowBatches } from './batches.js';
import { Growing } from './encoded.js';
import type { Frame, PlacedTokens, TextTokenizer } from './tokenizer.js';

export interface AskedQuestion {
  readonly id: number;
  /** The question. */
  readonly text: string;
  readonly pair: string;
  readonly answers: readonly MarkedAnswer[];
}

export interface WindowOptions {
  readonly maxLength: number;
  /** Tokens that neighbouring windows share; at most half of a window. */
  readonly stride: number;
}

/** A split in memory: its questions, and the windows that they are read in, question by question. */
export class WindowRows {
  constructor(
    readonly questions: readonly AskedQuestion[],
    /** All windows' token ids, one after another. */
    readonly tokens: Int32Array,
    /** Window i is tokens[offsets[i]] to tokens[offsets[i + 1]]; [size + 1]. */
    readonly offsets: Int32Array,
    /** Places of each token in the context, in UTF-16 units; -1 for tokens of the question and around. */
    readonly from: Int32Array,
    readonly to: Int32Array,
    /** Positions of the answer's first and last token: [size, 2]. */
    readonly ends: Int32Array,
    /** Which question each window is of. */
    readonly asked: Int32Array,
    /** Segment of the context's tokens. */
    readonly segment: number,
    /** Questions that were cut. */
    readonly cut: number,
  ) {}

  get size(): number {
    return this.asked.length;
  }

  length(window: number): number {
    return (this.offsets[window + 1] ?? 0) - (this.offsets[window] ?? 0);
  }
}

const chunkRows = 128;
/** Fewer tokens than this are no context. */
const leastContext = 4;

/** @throws StudioError `bad-input` where the maximum length has no room for a context */
export async function encodeQuestions(
  rows: AsyncIterable<AskedQuestion> | Iterable<AskedQuestion>,
  tokenizer: TextTokenizer,
  { maxLength, stride }: WindowOptions,
): Promise<WindowRows> {
  const frame = await tokenizer.frame(true);
  const all = maxLength - frame.before.length - frame.between.length - frame.after.length;
  if (all < 2 * leastContext)
    throw new StudioError(
      'bad-input',
      `A maximum length of ${maxLength} has no room for a question and its context.`,
      'Set training.maxLength to 64 or more.',
      { field: 'training.maxLength' },
    );
  const lists = { tokens: new Growing(1 << 16), from: new Growing(1 << 16), to: new Growing(1 << 16) };
  const offsets = [0];
  const [ends, asked]: [number[], number[]] = [[], []];
  const questions: AskedQuestion[] = [];
  let cut = 0;
  let chunk: AskedQuestion[] = [];
  const flush = async () => {
    const placed = await tokenizer.place(chunk.flatMap(({ text, pair }) => [text.trim(), pair]));
    for (const [at, row] of chunk.entries()) {
      const whole = placed[2 * at]?.ids ?? new Int32Array();
      const context = placed[2 * at + 1];
      if (context === undefined) continue;
      // A question that leaves half of the window to its context.
      const question = whole.subarray(0, Math.floor(all / 2));
      if (question.length < whole.length) cut += 1;
      const room = all - question.length;
      for (const [begin, end] of windowsIn(context.ids.length, room, Math.min(stride, Math.floor(room / 2)))) {
        const first = writeWindow(lists, frame, question, context, begin, end);
        ends.push(...answerIn(row.answers[0], context, begin, end, first));
        asked.push(questions.length);
        offsets.push(lists.tokens.length);
      }
      questions.push(row);
    }
    chunk = [];
  };
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length >= chunkRows) await flush();
  }
  if (chunk.length > 0) await flush();
  return new WindowRows(
    questions,
    lists.tokens.take(),
    Int32Array.from(offsets),
    lists.from.take(),
    lists.to.take(),
    Int32Array.from(ends),
    Int32Array.from(asked),
    frame.segment,
    cut,
  );
}

/** Parts of so many tokens, each `room` long and beginning `stride` before the end of the one before; one at least. */
function windowsIn(tokens: number, room: number, stride: number): [number, number][] {
  const windows: [number, number][] = [];
  for (let begin = 0; ; begin += room - stride) {
    windows.push([begin, Math.min(tokens, begin + room)]);
    if (begin + room >= tokens) return windows;
  }
}

/** Appends a window; the position in it of the context's first token. */
function writeWindow(
  lists: { readonly tokens: Growing; readonly from: Growing; readonly to: Growing },
  { before, between, after }: Frame,
  question: Int32Array,
  context: PlacedTokens,
  begin: number,
  end: number,
): number {
  const head = [...before, ...question, ...between];
  const nowhere = (count: number) => new Int32Array(count).fill(-1);
  const parts = [
    [lists.tokens, Int32Array.from(head), context.ids, Int32Array.from(after)],
    [lists.from, nowhere(head.length), context.from, nowhere(after.length)],
    [lists.to, nowhere(head.length), context.to, nowhere(after.length)],
  ] as const;
  for (const [list, first, own, last] of parts)
    for (const part of [first, own.subarray(begin, end), last]) list.push(part);
  return head.length;
}

/** Positions in the window of the tokens that begin and end an answer; 0 and 0 where it does not lie in it. */
function answerIn(
  answer: MarkedAnswer | undefined,
  { from, to }: PlacedTokens,
  begin: number,
  end: number,
  first: number,
): [number, number] {
  if (answer === undefined || begin === end) return [0, 0];
  const [start, stop] = [answer.start, answer.start + answer.text.length];
  if ((from[begin] ?? 0) > start || (to[end - 1] ?? 0) < stop) return [0, 0];
  let head = begin;
  while (head + 1 < end && (from[head + 1] ?? 0) <= start) head += 1;
  let tail = end - 1;
  while (tail > begin && (to[tail - 1] ?? 0) >= stop) tail -= 1;
  return tail < head ? [0, 0] : [first + head - begin, first + tail - begin];
}

/** Batches of windows. */
export function windowBatches(rows: WindowRows, padId: number): RowBatches {
  return {
    size: rows.size,
    length: (window) => rows.length(window),
    batch: (places) => {
      let sequence = 1;
      for (const place of places) sequence = Math.max(sequence, rows.length(place));
      const cells = places.length * sequence;
      const inputIds = new Int32Array(cells).fill(padId);
      const attentionMask = new Int32Array(cells);
      const tokenTypeIds = new Int32Array(cells);
      places.forEach((place, row) => {
        const [from, to] = [rows.offsets[place] ?? 0, rows.offsets[place + 1] ?? 0];
        const at = row * sequence;
        inputIds.set(rows.tokens.subarray(from, to), at);
        attentionMask.fill(1, at, at + to - from);
        const context = rows.from.subarray(from, to).findIndex((start) => start >= 0);
        if (context >= 0) tokenTypeIds.fill(rows.segment, at + context, at + to - from);
      });
      return {
        size: places.length,
        sequence,
        inputIds,
        attentionMask,
        tokenTypeIds,
        labels: Int32Array.from(
          { length: 2 * places.length },
          (_, end) => rows.ends[2 * (places[end >> 1] ?? 0) + (end & 1)] ?? 0,
        ),
        weights: null,
      } satisfies Batch;
    },
  };
}
