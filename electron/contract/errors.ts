/** Errors cross processes by code: each says what happened and what to do. */
import { z } from 'zod';

export const errorCodes = [
  'bad-input', // a value out of range, an unknown key
  'bad-file', // a file that cannot be read as what it should be
  'bad-model', // a base model that cannot be read or is not supported
  'bad-data', // rows, columns or labels that do not fit the task
  'not-found',
  'conflict', // a name in use, a thing in use
  'no-space',
  'no-access', // permissions, read-only folder, path not granted
  'out-of-memory',
  'device-failed',
  'trainer-lost', // the trainer process ended by itself
  'diverged', // the loss is no longer a finite number
  'database', // corrupt or locked
  'cancelled',
  'internal',
] as const;

export const problemSchema = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  /** What the user can do about it. */
  hint: z.string().nullable(),
  /** Facts for the screen or a log: file, row, field, limit. */
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

export type ErrorCode = (typeof errorCodes)[number];
export type Problem = z.infer<typeof problemSchema>;

/** Messages quote names from files, which may be as long as the file. */
const longestMessage = 2000;
const inShort = (text: string) => (text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text);

/** The one error class of the app above the engine. */
export class StudioError extends Error {
  override readonly name = 'StudioError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint: string | null = null,
    readonly context: Readonly<Problem['context']> = {},
    options?: ErrorOptions,
  ) {
    super(inShort(message), options);
  }

  toProblem(): Problem {
    return { code: this.code, message: this.message, hint: this.hint, context: { ...this.context } };
  }

  static fromProblem(problem: Problem): StudioError {
    return new StudioError(problem.code, problem.message, problem.hint, problem.context);
  }
}
