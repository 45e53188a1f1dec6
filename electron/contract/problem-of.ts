/** Whatever was thrown, as a Problem: the last step before an error leaves a process. */
import { z } from 'zod';
import { errorCodes, StudioError, type ErrorCode, type Problem } from './errors.js';

const fileProblems: Readonly<Record<string, { code: ErrorCode; what: string; hint: string }>> = {
  ENOSPC: {
    code: 'no-space',
    what: 'the disk is full',
    hint: 'Free some space or choose another folder, then try again.',
  },
  EDQUOT: {
    code: 'no-space',
    what: 'the disk quota is used up',
    hint: 'Free some space or choose another folder, then try again.',
  },
  EACCES: { code: 'no-access', what: 'access is denied', hint: 'Check the permissions or choose another place.' },
  EPERM: { code: 'no-access', what: 'access is denied', hint: 'Check the permissions or choose another place.' },
  EROFS: { code: 'no-access', what: 'the folder is read-only', hint: 'Choose a folder that can be written to.' },
  ENOENT: { code: 'bad-file', what: 'it is not there', hint: 'Check that it was not moved or deleted.' },
  EISDIR: { code: 'bad-file', what: 'it is a folder, not a file', hint: 'Choose a file.' },
  EIO: {
    code: 'no-access',
    what: 'the disk returned an error',
    hint: 'Check the disk and its connection, or choose another folder, then try again.',
  },
  ENXIO: { code: 'no-access', what: 'its disk is gone', hint: 'Connect the disk again, then try again.' },
  ENODEV: { code: 'no-access', what: 'its disk is gone', hint: 'Connect the disk again, then try again.' },
  ESTALE: { code: 'no-access', what: 'its network folder is gone', hint: 'Connect the folder again, then try again.' },
  EFBIG: {
    code: 'no-space',
    what: 'the disk takes no file of that size',
    hint: 'Choose a folder on another disk, then try again.',
  },
  EMFILE: {
    code: 'no-access',
    what: 'too many files are open',
    hint: 'Close other programs or raise the limit of open files, then try again.',
  },
  EEXIST: {
    code: 'conflict',
    what: 'something else of that name is there',
    hint: 'Choose another name or folder.',
  },
  ENOTDIR: { code: 'bad-file', what: 'it is a file, not a folder', hint: 'Choose a folder.' },
};

/** Node makes folders upwards and then tells that the last one is absent, whatever kept it from being made. */
const unmade = {
  code: 'no-access',
  what: 'the folder could not be made',
  hint: 'Check the disk and its connection, or choose another folder, then try again.',
} as const;

const contextValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** Errors of lower layers (the engine's) carry the same facts without sharing the class. */
const described = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  hint: z.string().nullable(),
  context: z.record(z.string(), contextValue),
});

/** Rethrows a failed write with the name of its file, for `catch`: what a full disk refuses of an open file does not say which it was. */
export const namingFile =
  (path: string) =>
  (error: unknown): never => {
    if (error instanceof Error && 'code' in error && !('path' in error)) Object.assign(error, { path });
    throw error;
  };

/** The problem of a file that the system refused, or null for any other error. */
export function fileProblem(error: unknown): Problem | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  const { code } = error;
  const making = code === 'ENOENT' && 'syscall' in error && error.syscall === 'mkdir';
  const named = typeof code === 'string' && Object.hasOwn(fileProblems, code) ? fileProblems[code] : undefined;
  const known = making ? unmade : named;
  if (!known) return null;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : null;
  return {
    code: known.code,
    message: `${path ?? 'A file could not be used'}: ${known.what}.`,
    hint: known.hint,
    context: { path, errno: String(code) },
  };
}

/** First difference of a value from its schema, as "path: what is allowed". */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'unknown difference';
  const path = issue.path.map(String).join('.');
  return path ? `${path}: ${issue.message}` : issue.message;
}

/** The problem that stands for `error`; never throws. */
export function problemOf(error: unknown): Problem {
  if (error instanceof StudioError) return error.toProblem();
  if (error instanceof z.ZodError)
    return { code: 'bad-input', message: firstIssue(error), hint: 'Correct the value and try again.', context: {} };
  if (error instanceof Error) {
    const { code, hint, context } = { code: undefined, hint: null, context: {}, ...error };
    const known = described.safeParse({ code, message: error.message, hint, context });
    if (known.success) return known.data;
    const file = fileProblem(error);
    if (file) return file;
  }
  return {
    code: 'internal',
    message: error instanceof Error ? error.message : String(error),
    hint: 'This is a fault in the app; restarting it may help.',
    context: {},
  };
}
