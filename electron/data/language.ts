/** Texts and conversations as token ids, each with whether it is trained on; and their batches. */
import { StudioError } from '../contract/errors.js';
import type { Batch } from '../engine/types.js';
import type { RowBatches } from './batches.js';
import { openChatTemplate, type ChatTemplate, type Span } from './chat-template.js';
import { Growing } from './encoded.js';
import { openTokenizer, type PlacedTokens, type TextTokenizer, type TokenizerFit } from './tokenizer.js';
import type { LanguageText } from './types.js';

/** One row as it is trained on, uncut. */
export interface LanguageExample extends PlacedTokens {
  /** The text that the tokens stand for. */
  readonly text: string;
  /** 1 for a token that is trained on. The first is none: nothing comes before it. */
  readonly trained: Uint8Array;
}

export interface LanguageTools {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
}

/** Tokenizer and chat template of a base model's folder. @throws StudioError `bad-model` */
export async function openLanguageTools(folder: string, fit: TokenizerFit): Promise<LanguageTools> {
  const tokenizer = await openTokenizer(folder, fit);
  return { tokenizer, template: await openChatTemplate(folder, tokenizer) };
}

/**
 * Rows as texts by the template, as tokens by the tokenizer. Of conversations all tokens that share a character with an answer are
 * trained on, or with `completionOnly` false all; a text without messages is trained on as a whole and ends with the end-of-text token.
 * @throws StudioError `bad-data` naming a row that the template does not take
 */
export async function languageExamples(
  rows: readonly (LanguageText & { readonly id: number })[],
  { tokenizer, template }: LanguageTools,
  completionOnly: boolean,
): Promise<LanguageExample[]> {
  const beginning = (await tokenizer.beginsTexts()) ? (tokenizer.bos?.text ?? '') : '';
  const made = rows.map((row): { text: string; spans: readonly Span[] | null } => {
    if (row.messages === null) return { text: `${beginning}${row.text}${tokenizer.eos?.text ?? ''}`, spans: null };
    try {
      return completionOnly ? template.answers(row.messages) : { text: template.render(row.messages), spans: null };
    } catch (error) {
      if (!(error instanceof StudioError)) throw error;
      throw new StudioError(error.code, `Row ${row.id}: ${error.message}`, error.hint, {
        ...error.context,
        row: row.id,
      });
    }
  });
  const placed = await tokenizer.place(made.map(({ text }) => text));
  return placed.map((tokens, at) => {
    const { text, spans } = made[at] ?? { text: '', spans: null };
    return { ...tokens, text, trained: trainedOf(tokens, spans) };
  });
}

/** Tokens of each row as text by the template, uncut; of one that the template refuses, of its messages alone. */
export async function languageLengths(
  rows: readonly LanguageText[],
  { tokenizer, template }: LanguageTools,
): Promise<number[]> {
  const texts = rows.map(({ text, messages }) => {
    if (messages === null) return `${text}${tokenizer.eos?.text ?? ''}`;
    try {
      return template.render(messages);
    } catch (error) {
      if (!(error instanceof StudioError)) throw error;
      return messages.map(({ content }) => content).join('\n');
    }
  });
  return tokenizer.plainLengths(texts);
}

function trainedOf({ ids, from, to }: PlacedTokens, spans: readonly Span[] | null): Uint8Array {
  const trained = new Uint8Array(ids.length).fill(spans === null ? 1 : 0);
  let next = 0;
  if (spans !== null)
    for (let token = 0; token < ids.length; token += 1) {
      while ((spans[next]?.to ?? Infinity) <= (from[token] ?? 0)) next += 1;
      const span = spans[next];
      if (span !== undefined && (from[token] ?? 0) < span.to && (to[token] ?? 0) > span.from) trained[token] = 1;
    }
  trained[0] = 0;
  return trained;
}

/** A split's rows as token ids in memory, in the order given; rows that have nothing to learn within the maximum length are left out. */
export class LanguageRows {
  constructor(
    /** All rows' token ids, one after another. */
    readonly tokens: Int32Array,
    /** Parallel to `tokens`: 1 where a token is trained on. */
    readonly trained: Int32Array,
    /** Row i is tokens[offsets[i]] to tokens[offsets[i + 1]]; [size + 1]. */
    readonly offsets: Int32Array,
    /** The caller's id of each row. */
    readonly ids: Float64Array,
    /** Rows left out. */
    readonly unlearnable: number,
    /** Rows that were cut. */
    readonly cut: number,
  ) {}

