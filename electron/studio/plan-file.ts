/** Files that the command takes, opened in the window: a plan, methods by seeds, a study or a report that carries one. */
import { open } from 'node:fs/promises';
import type { CallOutput, Handlers } from '../contract/calls.js';
import { studyKindSchema, studyWithin } from '../contract/study.js';
import { parseMatrix, parsePlan, parseStudy } from './plan.js';

export type Asked = NonNullable<CallOutput<'plans.read'>['asked']>;

/** A report with all its tables is smaller by far; what is larger holds rows. */
const MOST_BYTES = 32_000_000;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What a parsed file asks for; null for what is none of them, such as rows. Of what is meant as one of them every key is checked.
 * Throws StudioError 'bad-input' naming the key's path and what is allowed.
 */
export function askedIn(value: unknown): Asked | null {
  const within = studyWithin(value);
  if (!isObject(within)) return null;
  if (within !== value || studyKindSchema.safeParse(within['kind']).success)
    return { kind: 'study', study: parseStudy(within) };
  // Rows may be named so too, but not all of these at once.
  if (typeof within['model'] !== 'string' || within['data'] === undefined) return null;
  if ('kind' in within) return { kind: 'study', study: parseStudy(within) };
  if ('methods' in within) return { kind: 'matrix', matrix: parseMatrix(within) };
  return 'method' in within || 'composition' in within ? { kind: 'plan', plan: parsePlan(within) } : null;
}

/** The text of a file that is not too large for a plan; null for a larger one. */
async function textOf(path: string): Promise<string | null> {
  const file = await open(path);
  try {
    const info = await file.stat();
    return info.isFile() && info.size <= MOST_BYTES ? await file.readFile('utf8') : null;
  } finally {
    await file.close();
  }
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // JSON Lines, or no JSON at all: the import of data says what is wrong with it.
    return null;
  }
}

export const planFileCalls = (): Pick<Handlers, 'plans.read'> => ({
  'plans.read': async ({ path }) => ({ asked: askedIn(parsed(await textOf(path))) }),
});
