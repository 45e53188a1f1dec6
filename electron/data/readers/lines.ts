/** Lines of a text of any size: a line beyond the row limit is cut off and marked. */
import { rowLimit } from '../limits.js';

export interface TextLine {
  readonly line: number;
  readonly text: string;
  readonly tooLong: boolean;
}

/** Lines without their ends (LF, CRLF or CR), numbered from 1, those of a piece at a time; the last one needs no end. */
export async function* textLines(pieces: AsyncIterable<string>, limit = rowLimit): AsyncGenerator<Iterable<TextLine>> {
  let line = 1;
  let held = '';
  let tooLong = false;
  let skipLineFeed = false;
  const hold = (part: string) => {
    if (tooLong || held.length + part.length > limit) {
      tooLong = true;
      held = '';
    } else held += part;
  };
  const linesOf = function* (piece: string): Generator<TextLine> {
    let from: number = skipLineFeed && piece.startsWith('\n') ? 1 : 0;
    skipLineFeed = false;
    const ends = /\r\n?|\n/g;
    ends.lastIndex = from;
    for (let end: RegExpExecArray | null = ends.exec(piece); end !== null; end = ends.exec(piece)) {
      hold(piece.slice(from, end.index));
      yield { line, text: held, tooLong };
      line += 1;
      held = '';
      tooLong = false;
      from = ends.lastIndex;
      skipLineFeed = end[0] === '\r' && from === piece.length;
    }
    hold(piece.slice(from));
  };
  for await (const piece of pieces) yield linesOf(piece);
  if (held !== '' || tooLong) yield [{ line, text: held, tooLong }];
}
