/**
 * A CSV parser (RFC 4180, lenient): pieces of text in, records out.
 * Our own because the packages looked at buffer a cell without bound, lose the rows before an error, and end at a quote that is never closed;
 * it is tested against csv-parse on generated input.
 */
import { cellLimit, cellTooLong, columnLimit } from '../limits.js';

export interface DelimitedRecord {
  /** 1-based line on which the record begins. */
  readonly line: number;
  readonly fields: readonly string[];
  readonly problem: string | null;
}

type State = 'start' | 'plain' | 'quoted' | 'quote-in-quoted';
const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export class DelimitedParser {
  private state: State = 'start';
  private field = '';
  private fieldTooLong = false;
  private fields: string[] = [];
  private problem: string | null = null;
  private line = 1;
  private recordLine = 1;
  private quoteLine = 1;
  /** A line feed right after a carriage return belongs to it, in another piece too. */
  private afterCarriageReturn = false;
  private records: DelimitedRecord[] = [];
  private readonly delimiter: number;

  constructor(delimiter: string, private readonly quoted = true) {
    this.delimiter = delimiter.charCodeAt(0);
  }

  /** Records that end within what has been fed so far. */
  feed(text: string): DelimitedRecord[] {
    let from = 0; // start of the stretch of this piece that belongs to the current field
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      const joined = code === lineFeed && this.afterCarriageReturn;
      this.afterCarriageReturn = code === carriageReturn;
      if (this.state === 'quoted') {
        if (code === quote) {
          this.append(text, from, at);
          this.state = 'quote-in-quoted';
        } else if (!joined && (code === lineFeed || code === carriageReturn)) this.line += 1;
        continue;
      }
      if (this.state === 'quote-in-quoted') {
        if (code === quote) {
          this.state = 'quoted';
          from = at; // the second quote is the literal one
          continue;
        }
        if (code !== this.delimiter && code !== lineFeed && code !== carriageReturn) {
          // Text after a closing quote: the quotes were part of the cell.
          this.field = `"${this.field}"`;
          this.state = 'plain';
          from = at;
          continue;
        }
        from = at;
      }
      if (joined) {
        from = at + 1;
        continue;
      }
      if (code === this.delimiter) {
        this.append(text, from, at);
        this.endField();
        from = at + 1;
      } else if (code === lineFeed || code === carriageReturn) {
        this.append(text, from, at);
        this.endRecord();
        from = at + 1;
        this.line += 1;
        this.recordLine = this.line;
      } else if (this.state === 'start') {
        this.state = code === quote && this.quoted ? 'quoted' : 'plain';
        this.quoteLine = this.line;
        from = this.state === 'quoted' ? at + 1 : at;
      }
    }
    if (this.state !== 'quote-in-quoted') this.append(text, from, text.length);
    return this.take();
  }

  /** The records that the end of the text closes. A quote still open is a problem of its line; the lines after it are read again without it. */
  end(): DelimitedRecord[] {
    const records: DelimitedRecord[] = [];
    while (this.state === 'quoted' && !this.fieldTooLong) {
      const swallowed = this.field.replaceAll('"', '""');
      const lineEnd = /\r\n?|\n/.exec(swallowed);
      records.push({ line: this.recordLine, fields: [], problem: `a quote opened in line ${this.quoteLine} is never closed` });
      this.reset(this.quoteLine + 1);
      if (lineEnd === null) return records;
      records.push(...this.feed(swallowed.slice(lineEnd.index + lineEnd[0].length)));
    }
    if (this.state === 'quoted') this.problem ??= `a quote opened in line ${this.quoteLine} is never closed`;
    this.endRecord();
    records.push(...this.take());
    this.reset(this.line);
    return records;
  }

  private append(text: string, from: number, to: number): void {
    if (from >= to || this.fieldTooLong) return;
    if (this.field.length + (to - from) > cellLimit) {
      this.fieldTooLong = true;
      this.field = '';
      this.problem ??= `${cellTooLong(`cell ${this.fields.length + 1}`)}${this.state === 'quoted' ? `; the quote opened in line ${this.quoteLine} may never be closed` : ''}`;
      return;
    }
    this.field += text.slice(from, to);
  }

  private endField(): void {
    if (this.fields.length < columnLimit) this.fields.push(this.field);
    else this.problem ??= `more than ${columnLimit} fields`;
    this.field = '';
    this.fieldTooLong = false;
    this.state = 'start';
  }

  private endRecord(): void {
    const blank = this.state === 'start' && this.fields.length === 0 && this.field === '' && this.problem === null;
    if (!blank) {
      this.endField();
      this.records.push({ line: this.recordLine, fields: this.fields, problem: this.problem });
    }
    this.fields = [];
    this.problem = null;
  }

  private take(): DelimitedRecord[] {
    const records = this.records;
    this.records = [];
    return records;
  }

  private reset(line: number): void {
    this.state = 'start';
    this.field = '';
    this.fieldTooLong = false;
    this.fields = [];
    this.problem = null;
    this.afterCarriageReturn = false;
    this.line = line;
    this.recordLine = line;
  }
}
