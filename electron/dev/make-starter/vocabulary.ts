/**
 * Makes the starter model's WordPiece vocabulary, tokenizer files and config.json from the corpus:
 * `npm run make-starter -- vocabulary`.
 */
import {
  bertNormalizer,
  bertPreTokenizer,
  templateProcessing,
  Tokenizer,
  WordPiece,
  wordPieceDecoder,
} from '@anush008/tokenizers';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { config, specialTokens } from './architecture.js';
import { sources } from './corpus.js';
import { say, starterFolder, workFolder } from './files.js';

/** Characters seen less often than this are unknown to the model. */
const rarest = 20;

function prepared(tokenizer: Tokenizer): Tokenizer {
  tokenizer.setNormalizer(
    bertNormalizer({ cleanText: true, handleChineseChars: true, stripAccents: true, lowercase: true }),
  );
  tokenizer.setPreTokenizer(bertPreTokenizer());
  return tokenizer;
}

/** The training part of the corpus as one text file, a document a line. */
async function writeCorpus(path: string): Promise<void> {
  const documents: string[] = [];
  for (const source of sources)
    for await (const { text, heldOut } of source.documents()) if (!heldOut) documents.push(text);
  await writeFile(path, documents.map((text) => `${text}\n`).join(''));
  say(`${path}: ${documents.length} documents`);
}

/** Tokens in the order training found them: characters, then merges, the most frequent first. So the first N are the vocabulary of size N. */
function trainWordPiece(corpus: string): string[] {
  const tokenizer = prepared(
    new Tokenizer(WordPiece.init({ '[UNK]': 0 }, { unkToken: '[UNK]', continuingSubwordPrefix: '##' })),
  );
  tokenizer.train([corpus]);
  return Object.entries(tokenizer.getVocab())
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token);
}

/** Characters that stand often enough in the text, as the model sees it. */
async function usualCharacters(): Promise<Set<string>> {
  const normalizer = bertNormalizer({ cleanText: true, handleChineseChars: true, stripAccents: true, lowercase: true });
  const counts = new Map<string, number>();
  for (const source of sources)
    for await (const { text } of source.documents())
      for (const character of normalizer.normalizeString(text)) counts.set(character, (counts.get(character) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count >= rarest).map(([character]) => character));
}

async function main(): Promise<void> {
  await mkdir(workFolder, { recursive: true });
  const corpus = join(workFolder, 'corpus.txt');
  await writeCorpus(corpus);
  const usual = await usualCharacters();
  const trained = trainWordPiece(corpus).filter(
    (token) =>
      !specialTokens.includes(token) && [...token.replace(/^##/, '')].every((character) => usual.has(character)),
  );
  const vocabulary = [...specialTokens, ...trained].slice(0, config.vocab_size);
  if (vocabulary.length !== config.vocab_size) throw new Error(`The corpus gave ${vocabulary.length} tokens only.`);

  const ids = Object.fromEntries(vocabulary.map((token, id) => [token, id]));
  const tokenizer = prepared(
    new Tokenizer(WordPiece.init(ids, { unkToken: '[UNK]', continuingSubwordPrefix: '##', maxInputCharsPerWord: 100 })),
  );
  tokenizer.addSpecialTokens([...specialTokens]);
  tokenizer.setPostProcessor(
    templateProcessing('[CLS] $A [SEP]', '[CLS] $A [SEP] $B:1 [SEP]:1', [
      ['[CLS]', ids['[CLS]'] ?? 0],
      ['[SEP]', ids['[SEP]'] ?? 0],
    ]),
  );
  tokenizer.setDecoder(wordPieceDecoder('##', true));
  await mkdir(starterFolder, { recursive: true });
  tokenizer.save(join(starterFolder, 'tokenizer.json'), false);
  await writeFile(join(starterFolder, 'vocab.txt'), vocabulary.map((token) => `${token}\n`).join(''));
  const json = (name: string, value: unknown) =>
    writeFile(join(starterFolder, name), `${JSON.stringify(value, null, 2)}\n`);
  await json('tokenizer_config.json', {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: true,
    strip_accents: true,
    tokenize_chinese_chars: true,
    model_max_length: config.max_position_embeddings,
    cls_token: '[CLS]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    unk_token: '[UNK]',
    mask_token: '[MASK]',
  });
  await json('config.json', config);
  say(`${starterFolder}: ${vocabulary.length} tokens, of ${trained.length} trained`);
}

await main();
