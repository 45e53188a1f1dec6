/** Mutations of bytes: what damage, cut-off downloads and malice do to a file. */
import fc, { type Arbitrary } from 'fast-check';

export type Change<T> = (value: T) => T;

/** A place in a whole of length 1; headers and footers are hit more often than what lies between. */
export const place: Arbitrary<number> = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  fc.double({ min: 0, max: 0.01, noNaN: true }),
  fc.double({ min: 0.98, max: 1, noNaN: true, maxExcluded: true }),
);
const size = fc.oneof(fc.nat(4), fc.nat(64), fc.nat(5000));
const within = (bytes: Buffer, at: number) => Math.floor(at * bytes.length);
const edited = (bytes: Buffer, edit: (copy: Buffer) => void) => {
  const copy = Buffer.from(bytes);
  edit(copy);
  return copy;
};
const spliced = (bytes: Buffer, from: number, to: number, part: Buffer) =>
  Buffer.concat([bytes.subarray(0, from), part, bytes.subarray(to)]);

/** Numbers that lengths, counts and offsets should not be. */
export const badNumbers = [
  0,
  -1,
  1,
  0.5,
  -0,
  127,
  255,
  65_535,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 40,
  Number.MAX_SAFE_INTEGER,
  2 ** 60,
  1e308,
  -(2 ** 31),
] as const;

const words = [
  '[',
  '{"a":',
  '"',
  '\\u',
  '{{',
  '(',
  '\n\n',
  ',',
  '\t',
  '\0',
  '\u{FEFF}',
  '=cmd|',
  '-DOCSTART-',
  '\ud83d',
];

/** One change of a file's bytes. */
export const byteChange: Arbitrary<Change<Buffer>> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(
    ([at, bit]): Change<Buffer> =>
      (bytes) =>
        edited(bytes, (copy) => {
          const index = within(copy, at);
          if (index < copy.length) copy[index] = (copy[index] ?? 0) ^ (1 << bit);
        }),
  ),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 24 })).map(
    ([at, part]): Change<Buffer> =>
      (bytes) =>
        spliced(bytes, within(bytes, at), within(bytes, at) + part.length, Buffer.from(part)),
  ),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 24 })).map(
    ([at, part]): Change<Buffer> =>
      (bytes) =>
        spliced(bytes, within(bytes, at), within(bytes, at), Buffer.from(part)),
  ),
  place.map(
    (at): Change<Buffer> =>
      (bytes) =>
        bytes.subarray(0, within(bytes, at)),
  ),
  fc.tuple(place, size).map(
    ([at, length]): Change<Buffer> =>
      (bytes) =>
        spliced(bytes, within(bytes, at), within(bytes, at) + length, Buffer.alloc(0)),
  ),
  fc
    .tuple(place, place, size, fc.integer({ min: 1, max: 40 }))
    .map(([from, to, length, times]): Change<Buffer> => (bytes) => {
      const part = bytes.subarray(within(bytes, from), within(bytes, from) + length);
      return spliced(bytes, within(bytes, to), within(bytes, to), Buffer.concat(Array<Buffer>(times).fill(part)));
    }),
  fc.tuple(place, place, size).map(
    ([a, b, length]): Change<Buffer> =>
      (bytes) =>
        edited(bytes, (copy) => {
          const part = Buffer.from(copy.subarray(within(copy, a), within(copy, a) + length));
          copy.copy(copy, within(copy, a), within(copy, b), within(copy, b) + length);
          part.copy(copy, within(copy, b));
        }),
  ),
  fc.tuple(place, fc.constantFrom(...badNumbers), fc.constantFrom(2, 4, 8)).map(
    ([at, value, width]): Change<Buffer> =>
      (bytes) =>
        edited(bytes, (copy) => {
          const number = Buffer.alloc(8);
          number.writeBigInt64LE(BigInt(Math.trunc(Math.min(value, 2 ** 62))));
          number.copy(copy, within(copy, at), 0, width);
        }),
  ),
  // A number in text becomes another one.
  fc.tuple(place, fc.constantFrom(...badNumbers)).map(([at, value]): Change<Buffer> => (bytes) => {
    const text = bytes.toString('latin1');
    const found = /\d+/.exec(text.slice(within(bytes, at)));
    if (!found) return bytes;
    const from = within(bytes, at) + found.index;
    return spliced(bytes, from, from + found[0].length, Buffer.from(String(value)));
  }),
  fc.tuple(place, fc.constantFrom(...words), fc.constantFrom(1, 1, 1, 3, 3, 3, 40, 40, 2000, 2000, 100_000)).map(
    ([at, word, times]): Change<Buffer> =>
      (bytes) =>
        spliced(bytes, within(bytes, at), within(bytes, at), Buffer.from(word.repeat(times))),
  ),
  fc.constant((bytes: Buffer) => Buffer.from(bytes.toString('latin1'), 'utf16le')),
  fc.constant((bytes: Buffer) => Buffer.concat([bytes, bytes])),
);
