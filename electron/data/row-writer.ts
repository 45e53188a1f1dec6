/** Rows on their way to the sink: while a batch is being written, the next is read. */
import { createHash } from 'node:crypto';
import { rowsPerBatch, type RowSink } from './sink.js';
import type { ImportedRow } from './types.js';

const charactersPerBatch = 1 << 20;

export class RowWriter {
  private batch: ImportedRow[] = [];
  private characters = 0;
  private writing: Promise<void> = Promise.resolve();
  private readonly hash = createHash('sha256');
  /** What the hash has not been told yet: it is told a batch at once. */
  private untold = '';

  constructor(private readonly sink: RowSink) {}

  /** Takes a row. Whether the batch is full: then `pass` is due. */
  add(row: ImportedRow): boolean {
    const { split, text, pair, label, messages, answers } = row;
    this.batch.push(row);
    this.characters += text.length + (pair?.length ?? 0);
    const parts: unknown[] = [split, text, pair, label];
    if (messages !== null) parts.push(messages);
    if (answers !== null) parts.push(answers);
    this.untold += JSON.stringify(parts);
    return this.batch.length >= rowsPerBatch || this.characters >= charactersPerBatch;
  }

  /** Hands the batch on as soon as the one before is written. Rejects with whatever the sink throws. */
  async pass(): Promise<void> {
    const { batch } = this;
    this.batch = [];
    this.characters = 0;
    this.hash.update(this.untold);
    this.untold = '';
    await this.writing;
    if (batch.length === 0) return;
    this.writing = this.sink.write(batch);
    // Whoever waits for it next is told.
    this.writing.catch(() => undefined);
  }

  /** Writes what is left. The SHA-256 of all rows, as hexadecimal digits. */
  async end(): Promise<string> {
    await this.pass();
    await this.writing;
    return this.hash.digest('hex');
  }

  /** Waits for what is being written: nothing comes after. */
  async stop(): Promise<void> {
    await this.writing.catch(() => undefined);
  }
}
