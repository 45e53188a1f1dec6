/**
 * Cuts the text of a JSON array into the texts of its elements, each with the line on which it begins.
 * Every element then goes through JSON.parse by itself, so a bad one is reported by its line and the rest is still read;
 * token streams (stream-json) know no lines and end at the first error.
 */
import { rowLimit } from '../limits.js';

export interface JsonElement {
  readonly line: number;
  readonly text: string;
  readonly tooLong: boolean;
}

const code = (character: string) => character.charCodeAt(0);
const [quote, backslash, comma, openBrace, closeBrace, openBracket, closeBracket, lineFeed] = [
  code('"'),
  code('\\'),
  code(','),
  code('{'),
  code('}'),
  code('['),
  code(']'),
  code('\n'),
];
const isBlank = (character: number) =>
  character === 0x20 || (character >= 0x09 && character <= 0x0d) || character === 0xfeff;

export class JsonArraySplitter {
  /** Where the file stops being an array of rows; null while all is well. */
  failure: { readonly line: number; readonly problem: string } | null = null;
  private line = 1;
  private place: 'before' | 'inside' | 'after' = 'before';
  /** Brackets and braces open inside the current element. */
  private depth = 0;
  private inString = false;
  private escaped = false;
  private element = '';
  private elementLine = 0;
  private tooLong = false;
  /** The array lies inside an object: {"data": [...]}. */
  private wrapped = false;
  private lastSignificant = 0;

  /** Elements that end within what has been fed so far. */
  feed(text: string): JsonElement[] {
    const out: JsonElement[] = [];
    let from = 0;
    for (let at = 0; at < text.length && this.failure === null; at += 1) {
      const character = text.charCodeAt(at);
      if (character === lineFeed) this.line += 1;
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (character === backslash) this.escaped = true;
        else if (character === quote) this.inString = false;
        continue;
      }
      if (isBlank(character)) continue;
      if (this.place === 'before') {
        this.seekArray(character);
        from = at + 1;
        if (!(this.wrapped && this.place !== 'before')) continue;
      }
      if (this.place === 'after') {
        // In a wrapper other values may follow; a bare array must be the whole file.
        if (!this.wrapped) this.fail('text after the end of the array');
        continue;
      }
      if (this.elementLine === 0 && character !== closeBracket && character !== comma) {
        this.elementLine = this.line;
        from = at;
      }
      if (character === quote) this.inString = true;
      else if (character === openBrace || character === openBracket) this.depth += 1;
      else if (this.depth > 0 && (character === closeBrace || character === closeBracket)) this.depth -= 1;
      else if (this.depth === 0 && (character === comma || character === closeBracket)) {
        this.hold(text, from, at);
        const element = this.finish();
        if (element !== null) out.push(element);
        else if (character === comma) this.fail('a comma without a row before it');
        from = at + 1;
        if (character === closeBracket) this.place = 'after';
      } else if (character === closeBrace) this.fail('a closing brace without its opening one');
    }
    if (this.place === 'inside' && this.elementLine !== 0) this.hold(text, from, text.length);
    return out;
  }

  /** Call at the end of the text: an array that is still open is a failure. */
  end(): void {
    if (this.failure !== null || this.place === 'after') return;
    if (this.place === 'before') this.fail('no array of rows is in the file');
    else
      this.fail(
        this.inString
          ? `the text inside the row that begins in line ${this.elementLine} is never closed`
          : 'the array is never closed: the file is cut off',
      );
  }

  /** A bare array is the file; inside a wrapper it is the first array that holds an object, found at that object's brace. */
  private seekArray(character: number): void {
    if (this.wrapped ? character === openBrace && this.lastSignificant === openBracket : character === openBracket)
      this.place = 'inside';
    else if (character === openBrace && this.lastSignificant === 0) this.wrapped = true;
    else if (character === quote && this.wrapped) this.inString = true;
    else if (!this.wrapped) this.fail('the file does not begin with an array');
    this.lastSignificant = character;
  }

  private hold(text: string, from: number, to: number): void {
    if (this.elementLine === 0 || this.tooLong || from >= to) return;
    if (this.element.length + (to - from) > rowLimit) {
      this.tooLong = true;
      this.element = '';
    } else this.element += text.slice(from, to);
  }

  private finish(): JsonElement | null {
    if (this.elementLine === 0) return null;
    const element = { line: this.elementLine, text: this.element, tooLong: this.tooLong };
    this.element = '';
    this.elementLine = 0;
    this.tooLong = false;
    return element;
  }

  private fail(problem: string): void {
    this.failure = { line: this.line, problem };
  }
}
