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
  /** A quoted cell went on behind its closing quote: the quotes were taken as text. */
  readonly loose: boolean;
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
  private loose = false;
  private line = 1;
  private recordLine = 1;
  private quoteLine = 1;
  /** A line feed right after a carriage return belongs to it, in another piece too. */
  private afterCarriageReturn = false;
  private records: DelimitedRecord[] = [];
  private readonly delimiter: number;

  constructor(
    delimiter: string,
    private readonly quoted = true,
  ) {
    this.delimiter = delimiter.charCodeAt(0);
  }

  /** Records that end within what has been fed so far. */
  feed(text: string): DelimitedRecord[] {
    const pieces = [text];
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) pieces.unshift(...this.scan(piece));
    return this.take();
  }

  /** Reads a piece; gives back what must be read again, in order, once a quote has proved to be none. */
  private scan(text: string): string[] {
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
          // Text after a closing quote. Over several lines, the quote was never meant to be one; within a line, it was part of the cell.
          const again = this.unquoted();
          if (again !== null) return [`${again}"`, text.slice(at)];
          this.loose = true;
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
    return [];
  }

  /** The records that the end of the text closes. A quote still open is a problem of its line; the lines after it are read again without it. */
  end(): DelimitedRecord[] {
    const records: DelimitedRecord[] = [];
    while (this.state === 'quoted') {
      const again = this.unquoted();
      if (again === null) {
        this.problem ??= this.neverClosed();
        break;
      }
      records.push(...this.take(), ...this.feed(again));
    }
    this.endRecord();
    records.push(...this.take());
    this.reset(this.line);
    return records;
  }

  /** Gives the line of the open quote up as a problem and returns the lines after it, to be read again; null where the cell is of one line or no longer held. */
  private unquoted(): string | null {
    if (this.fieldTooLong) return null;
    const lineEnd = /\r\n?|\n/.exec(this.field);
    if (lineEnd === null) return null;
    const again = this.field.slice(lineEnd.index + lineEnd[0].length).replaceAll('"', '""');
    this.records.push({ line: this.recordLine, fields: [], problem: this.neverClosed(), loose: true });
    this.reset(this.quoteLine + 1);
    return again;
  }

  private readonly neverClosed = () => `a quote opened in line ${this.quoteLine} is never closed`;

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
      this.records.push({ line: this.recordLine, fields: this.fields, problem: this.problem, loose: this.loose });
    }
    this.fields = [];
    this.problem = null;
    this.loose = false;
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
    this.loose = false;
    this.afterCarriageReturn = false;
    this.line = line;
    this.recordLine = line;
  }
}
