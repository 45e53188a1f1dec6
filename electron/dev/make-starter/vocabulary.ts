/**
 * Makes the starter model's WordPiece vocabulary, tokenizer files and config.json from the corpus:
 * `npm run make-starter -- vocabulary`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CharacterCounts, learnWordPiece, writeWordPiece } from '../../data/index.js';
import { config } from './architecture.js';
import { sources } from './corpus.js';
import { say, starterFolder, workFolder } from './files.js';

/** Characters seen less often than this are unknown to the model. */
const rarest = 20;
const options = { lowercase: true } as const;

async function main(): Promise<void> {
  await mkdir(workFolder, { recursive: true });
  const corpus = join(workFolder, 'corpus.txt');
  const characters = new CharacterCounts(options);
  const documents: string[] = [];
  for (const source of sources)
    for await (const { text, heldOut } of source.documents()) {
      characters.add(text);
      if (!heldOut) documents.push(text);
    }
  // The training part as one text file, a document a line.
  await writeFile(corpus, documents.map((text) => `${text}\n`).join(''));
  say(`${corpus}: ${documents.length} documents`);
  const vocabulary = learnWordPiece(corpus, config.vocab_size, characters.usual(rarest), options);
  if (vocabulary.length !== config.vocab_size) throw new Error(`The corpus gave ${vocabulary.length} tokens only.`);
  await writeWordPiece(starterFolder, vocabulary, config.max_position_embeddings, options);
  await writeFile(join(starterFolder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  say(`${starterFolder}: ${vocabulary.length} tokens`);
}

await main();
