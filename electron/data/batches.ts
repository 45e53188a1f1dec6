/** Encoded rows to the engine's batches, padded to their longest row. */
import { StudioError } from '../contract/errors.js';
import type { Batch } from '../engine/types.js';
import type { EncodedRows } from './encoded.js';
import { shuffledOrder } from './random.js';
import type { RowReading } from './verbalizer.js';

export interface RowPadding {
  readonly padId: number;
  /** Rounds the padded length up; 1 (none) keeps to what other trainers pad to. */
  readonly padToMultiple?: number;
  /** No batch is padded beyond this (the model's own limit). */
  readonly maxSequence?: number;
  /** Of a verbalizer: which rows a text takes and what is read of them. */
  readonly reading?: RowReading | null;
}

/** Rows of a split that batches are made of. */
export interface RowBatches {
  readonly size: number;
  /** Tokens of a row. */
  length(row: number): number;
  /** The batch of the rows at some places of the split. `draw` numbers a training's batches: what is drawn anew for each (masks) depends on it. */
  batch(places: Int32Array, draw?: number): Batch;
}

export interface TrainingBatchOptions {
  /** Rows of one optimizer step. */
  readonly batchSize: number;
  /** Micro-batches a step's rows are split over. */
  readonly accumulationSteps: number;
  readonly shuffle: boolean;
  readonly seed: number;
}

/**
 * The rows of every optimizer step, as a pure function of seed and step: epoch e has the order that (seed, e) gives,
 * its last batch keeps what is left, and a resumed run needs to know its step only.
 */
export class TrainingBatches {
  readonly stepsPerEpoch: number;
  private epoch = -1;
  private order: Int32Array = new Int32Array(0);

  /** @throws StudioError `bad-data` when there are no rows */
  constructor(
    private readonly rows: RowBatches,
    private readonly options: TrainingBatchOptions,
  ) {
    if (rows.size === 0)
      throw new StudioError('bad-data', 'The training split has no rows.', 'Import data with training rows.');
    this.stepsPerEpoch = Math.ceil(rows.size / options.batchSize);
  }

  /** Places of the rows of step `step` (from 0), in order. */
  rowsOf(step: number): Int32Array {
    const { batchSize, shuffle, seed } = this.options;
    const epoch = Math.floor(step / this.stepsPerEpoch);
    if (epoch !== this.epoch) {
      this.order = shuffle
        ? shuffledOrder(this.rows.size, seed, epoch)
        : Int32Array.from({ length: this.rows.size }, (_, index) => index);
      this.epoch = epoch;
    }
    const start = (step % this.stepsPerEpoch) * batchSize;
    return this.order.slice(start, start + batchSize);
  }

  /** The micro-batches of step `step`: equal parts, the last ones a row shorter or left out where rows run short. */
  batches(step: number): readonly Batch[] {
    const rows = this.rowsOf(step);
    const parts = Math.min(this.options.accumulationSteps, rows.length);
    const batches: Batch[] = [];
    for (let part = 0, start = 0; part < parts; part += 1) {
      const size = Math.floor(rows.length / parts) + (part < rows.length % parts ? 1 : 0);
      batches.push(this.rows.batch(rows.subarray(start, start + size), step * this.options.accumulationSteps + part));
      start += size;
    }
    return batches;
  }
}

export interface EvaluationBatch {
  readonly batch: Batch;
  /** The place in the split of each row of the batch: results go back there. */
  readonly rows: Int32Array;
}

/** Places of all rows, a batch each: rows of like length together so that little is padded; longest first, so that memory's peak comes first. */
export function evaluationOrder(rows: Pick<RowBatches, 'size' | 'length'>, batchSize: number): Int32Array[] {
  const byLength = Int32Array.from({ length: rows.size }, (_, index) => index).sort(
    (a, b) => rows.length(b) - rows.length(a) || a - b,
  );
  return Array.from({ length: Math.ceil(rows.size / batchSize) }, (_, batch) =>
    byLength.slice(batch * batchSize, (batch + 1) * batchSize),
  );
}

/** All rows once, in that order. */
export function* evaluationBatches(rows: RowBatches, batchSize: number): Generator<EvaluationBatch> {
  for (const own of evaluationOrder(rows, batchSize)) yield { batch: rows.batch(own), rows: own };
}

/** Batches of whole texts with their labels or numbers. @param weights of each class, or null */
export function classBatches(rows: EncodedRows, padding: RowPadding, weights: Float32Array | null = null): RowBatches {
  return {
    size: rows.size,
    length: (row) => rows.length(row),
    batch: (places) => padded(rows, places, padding, weights),
  };
}

function targetsOf({ targets, targetWidth }: EncodedRows, places: Int32Array): Float32Array {
  const own = new Float32Array(places.length * targetWidth);
  places.forEach((place, index) =>
    own.set(targets?.subarray(place * targetWidth, (place + 1) * targetWidth) ?? [], index * targetWidth),
  );
  return own;
}

const oneRow: readonly (readonly number[])[] = [[]];

/** A text takes one row of the batch, or one for each of a verbalizer's variants. */
function padded(
  rows: EncodedRows,
  places: Int32Array,
  { padId, padToMultiple = 1, maxSequence = Infinity, reading = null }: RowPadding,
  weights: Float32Array | null,
): Batch {
  const variants = reading?.variants ?? oneRow;
  const size = places.length * variants.length;
  let longest = 1;
  for (const place of places) longest = Math.max(longest, rows.length(place));
  longest += Math.max(...variants.map(({ length }) => length));
  const sequence = Math.max(longest, Math.min(Math.ceil(longest / padToMultiple) * padToMultiple, maxSequence));
  const inputIds = new Int32Array(size * sequence).fill(padId);
  const attentionMask = new Int32Array(size * sequence);
  const tokenTypeIds = new Int32Array(size * sequence);
  const labels = new Int32Array(places.length);
  const slots = reading?.slots ?? [];
  const reads = new Int32Array(places.length * slots.length);
  const { wordingAt } = rows;
  const at = (of: Int32Array, index: number) => of[places[index] ?? 0] ?? 0;
  places.forEach((place, index) => {
    const [from, to] = [rows.offsets[place] ?? 0, rows.offsets[place + 1] ?? 0];
    variants.forEach((more, variant) => {
      const start = (index * variants.length + variant) * sequence;
      inputIds.set(rows.tokens.subarray(from, to), start);
      inputIds.set(more, start + to - from);
      attentionMask.fill(1, start, start + to - from + more.length);
      if (rows.segments !== null) tokenTypeIds.set(rows.segments.subarray(from, to), start);
    });
    slots.forEach(({ variant, offset }, slot) => {
      const start = (index * variants.length + variant) * sequence;
      reads[index * slots.length + slot] = start + (rows.readAt?.[place] ?? 0) + offset;
    });
    labels[index] = rows.labels[place] ?? 0;
  });
  return {
    size,
    sequence,
    inputIds,
    attentionMask,
    tokenTypeIds,
    labels,
    weights: weights === null ? null : Float32Array.from(labels, (label) => weights[label] ?? 1),
    ...(rows.targets === null ? {} : { targets: targetsOf(rows, places) }),
    ...(reading === null ? {} : { reads }),
    ...(wordingAt === null
      ? {}
      : { wording: Int32Array.from({ length: size }, (_, row) => at(wordingAt, Math.floor(row / variants.length))) }),
  };
}
