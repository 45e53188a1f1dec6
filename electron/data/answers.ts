/** Where the answers of a question stand in its context. */
import type { MarkedAnswer } from '../contract/entities.js';

type Problem = { readonly problem: string };
/** `moved`: answers that stood beside the place that the file names. */
export interface PlacedAnswers {
  readonly answers: readonly MarkedAnswer[];
  readonly moved: number;
}

/** As far as an answer is looked for on either side of the place that the file names, in characters. */
const near = 60;

/**
 * Answers of a cell: a list of {text, answer_start}, or {text: […], answer_start: […]} as datasets has it, or the text alone. None, an
 * empty list or an empty text: the question has no answer in the context. Places count code points, as Python's do.
 */
export function readAnswers(cell: string | undefined, context: string): PlacedAnswers | Problem {
  const listed = listOf(cell);
  if ('problem' in listed) return listed;
  const answers: MarkedAnswer[] = [];
  let moved = 0;
  for (const { text, start } of listed.answers) {
    if (text.trim() === '') continue;
    const at = placeOf(text, start, context);
    if (typeof at !== 'number') return at;
    const named = start === null ? null : unitsAt(context, start);
    if (start !== null && named !== at && start !== at) moved += 1;
    if (!answers.some((other) => other.start === at && other.text === text)) answers.push({ text, start: at });
  }
  return { answers, moved };
}

interface Named {
  readonly text: string;
  readonly start: number | null;
}

function listOf(cell: string | undefined): { readonly answers: readonly Named[] } | Problem {
  if (cell === undefined || cell.trim() === '') return { answers: [] };
  let value: unknown = cell;
  if (/^\s*[[{]/.test(cell))
    try {
      value = JSON.parse(cell);
    } catch {
      value = cell;
    }
  if (typeof value === 'string') return { answers: [{ text: value, start: null }] };
  const own = value as { readonly text?: unknown; readonly answer_start?: unknown };
  if (!Array.isArray(value) && Array.isArray(own.text)) {
    const starts: readonly unknown[] = Array.isArray(own.answer_start) ? own.answer_start : [];
    return list(own.text.map((text: unknown, at: number) => ({ text, answer_start: starts[at] })));
  }
  return list(Array.isArray(value) ? (value as unknown[]) : [value]);
}

function list(entries: readonly unknown[]): { readonly answers: readonly Named[] } | Problem {
  const answers: Named[] = [];
  for (const [at, entry] of entries.entries()) {
    if (typeof entry === 'string') {
      answers.push({ text: entry, start: null });
      continue;
    }
    const { text, answer_start: start } = (entry ?? {}) as { readonly text?: unknown; readonly answer_start?: unknown };
    if (typeof text !== 'string') return { problem: `answer ${at + 1} has no text` };
    if (start !== undefined && start !== null && !(typeof start === 'number' && Number.isInteger(start)))
      return { problem: `the answer_start of answer ${at + 1} is no whole number` };
    answers.push({ text, start: typeof start === 'number' ? start : null });
  }
  return { answers };
}

/** Where the text stands, in UTF-16 units. */
function placeOf(text: string, start: number | null, context: string): number | Problem {
  const short = (value: string) => JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (start === null) {
    const first = context.indexOf(text);
    return first >= 0 ? first : { problem: `the answer ${short(text)} does not stand in the context` };
  }
  const units = unitsAt(context, start);
  if (context.startsWith(text, units)) return units;
  if (start >= 0 && context.startsWith(text, start)) return start;
  const places: number[] = [];
  for (
    let at = context.indexOf(text, Math.max(0, units - near));
    at >= 0 && at <= units + near;
    at = context.indexOf(text, at + 1)
  )
    places.push(at);
  const [nearest] = places.sort((a, b) => Math.abs(a - units) - Math.abs(b - units));
  if (nearest !== undefined) return nearest;
  return {
    problem: `the answer ${short(text)} does not stand at ${start}, where the context has ${short(context.slice(units, units + text.length))}`,
  };
}

/** From code points to UTF-16 units. */
function unitsAt(text: string, points: number): number {
  if (points <= 0 || !/[\ud800-\udbff]/.test(text.slice(0, 2 * points))) return points;
  let units = 0;
  for (const point of text) {
    if (points === 0) break;
    points -= 1;
    units += point.length;
  }
  return units + points;
}
