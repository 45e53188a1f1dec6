/** Documents as one list of token ids, and texts cut into documents. */
import type { TextTokenizer } from '../../data/index.js';
import type { TokenizedDocuments } from './stream.js';

export interface Document {
  readonly text: string;
  /** Kept out of training, to measure on. */
  readonly heldOut: boolean;
}

/** Characters of a piece that a long text is cut into, at the end of a sentence. */
const pieceLength = 800;

/** Cuts a text into pieces of whole sentences, one line each. */
export function* pieces(text: string, heldOut: boolean): Generator<Document> {
  let piece = '';
  for (const sentence of text
    .replace(/\s+/g, ' ')
    .trim()
    .split(/(?<=[.!?]["')]?) (?=["'(]?[A-Z])/)) {
    if (piece !== '' && piece.length + sentence.length > pieceLength) {
      yield { text: piece, heldOut };
      piece = '';
    }
    piece = piece === '' ? sentence : `${piece} ${sentence}`;
  }
  if (piece !== '') yield { text: piece, heldOut };
}

export class Collected {
  private readonly parts: Uint16Array[] = [];
  private readonly repeats: number[] = [];
  tokens = 0;

  /** `repeat`: times an epoch reads it. */
  add(ids: ArrayLike<number>, repeat: number): void {
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

const batchSize = 512;

/** Tokenizes documents as they come into what is trained on and what is held out, which counts once. */
export async function tokenize(
  documents: AsyncIterable<Document>,
  tokenizer: TextTokenizer,
  { train, heldOut }: { readonly train: Collected; readonly heldOut: Collected },
  repeat = 1,
): Promise<void> {
  let batch: Document[] = [];
  const flush = async () => {
    (await tokenizer.place(batch.map(({ text }) => text))).forEach(({ ids }, i) =>
      batch[i]?.heldOut ? heldOut.add(ids, 1) : train.add(ids, repeat),
    );
    batch = [];
  };
  for await (const document of documents) {
    batch.push(document);
    if (batch.length >= batchSize) await flush();
  }
  if (batch.length > 0) await flush();
}
