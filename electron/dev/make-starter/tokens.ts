/** The corpus as token ids of the starter's own vocabulary. */
import { maskedIdsOf, openTokenizer, specialTokens, type MaskedIds } from '../../data/index.js';
import { Collected, tokenize } from '../../trainer/pretrain/documents.js';
import type { TokenizedDocuments } from '../../trainer/pretrain/stream.js';
import { sources } from './corpus.js';
import { say, starterFolder } from './files.js';

export interface TokenizedCorpus {
  readonly train: TokenizedDocuments;
  readonly heldOut: TokenizedDocuments;
  readonly ids: MaskedIds;
  readonly tokens: {
    readonly name: string;
    readonly license: string;
    readonly repeat: number;
    readonly train: number;
    readonly heldOut: number;
  }[];
}

/** Reads and tokenizes every source. Held-out documents count once, whatever their source's weight. */
export async function tokenizeCorpus(): Promise<TokenizedCorpus> {
  const tokenizer = await openTokenizer(starterFolder);
  const [train, heldOut] = [new Collected(), new Collected()];
  const tokens: TokenizedCorpus['tokens'][number][] = [];
  for (const source of sources) {
    const before = [train.tokens, heldOut.tokens] as const;
    await tokenize(source.documents(), tokenizer, { train, heldOut }, source.repeat);
    const counted = {
      name: source.name,
      license: source.license,
      repeat: source.repeat,
      train: train.tokens - before[0],
      heldOut: heldOut.tokens - before[1],
    };
    tokens.push(counted);
    say(`${counted.name}: ${counted.train} tokens, ${counted.heldOut} held out`);
  }
  const words = { from: specialTokens.length, to: tokenizer.vocabularySize - 1 };
  return { train: train.documents(), heldOut: heldOut.documents(), tokens, ids: { ...maskedIdsOf(tokenizer), words } };
}
