/** A split as token ids in memory: one flat Int32Array, rows by their offsets. */
import { StudioError } from '../contract/errors.js';
import { throwIfCancelled } from './decode.js';
import type { TextTokenizer } from './tokenizer.js';
import type { LabelledText } from './types.js';

export interface EncodeOptions {
  /** Sorted; a row's class index is its label's place here. */
  readonly labels: readonly string[];
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
  ) {}

  get size(): number {
    return this.labels.length;
  }

  length(row: number): number {
    return (this.offsets[row + 1] ?? 0) - (this.offsets[row] ?? 0);
  }
}

/** Rows tokenized at once: enough to keep the native threads busy. */
const chunkRows = 512;

/**
 * Tokenizes rows as they come; only ids are kept.
 * @throws StudioError `bad-data` for a label outside `labels`, `cancelled`
 */
export async function encodeRows(
  rows: AsyncIterable<LabelledText & { readonly id: number }> | Iterable<LabelledText & { readonly id: number }>,
  tokenizer: TextTokenizer,
  options: EncodeOptions,
): Promise<EncodedRows> {
  const classes = new Map(options.labels.map((label, index) => [label, index]));
  const tokens = new Growing(1 << 16);
  const segments = new Growing(1 << 16);
  const offsets = [0];
  const labels: number[] = [];
  const ids: number[] = [];
  let chunk: LabelledText[] = [];
  let paired = false;
  const flush = async () => {
    throwIfCancelled(options.signal);
    for (const { ids: own, typeIds } of await tokenizer.encode(chunk, options.maxLength)) {
      tokens.push(own);
      segments.push(typeIds);
      paired ||= typeIds.some((segment) => segment !== 0);
      offsets.push(tokens.length);
    }
    chunk = [];
    options.onProgress?.(labels.length);
  };
  for await (const row of rows) {
    const label = classes.get(row.label);
    if (label === undefined)
      throw new StudioError(
        'bad-data',
        `Row ${row.id} has the label "${row.label}", which is not one of the data set's ${options.labels.length} labels.`,
        'Import the data again.',
        { row: row.id },
      );
    labels.push(label);
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
  );
}

/** An Int32Array that doubles as it fills. */
class Growing {
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
