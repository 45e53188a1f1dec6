/** A split as token ids in memory: one flat Int32Array, rows by their offsets. */
import { StudioError } from '../contract/errors.js';
import { throwIfCancelled } from './decode.js';
import type { TextOrPair } from './tokenizer.js';
import type { EncodedText, LabelledText } from './types.js';

/** What each row's label is read as, where it is no class: so many numbers a row. */
export interface RowTargets {
  readonly width: number;
  of(label: string, row: number): readonly number[];
}

export interface EncodeOptions {
  /** Sorted; a row's class index is its label's place here. Null: labels are not classes, or not known. */
  readonly labels: readonly string[] | null;
  readonly targets?: RowTargets;
  readonly maxLength: number;
  readonly onProgress?: (rows: number) => void;
  readonly signal?: AbortSignal;
}

/** Encoded rows; a row is known by its place, 0 to `size` - 1, in the order given. */
export class EncodedRows {
  constructor(
    /** All rows' token ids, one after another. */
    readonly tokens: Int32Array,
    /** Segments, parallel to `tokens`; null where all are 0. */
    readonly segments: Int32Array | null,
    /** Row i is tokens[offsets[i]] to tokens[offsets[i + 1]]; [size + 1]. */
    readonly offsets: Int32Array,
    /** Class index of each row. */
    readonly labels: Int32Array,
    /** The caller's id of each row. */
    readonly ids: Float64Array,
    /** Where a verbalizer reads each row; null without one. */
    readonly readAt: Int32Array | null = null,
    /** Where the wording of each row's prompt begins, for a search. */
    readonly wordingAt: Int32Array | null = null,
    /** Numbers that the model is to come to, `targetWidth` a row; null for classes. */
    readonly targets: Float32Array | null = null,
    readonly targetWidth = 0,
  ) {}

  get size(): number {
    return this.labels.length;
  }

  length(row: number): number {
    return (this.offsets[row + 1] ?? 0) - (this.offsets[row] ?? 0);
  }
}

/** Turns rows to token ids: a tokenizer by itself, or a verbalizer's prompt around them. */
export interface RowEncoder {
  /** Ids of each row with special tokens, cut to `maxLength`. */
  encode(rows: readonly TextOrPair[], maxLength: number): Promise<EncodedText[]>;
}

/** Rows tokenized at once: enough to keep the native threads busy. */
const chunkRows = 512;

/**
 * Tokenizes rows as they come; only ids are kept.
 * @throws StudioError `bad-data` for a label outside `labels`, `cancelled`
 */
export async function encodeRows(
  rows: AsyncIterable<LabelledText & { readonly id: number }> | Iterable<LabelledText & { readonly id: number }>,
  encoder: RowEncoder,
  options: EncodeOptions,
): Promise<EncodedRows> {
  const classes = options.labels && new Map(options.labels.map((label, index) => [label, index]));
  const targets: number[] = [];
  const tokens = new Growing(1 << 16);
  const segments = new Growing(1 << 16);
  const offsets = [0];
  const labels: number[] = [];
  const ids: number[] = [];
  const readAt: number[] = [];
  const wordingAt: number[] = [];
  let chunk: LabelledText[] = [];
  let paired = false;
  const flush = async () => {
    throwIfCancelled(options.signal);
    for (const { ids: own, typeIds, readAt: at, wordingAt: begin } of await encoder.encode(chunk, options.maxLength)) {
      if (at !== undefined) readAt.push(at);
      if (begin !== undefined) wordingAt.push(begin);
      tokens.push(own);
      segments.push(typeIds);
      paired ||= typeIds.some((segment) => segment !== 0);
      offsets.push(tokens.length);
    }
    chunk = [];
    options.onProgress?.(labels.length);
  };
  for await (const row of rows) {
    const label = classes ? classes.get(row.label) : 0;
    if (label === undefined)
      throw new StudioError(
        'bad-data',
        `Row ${row.id} has the label "${row.label}", which is not one of the data set's ${classes?.size ?? 0} labels.`,
        'Import the data again.',
        { row: row.id },
      );
    labels.push(label);
    if (options.targets) targets.push(...options.targets.of(row.label, row.id));
    ids.push(row.id);
    chunk.push(row);
    if (chunk.length >= chunkRows) await flush();
  }
  if (chunk.length > 0) await flush();
  return new EncodedRows(
    tokens.take(),
    paired ? segments.take() : null,
    Int32Array.from(offsets),
    Int32Array.from(labels),
    Float64Array.from(ids),
    readAt.length === 0 ? null : Int32Array.from(readAt),
    wordingAt.length === 0 ? null : Int32Array.from(wordingAt),
    options.targets ? Float32Array.from(targets) : null,
    options.targets?.width ?? 0,
  );
}

/** An Int32Array that doubles as it fills. */
export class Growing {
  private data: Int32Array;
  length = 0;
  constructor(capacity: number) {
    this.data = new Int32Array(capacity);
  }

  push(values: Int32Array): void {
    if (this.length + values.length > this.data.length) {
      const larger = new Int32Array(Math.max(this.data.length * 2, this.length + values.length));
      larger.set(this.data.subarray(0, this.length));
      this.data = larger;
    }
    this.data.set(values, this.length);
    this.length += values.length;
  }

  take(): Int32Array {
    return this.data.slice(0, this.length);
  }
}
