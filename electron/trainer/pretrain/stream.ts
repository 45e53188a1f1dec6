/** Token streams cut into full sequences: they depend on seed and place only, so a training that was cut off goes on equal. */
import { StudioError } from '../../contract/errors.js';
import { shuffledOrder } from '../../data/random.js';

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
        if (token === 0)
          throw new StudioError(
            'bad-data',
            `The text is shorter than one sequence of ${length} tokens.`,
            'Give more text, or a smaller maximum length.',
          );
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
