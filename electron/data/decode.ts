/** A text file as decoded pieces: constant memory, any encoding that TextDecoder knows. */
import { createReadStream } from 'node:fs';
import { StudioError } from '../contract/errors.js';
import type { ReadHooks } from './types.js';

const pieceBytes = 256 * 1024;

/**
 * The file's text in order, without its byte-order mark. Bytes that are no text in this encoding become U+FFFD.
 * @throws StudioError `no-access`, `not-found`, `bad-file` for the file, `cancelled` by the signal
 */
export async function* decodedPieces(path: string, encoding: string, hooks: ReadHooks = {}): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  const stream = createReadStream(path, { highWaterMark: pieceBytes });
  let done = 0;
  try {
    for await (const bytes of stream as AsyncIterable<Buffer>) {
      throwIfCancelled(hooks.signal);
      const text = decoder.decode(bytes, { stream: true });
      if (text !== '') yield text;
      done += bytes.length;
      hooks.onBytes?.(done);
    }
  } catch (error) {
    throw fileError(path, error);
  } finally {
    stream.destroy();
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StudioError('cancelled', 'The work was cancelled.');
}

/** A system error of a file as one the user can act on; a StudioError goes through as it is. */
export function fileError(path: string, error: unknown): StudioError {
  if (error instanceof StudioError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const options = { cause: error };
  if (code === 'ENOENT')
    return new StudioError(
      'not-found',
      `${path} does not exist.`,
      'Choose the file again; it may have been moved or renamed.',
      { path },
      options,
    );
  if (code === 'EACCES' || code === 'EPERM')
    return new StudioError(
      'no-access',
      `${path} cannot be read: access is denied.`,
      'Change its permissions or copy it to a folder of yours.',
      { path },
      options,
    );
  if (code === 'EISDIR')
    return new StudioError('bad-file', `${path} is a folder.`, 'Choose a file of rows.', { path }, options);
  const reason = error instanceof Error ? error.message : String(error);
  return new StudioError(
    'bad-file',
    `${path} cannot be read: ${reason}.`,
    'Check the file; it may be damaged.',
    { path },
    options,
  );
}
