/** General text that a base model's own loss is measured on: the bundled sample, or a file of the user's. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { StudioError } from '../contract/errors.js';
import type { Context } from './context.js';

/** Texts that are measured: more would only take longer. */
const mostTexts = 400;
/** Of these the first, while a run trains: it is stopped meanwhile. */
export const mostWatched = 100;

export interface GeneralText {
  readonly texts: number;
  /** SHA-256 of the texts. */
  readonly contentHash: string;
}

/** @param file null for the bundled sample */
const pathOf = (context: Pick<Context, 'assets'>, file: string | null) =>
  file ?? join(context.assets, 'samples', 'general-text.txt');

/**
 * Writes the first texts of a file, one of each line that is not blank, as a split's file.
 * Throws StudioError 'not-found' or 'bad-data'.
 */
export async function writeGeneralText(
  context: Pick<Context, 'assets'>,
  file: string | null,
  to: string,
  most = mostTexts,
): Promise<GeneralText> {
  const path = pathOf(context, file);
  const hash = createHash('sha256');
  const lines: string[] = [];
  try {
    for await (const line of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
      const text = line.trim();
      if (text === '') continue;
      hash.update(`${text}\n`);
      lines.push(JSON.stringify({ id: lines.length, text, label: '' }));
      if (lines.length >= most) break;
    }
  } catch (error) {
    throw new StudioError(
      'not-found',
      `generalText: ${path} cannot be read (${error instanceof Error ? error.message : String(error)}).`,
      'Give a text file with a text on each line, or leave it out for the bundled sample.',
      { path: 'generalText' },
    );
  }
  if (lines.length < 2)
    throw new StudioError(
      'bad-data',
      `generalText: ${path} holds ${lines.length === 0 ? 'no text' : 'one text only'}.`,
      'Give a text file with a text on each line, some hundred of them.',
      { path: 'generalText' },
    );
  await writeFile(to, `${lines.join('\n')}\n`);
  return { texts: lines.length, contentHash: hash.digest('hex') };
}
