/** What the command prints: one JSON object a line, or text for people with progress on stderr. */
import type { Problem } from '../contract/errors.js';

export interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether stderr is a terminal: progress then rewrites its line. */
  readonly terminal: boolean;
}

/** Between two lines of progress where there is no terminal. */
const MILLISECONDS_BETWEEN = 5000;

export class Output {
  #progressShown = false;
  #lastProgress = 0;

  constructor(
    readonly json: boolean,
    private readonly streams: Streams,
  ) {}

  /** One event; `text` is what people read instead, null for nothing. */
  event(event: { readonly event: string; readonly [key: string]: unknown }, text: string | null): void {
    if (this.json) this.streams.stdout(`${JSON.stringify(event)}\n`);
    else if (text !== null) this.text(text);
  }

  /** A part of a text that is still to go on. */
  piece(event: { readonly event: string; readonly [key: string]: unknown }, text: string): void {
    if (this.json) return this.event(event, null);
    this.#clear();
    this.streams.stdout(text);
  }

  /** For people only. */
  text(text: string): void {
    if (this.json) return;
    this.#clear();
    this.streams.stdout(`${text}\n`);
  }

  /** On stderr, so that it never mixes with results. */
  note(text: string): void {
    this.#clear();
    this.streams.stderr(`${text}\n`);
  }

  progress(text: string): void {
    // A job that has only begun has no words yet.
    if (this.json || text.trim() === '') return;
    if (this.streams.terminal) {
      this.streams.stderr(`\r\x1b[K${text}`);
      this.#progressShown = true;
    } else if (Date.now() - this.#lastProgress >= MILLISECONDS_BETWEEN) {
      this.#lastProgress = Date.now();
      this.streams.stderr(`${text}\n`);
    }
  }

  error(problem: Problem): void {
    if (this.json)
      this.streams.stdout(`${JSON.stringify({ event: 'error', message: problem.message, hint: problem.hint })}\n`);
    else this.note([`error: ${problem.message}`, ...(problem.hint ? [`       ${problem.hint}`] : [])].join('\n'));
  }

  #clear(): void {
    if (this.#progressShown) this.streams.stderr('\r\x1b[K');
    this.#progressShown = false;
  }
}

/** Columns of text, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const right = head.map(
    (_, column) =>
      rows.length > 0 && rows.every((row) => /^[-–\d.,\s%]*$|^\d[\d.,]* \S+$/.test(String(row[column] ?? ''))),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => (right[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const whole = (value: number) => Math.round(value).toLocaleString('en');
export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
export const megabytes = (bytes: number) =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** "40 s", "12 min", "3 h 20 min". */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
