/** Token streams cut into full sequences, and dynamic masking: both depend on seed and place only, so a resumed run goes on equal. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { shuffledOrder, streamSeed } from '../../data/random.js';
import type { Batch } from '../../engine/index.js';

export interface SpecialIds {
  readonly cls: number;
  readonly sep: number;
  readonly mask: number;
  readonly first: number;
}

/** Where the next batch begins. */
export interface Place {
  readonly epoch: number;
  readonly token: number;
}

/** Tokenized documents one after another; `starts[i]` is where document i begins, the last entry the end. */
export interface TokenizedDocuments {
  readonly tokens: Uint16Array;
  readonly starts: Int32Array;
  /** Times an epoch reads each document. */ readonly repeats: Uint8Array;
}

/** Documents in an order of their own in each epoch, with [SEP] between them, as one stream. */
export class TokenStream {
  private epoch = -1;
  private stream = new Uint16Array(0);

  constructor(
    private readonly documents: TokenizedDocuments,
    private readonly sep: number,
    private readonly seed: number,
  ) {}

  /** The next `count` rows of `length` tokens each and the place after them. A row never spans two epochs; what is left of an epoch is skipped. */
  take(place: Place, count: number, length: number): { rows: Uint16Array; next: Place } {
    const rows = new Uint16Array(count * length);
    let { epoch, token } = place;
    for (let row = 0; row < count; row += 1) {
      if (token + length > this.of(epoch).length) {
        if (token === 0) throw new Error(`The corpus is shorter than one sequence of ${length} tokens.`);
        [epoch, token] = [epoch + 1, 0];
      }
      rows.set(this.of(epoch).subarray(token, token + length), row * length);
      token += length;
    }
    return { rows, next: { epoch, token } };
  }

  private of(epoch: number): Uint16Array {
    if (epoch === this.epoch) return this.stream;
    const { tokens, starts, repeats } = this.documents;
    const units: number[] = [];
    repeats.forEach((times, document) => {
      for (let i = 0; i < times; i += 1) units.push(document);
    });
    const size = (document: number) => (starts[document + 1] ?? 0) - (starts[document] ?? 0);
    const stream = new Uint16Array(units.reduce((sum, document) => sum + size(document) + 1, 0));
    let at = 0;
    for (const unit of shuffledOrder(units.length, this.seed, epoch)) {
      const document = units[unit] ?? 0;
      stream.set(tokens.subarray(starts[document], starts[document + 1]), at);
      at += size(document);
      stream[at] = this.sep;
      at += 1;
    }
    [this.epoch, this.stream] = [epoch, stream];
    return stream;
  }
}

export const maskedShare = 0.15;

/**
 * A batch of [CLS] row [SEP] with 15 % of the tokens to be guessed: 80 % of these become [MASK], 10 % a random token,
 * 10 % stay (Devlin et al. 2019, section 3.1). Labels are -100 elsewhere.
 * @param rows [size, sequence - 2] token ids
 */
export function maskedBatch(
  rows: Uint16Array,
  size: number,
  ids: SpecialIds,
  vocabularySize: number,
  seed: number,
  stream: number,
): Batch {
  const inner = rows.length / size;
  const sequence = inner + 2;
  const generator = xoroshiro128plus(streamSeed(seed, stream));
  const inputIds = new Int32Array(size * sequence);
  const labels = new Int32Array(size * sequence).fill(-100);
  for (let row = 0; row < size; row += 1) {
    const start = row * sequence;
    inputIds[start] = ids.cls;
    inputIds.set(rows.subarray(row * inner, (row + 1) * inner), start + 1);
    inputIds[start + sequence - 1] = ids.sep;
    for (let at = start + 1; at < start + 1 + inner; at += 1) {
      const token = inputIds[at] ?? 0;
      if (token === ids.sep || uniformFloat64(generator) >= maskedShare) continue;
      labels[at] = token;
      const chance = uniformFloat64(generator);
      if (chance < 0.8) inputIds[at] = ids.mask;
      else if (chance < 0.9) inputIds[at] = uniformInt(generator, ids.first, vocabularySize - 1);
    }
  }
  return {
    size,
    sequence,
    inputIds,
    attentionMask: new Int32Array(size * sequence).fill(1),
    tokenTypeIds: new Int32Array(size * sequence),
    labels,
    weights: null,
  };
}
