/** Text files as documents: paragraphs, cut at the ends of sentences. */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { StudioError } from '../../contract/errors.js';
import { namingFile } from '../../contract/problem-of.js';
import { pieces, type Document } from './documents.js';

/** Every fiftieth document is held out, and the last one where there are fewer. */
const heldOutEvery = 50;

async function* paragraphs(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, 'utf8');
  let lines: string[] = [];
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      // A byte that is no text would become part of the vocabulary.
      if (line.includes('\0'))
        throw new StudioError('bad-file', `${path} is not a text file.`, 'Give plain text in UTF-8.', { file: path });
      if (line.trim() !== '') lines.push(line);
      else if (lines.length > 0) {
        yield lines.join(' ');
        lines = [];
      }
    }
  } catch (error) {
    throw error instanceof StudioError ? error : namingFile(path)(error);
  }
  if (lines.length > 0) yield lines.join(' ');
}

/** The documents of text files, in order. @throws StudioError `bad-file` for what is no text */
export async function* textDocuments(files: readonly string[]): AsyncGenerator<Document> {
  let count = 0;
  for (const file of files)
    for await (const paragraph of paragraphs(file))
      for (const { text } of pieces(paragraph, false)) {
        count += 1;
        yield { text, heldOut: count % heldOutEvery === 0 };
      }
  if (count >= heldOutEvery) return;
  throw new StudioError(
    'bad-data',
    `The text has ${count} pieces of a few sentences; a model needs ${heldOutEvery} at least, and thousands to be of use.`,
    `Give more text than ${files.map((file) => basename(file)).join(', ')}.`,
  );
}
