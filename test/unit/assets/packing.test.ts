import { describe, expect, it } from 'vitest';
import { pieces } from '../../../electron/trainer/pretrain/documents.js';
import { TokenStream } from '../../../electron/trainer/pretrain/stream.js';

const documents = {
  tokens: Uint16Array.of(10, 11, 12, 20, 21, 30),
  starts: Int32Array.of(0, 3, 5, 6),
  repeats: Uint8Array.of(1, 1, 2),
};

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
