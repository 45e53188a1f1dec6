import { describe, expect, it } from 'vitest';
import { pieces } from '../../../electron/dev/make-starter/corpus.js';
import { maskedBatch, maskedShare, TokenStream } from '../../../electron/dev/make-starter/packing.js';

const documents = {
  tokens: Uint16Array.of(10, 11, 12, 20, 21, 30),
  starts: Int32Array.of(0, 3, 5, 6),
  repeats: Uint8Array.of(1, 1, 2),
};
const ids = { cls: 2, sep: 3, mask: 4, first: 5 };

describe('the token stream', () => {
  it('reads every document its number of times an epoch, in an order of the epoch, with [SEP] between', () => {
    const orders = [0, 1, 2, 3].map((epoch) => {
      const { rows } = new TokenStream(documents, 3, 7).take({ epoch, token: 0 }, 1, 11);
      expect([...rows].filter((token) => token !== 3).sort((a, b) => a - b)).toEqual([10, 11, 12, 20, 21, 30, 30]);
      expect(rows.at(-1)).toBe(3);
      return rows.join(' ');
    });
    for (const order of orders) expect(order).toContain('10 11 12 3');
    expect(new Set(orders).size).toBeGreaterThan(1);
  });
  it('goes on from any place with the same rows', () => {
    const whole = new TokenStream(documents, 3, 7).take({ epoch: 0, token: 0 }, 6, 4);
    const first = new TokenStream(documents, 3, 7).take({ epoch: 0, token: 0 }, 2, 4);
    const rest = new TokenStream(documents, 3, 7).take(first.next, 4, 4);
    expect([...first.rows, ...rest.rows]).toEqual([...whole.rows]);
    expect(rest.next).toEqual(whole.next);
  });
  it('refuses rows longer than the corpus', () => {
    expect(() => new TokenStream(documents, 3, 7).take({ epoch: 0, token: 0 }, 1, 100)).toThrow(
      /shorter than one sequence/,
    );
  });
});

describe('masking', () => {
  const [size, inner, vocabulary] = [200, 62, 1000];
  const rows = Uint16Array.from({ length: size * inner }, (_, i) => (i % 20 === 0 ? ids.sep : 5 + (i % 900)));
  const batch = maskedBatch(rows, size, ids, vocabulary, 1, 3);

  it('asks for about 15 % of the tokens, 80 % of them masked and 10 % random, never for special tokens', () => {
    let [asked, masked, kept, random] = [0, 0, 0, 0];
    for (let row = 0; row < size; row += 1) {
      expect(batch.inputIds[row * 64]).toBe(ids.cls);
      expect(batch.inputIds[row * 64 + 63]).toBe(ids.sep);
      expect([batch.labels[row * 64], batch.labels[row * 64 + 63]]).toEqual([-100, -100]);
      for (let at = 0; at < inner; at += 1) {
        const [original, label, input] = [
          rows[row * inner + at]!,
          batch.labels[row * 64 + 1 + at]!,
          batch.inputIds[row * 64 + 1 + at]!,
        ];
        if (label === -100) {
          expect(input).toBe(original);
          continue;
        }
        expect(label).toBe(original);
        expect(original).not.toBe(ids.sep);
        asked += 1;
        if (input === ids.mask) masked += 1;
        else if (input === original) kept += 1;
        else {
          random += 1;
          expect(input).toBeGreaterThanOrEqual(ids.first);
        }
      }
    }
    const tokens = rows.filter((token) => token !== ids.sep).length;
    expect(Math.abs(asked / tokens - maskedShare)).toBeLessThan(0.02);
    expect(Math.abs(masked / asked - 0.8)).toBeLessThan(0.04);
    expect(Math.abs(random / asked - 0.1)).toBeLessThan(0.03);
    expect(Math.abs(kept / asked - 0.1)).toBeLessThan(0.03);
  });
  it('is the same for the same seed and place, and another for the next', () => {
    expect(maskedBatch(rows, size, ids, vocabulary, 1, 3)).toEqual(batch);
    expect(maskedBatch(rows, size, ids, vocabulary, 1, 4).labels).not.toEqual(batch.labels);
  });
});

it('cuts long texts at the end of sentences and loses nothing', () => {
  const sentence = 'It was the best of times, it was the worst of times, and so on. ';
  const text = sentence.repeat(60).trim();
  const cut = [...pieces(text.replaceAll('. ', '.\n'), false)];
  expect(cut.map((piece) => piece.text).join(' ')).toBe(text);
  expect(cut.length).toBeGreaterThan(3);
  for (const piece of cut) {
    expect(piece.text.length).toBeLessThanOrEqual(800);
    expect(piece.text.endsWith('.')).toBe(true);
  }
});