  get size(): number {
    return this.ids.length;
  }

  length(row: number): number {
    return (this.offsets[row + 1] ?? 0) - (this.offsets[row] ?? 0);
  }

  /** Tokens of a row that are trained on. */
  trainedIn(row: number): number {
    let count = 0;
    for (let at = this.offsets[row] ?? 0; at < (this.offsets[row + 1] ?? 0); at += 1) count += this.trained[at] ?? 0;
    return count;
  }
}

const chunkRows = 256;

/** Tokenizes rows as they come, each cut to `maxLength` tokens from its end. @throws StudioError `bad-data` as `languageExamples` */
export async function encodeLanguage(
  rows: AsyncIterable<LanguageText & { readonly id: number }> | Iterable<LanguageText & { readonly id: number }>,
  tools: LanguageTools,
  { maxLength, completionOnly }: { readonly maxLength: number; readonly completionOnly: boolean },
): Promise<LanguageRows> {
  const [tokens, trained] = [new Growing(1 << 16), new Growing(1 << 16)];
  const offsets = [0];
  const ids: number[] = [];
  let [unlearnable, cut] = [0, 0];
  let chunk: (LanguageText & { readonly id: number })[] = [];
  const flush = async () => {
    for (const [at, example] of (await languageExamples(chunk, tools, completionOnly)).entries()) {
      if (example.ids.length > maxLength) cut += 1;
      const marks = Int32Array.from(example.trained.subarray(0, maxLength));
      if (!marks.includes(1)) {
        unlearnable += 1;
        continue;
      }
      tokens.push(example.ids.subarray(0, maxLength));
      trained.push(marks);
      offsets.push(tokens.length);
      ids.push(chunk[at]?.id ?? 0);
    }
    chunk = [];
  };
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length >= chunkRows) await flush();
  }
  if (chunk.length > 0) await flush();
  return new LanguageRows(
    tokens.take(),
    trained.take(),
    Int32Array.from(offsets),
    Float64Array.from(ids),
    unlearnable,
    cut,
  );
}

/** Batches of a split. With `packing` examples share rows, none longer than the longest of them: numbered, so that none sees another. */
export function languageBatches(rows: LanguageRows, padId: number, packing: boolean): RowBatches {
  return {
    size: rows.size,
    length: (row) => rows.length(row),
    batch: (places) => {
      let longest = 1;
      for (const place of places) longest = Math.max(longest, rows.length(place));
      const bins = packing ? packed(rows, places, longest) : Array.from(places, (place) => [place]);
      return batchOf(rows, bins, longest, padId);
    },
  };
}

/** Puts each example, the longest first, into the first row that has room for it; rows keep the order in which they were begun. */
function packed(rows: LanguageRows, places: Int32Array, room: number): number[][] {
  const bins: { left: number; readonly own: number[] }[] = [];
  const longestFirst = Array.from(places).sort((a, b) => rows.length(b) - rows.length(a));
  for (const place of longestFirst) {
    const length = rows.length(place);
    const bin = bins.find(({ left }) => left >= length);
    if (bin === undefined) bins.push({ left: room - length, own: [place] });
    else {
      bin.left -= length;
      bin.own.push(place);
    }
  }
  return bins.map(({ own }) => own);
}

function batchOf(rows: LanguageRows, bins: readonly (readonly number[])[], sequence: number, padId: number): Batch {
  const cells = bins.length * sequence;
  const inputIds = new Int32Array(cells).fill(padId);
  const attentionMask = new Int32Array(cells);
  const labels = new Int32Array(cells).fill(-100);
  bins.forEach((bin, row) => {
    let at = row * sequence;
    bin.forEach((place, example) => {
      const from = rows.offsets[place] ?? 0;
      const length = rows.length(place);
      inputIds.set(rows.tokens.subarray(from, from + length), at);
      attentionMask.fill(example + 1, at, at + length);
      for (let token = 0; token < length; token += 1)
        if (rows.trained[from + token] === 1) labels[at + token] = rows.tokens[from + token] ?? 0;
      at += length;
    });
  });
  return {
    size: bins.length,
    sequence,
    inputIds,
    attentionMask,
    tokenTypeIds: new Int32Array(cells),
    labels,
    weights: null,
  };
}
