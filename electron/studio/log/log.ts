/**
 * The log that a user can send: what the app did and where it failed, in `log/` of the data folder. No text of the user's and no path
 * goes into it: of an error its code, its numbers and the places in the program's own code stand there, not its message, which
 * quotes names, cells and files.
 */
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { problemOf } from '../../contract/problem-of.js';

/** A file is put aside at this size, and so many are kept besides. */
const largestFile = 512 * 1024;
const keptFiles = 2;
const mostPlaces = 6;

type Fact = string | number | boolean | null | undefined;
/** Facts must be the program's own words and numbers: kinds, states, codes, versions. */
export type Facts = Readonly<Record<string, Fact>>;

export class Log {
  readonly folder: string;
  /** The last line without its time, and how often it came again. */
  #last = { line: '', again: 0 };

  constructor(home: string) {
    this.folder = join(home, 'log');
  }

  /** One line; never throws, since a disk that takes no log must not stop what is done. */
  write(what: string, facts: Facts = {}): void {
    const told = Object.entries(facts).flatMap(([name, value]) =>
      value === undefined || value === null ? [] : [`${name}=${JSON.stringify(value)}`],
    );
    const line = [process.pid, what, ...told].join(' ');
    // What comes a thousand times pushes nothing else out.
    if (line === this.#last.line) {
      this.#last.again += 1;
      return;
    }
    const { again } = this.#last;
    this.#last = { line, again: 0 };
    const time = new Date().toISOString();
    const before = again > 0 ? `${time} ${process.pid} the line before came ${again} more times\n` : '';
    try {
      mkdirSync(this.folder, { recursive: true });
      const file = this.#file(0);
      this.#makeRoom(file);
      appendFileSync(file, `${before}${time} ${line}\n`);
    } catch {
      // Nothing depends on it.
    }
  }

  /** A failure: its code, numbers and places in the code. */
  problem(what: string, error: unknown): void {
    const { code, context } = problemOf(error);
    const numbers = Object.entries(context).filter(([, value]) => typeof value === 'number');
    this.write(what, {
      code,
      kind: error instanceof Error ? errorKind(error) : typeof error,
      ...Object.fromEntries(numbers),
      at: error instanceof Error ? placesOf(error).join(' < ') : undefined,
    });
  }

  /** The newest lines, the oldest first. */
  last(count: number): string[] {
    const files = Array.from({ length: keptFiles + 1 }, (_, index) => this.#file(keptFiles - index));
    return files
      .flatMap((file) => {
        try {
          return readFileSync(file, 'utf8').split('\n').slice(0, -1);
        } catch {
          return [];
        }
      })
      .slice(-count);
  }

  #file(age: number): string {
    return join(this.folder, age === 0 ? 'studio.log' : `studio.${age}.log`);
  }

  #makeRoom(file: string): void {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < largestFile) return;
    for (let age = keptFiles; age > 0; age -= 1)
      if (statSync(this.#file(age - 1), { throwIfNoEntry: false })) renameSync(this.#file(age - 1), this.#file(age));
  }
}

/** "TypeError", with the system's own code where it is one of the system's: "Error ENOENT". */
const errorKind = (error: Error) =>
  'code' in error && typeof error.code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(error.code)
    ? `${error.name} ${error.code}`
    : error.name;

/** Where in the program it was thrown, the innermost first: "detectReading studio.cjs:120:11". The message before it is left out. */
function placesOf(error: Error): string[] {
  const { stack = '', message } = error;
  const start = stack.indexOf(message);
  if (start < 0) return [];
  return stack
    .slice(start + message.length)
    .split('\n')
    .flatMap((line) => {
      const found = /^ {4}at (?:async )?(?:([\w$.<>#[\] ]+) \()?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/.exec(line);
      const [, name = '', file = '', row, column] = found ?? [];
      return found ? [`${name} ${basename(file.replaceAll('\\', '/'))}:${row}:${column}`.trim()] : [];
    })
    .slice(0, mostPlaces);
}
