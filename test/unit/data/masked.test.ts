/** Masks and rows of masked language modelling. */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import {
  encodeMasked,
  evaluationBatches,
  maskTokens,
  type MaskedIds,
  type TextTokenizer,
} from '../../../electron/data/index.js';
import { guessesOf } from '../../../electron/trainer/learnings/masked-lm.js';

const ids: MaskedIds = { cls: 1, sep: 2, mask: 3, pad: 0, words: { from: 10, to: 99 } };
const shares = { mlmProbability: 0.15, maskReplaceProb: 0.8, randomReplaceProb: 0.1 };

/** Each word is the number that it says. */
const tokenizer = {
  name: 'numbers',
  clsId: 1,
  sepId: 2,
  maskId: 3,
  padId: 0,
  vocabularySize: 100,
  place: (texts: readonly string[]) =>
    Promise.resolve(
      texts.map((text) => {
        const own = Int32Array.from(text.split(' ').filter(Boolean).map(Number));
        return { ids: own, from: own, to: own };
      }),
    ),
} as unknown as TextTokenizer;

const numbers = (count: number, from = 10) => Array.from({ length: count }, (_, at) => from + (at % 80)).join(' ');
const encode = (texts: readonly string[], maxLength = 12, more = shares) =>
  encodeMasked(
    texts.map((text, id) => ({ id, text })),
    tokenizer,
    { maxLength, ...more },
  );

describe('masks', () => {
  it('are 15 % of the tokens, 80/10/10, and none of the separators', () => {
    const tokens = Int32Array.from({ length: 200_000 }, (_, at) => (at % 50 === 0 ? ids.sep : 50));
    const labels = new Int32Array(tokens.length).fill(-100);
    maskTokens(tokens, labels, { begin: 0, end: tokens.length }, ids, shares, xoroshiro128plus(1));
    const chosen = [...labels.keys()].filter((at) => labels[at] !== -100);
    const share = (fits: (token: number) => boolean) =>
      chosen.filter((at) => fits(tokens[at] ?? 0)).length / chosen.length;
    expect(chosen.length / (tokens.length * 0.98)).toBeCloseTo(0.15, 2);
    expect(chosen.every((at) => labels[at] === 50)).toBe(true);
    expect(share((token) => token === ids.mask)).toBeCloseTo(0.8, 1);
    expect(share((token) => token !== ids.mask && token !== 50)).toBeCloseTo(0.1, 1);
    expect(share((token) => token === 50)).toBeCloseTo(0.1, 1);
    expect([...tokens.keys()].filter((at) => at % 50 === 0).every((at) => tokens[at] === ids.sep)).toBe(true);
  });
});

describe('rows', () => {
  it('are full where texts are packed, with a separator between two', async () => {
    const texts = await encode([numbers(4), numbers(13, 30), '', numbers(2, 60)]);
    expect([texts.size, texts.empty]).toEqual([3, 1]);
    const packed = texts.training(true, 7);
    // 4 + 1 + 13 + 1 + 2 tokens in rows of 10.
    expect([packed.size, packed.length(0), packed.length(2)]).toEqual([3, 12, 3]);
    const { inputIds, labels, sequence, attentionMask } = packed.batch(Int32Array.of(0, 2), 0);
    const original = Array.from(inputIds, (token, cell) => (labels[cell] === -100 ? token : (labels[cell] ?? 0)));
    expect(original.slice(0, sequence)).toEqual([1, 10, 11, 12, 13, 2, 30, 31, 32, 33, 34, 2]);
    expect(original.slice(sequence)).toEqual([1, 61, 2, ...new Array<number>(9).fill(0)]);
    expect([...attentionMask.subarray(sequence)]).toEqual([1, 1, 1, ...new Array<number>(9).fill(0)]);
    const apart = texts.training(false, 7);
    expect(Array.from({ length: apart.size }, (_, row) => apart.length(row))).toEqual([6, 12, 5, 4]);
  });

  it('are masked anew in each batch of a training, by its seed and number alone', async () => {
    const rows = (await encode([numbers(200)], 102)).training(true, 7);
    const masks = (draw: number) => [...rows.batch(Int32Array.of(0), draw).labels].join();
    expect(masks(3)).toBe(masks(3));
    expect(masks(4)).not.toBe(masks(3));
    expect(
      [...(await encode([numbers(200)], 102)).training(true, 8).batch(Int32Array.of(0), 3).labels].join(),
    ).not.toBe(masks(3));
  });

  it('are masked alike whenever they are measured, with one mask at least', async () => {
    const few = { ...shares, mlmProbability: 0.001 };
    const labelsOf = async () => {
      const held = (await encode([numbers(3), numbers(25), numbers(1)], 12, few)).heldOut();
      const found = new Map<number, string>();
      for (const { batch, rows } of evaluationBatches(held, 2))
        rows.forEach((place, row) => {
          const own = batch.labels.subarray(row * batch.sequence, (row + 1) * batch.sequence);
          expect(own.filter((label) => label !== -100)).toHaveLength(1);
          found.set(place, [...own].map((label, at) => (label === -100 ? '' : `${at} ${label}`)).join(''));
        });
      expect([...found.keys()].map((place) => held.textOf(place)).sort()).toEqual([0, 1, 1, 1, 2]);
      return [...found].sort(([a], [b]) => a - b);
    };
    expect(await labelsOf()).toEqual(await labelsOf());
  });
});

it('tells loss and guess of each masked token, position by position', () => {
  // Two rows of three tokens; masked: row 1 at 0, row 0 at 1, row 1 at 2.
  const labels = Int32Array.of(-100, 2, -100, 0, -100, 1);
  const logits = Float32Array.of(2, 0, 0, 0, 0, 3, 0, 0, 1);
  const found = [...guessesOf({ size: 2, sequence: 3, labels }, logits)];
  expect(found.map(({ row, correct }) => [row, correct])).toEqual([
    [1, true],
    [0, true],
    [1, false],
  ]);
  const loss = (own: number[], label: number) =>
    Math.log(own.reduce((sum, x) => sum + Math.exp(x), 0)) - (own[label] ?? 0);
  expect(found[0]?.loss).toBeCloseTo(loss([2, 0, 0], 0), 12);
  expect(found[1]?.loss).toBeCloseTo(loss([0, 0, 3], 2), 12);
  expect(found[2]?.loss).toBeCloseTo(loss([0, 0, 1], 1), 12);
});
