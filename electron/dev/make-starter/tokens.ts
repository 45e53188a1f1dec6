/** The corpus as token ids of the starter's own vocabulary. */
import { Tokenizer } from '@anush008/tokenizers';
import { join } from 'node:path';
import { sources } from './corpus.js';
import { say, starterFolder } from './files.js';
import type { SpecialIds, TokenizedDocuments } from './packing.js';

export interface TokenizedCorpus {
  readonly train: TokenizedDocuments;
  readonly heldOut: TokenizedDocuments;
  readonly ids: SpecialIds;
  readonly tokens: {
    readonly name: string;
    readonly license: string;
    readonly repeat: number;
    readonly train: number;
    readonly heldOut: number;
  }[];
}

class Collected {
  private readonly parts: Uint16Array[] = [];
  private readonly repeats: number[] = [];
  tokens = 0;

  add(ids: readonly number[], repeat: number): void {
    this.parts.push(Uint16Array.from(ids));
    this.repeats.push(repeat);
    this.tokens += ids.length;
  }

  documents(): TokenizedDocuments {
    const tokens = new Uint16Array(this.tokens);
    const starts = new Int32Array(this.parts.length + 1);
    this.parts.forEach((part, i) => {
      const start = starts[i] ?? 0;
      tokens.set(part, start);
      starts[i + 1] = start + part.length;
    });
    return { tokens, starts, repeats: Uint8Array.from(this.repeats) };
  }
}

/** Reads and tokenizes every source. Held-out documents count once, whatever their source's weight. */
export async function tokenizeCorpus(): Promise<TokenizedCorpus> {
  const tokenizer = Tokenizer.fromFile(join(starterFolder, 'tokenizer.json'));
  const id = (token: string) => {
    const found = tokenizer.tokenToId(token);
    if (found === null) throw new Error(`The tokenizer has no ${token}.`);
    return found;
  };
  const [train, heldOut] = [new Collected(), new Collected()];
  const tokens: TokenizedCorpus['tokens'][number][] = [];
  for (const source of sources) {
    const before = [train.tokens, heldOut.tokens] as const;
    for await (const batch of inBatches(source.documents(), 512)) {
      const encodings = await tokenizer.encodeBatch(
        batch.map(({ text }) => text),
        { addSpecialTokens: false },
      );
      encodings.forEach((encoding, i) =>
        batch[i]?.heldOut ? heldOut.add(encoding.getIds(), 1) : train.add(encoding.getIds(), source.repeat),
      );
    }
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
  return {
    train: train.documents(),
    heldOut: heldOut.documents(),
    tokens,
    ids: { cls: id('[CLS]'), sep: id('[SEP]'), mask: id('[MASK]'), first: id('[MASK]') + 1 },
  };
}

async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
