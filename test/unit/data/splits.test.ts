import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byRarestLabel, normalizedText, quotas, splitOf, StratifiedSplit } from '../../../electron/data/splits.js';

function draw(
  rows: readonly (readonly [string, string])[],
  shares: { validation: number; test: number },
  seed: number,
) {
  const split = new StratifiedSplit(shares, seed);
  for (const [label, text] of rows) split.count(label, text);
  return rows.map(([label]) => split.splitOfNext(label));
}
describe('byRarestLabel', () => {
  // Sixty different lists of six labels, of which "rare" stands in one row of fifty.
  const lists = Array.from({ length: 1000 }, (_, row) =>
    ['a', 'b', 'c', 'd', 'e']
      .filter((_label, bit) => (row * 7 + (row >> 3)) & (1 << bit))
      .concat(row % 50 === 0 ? ['rare'] : []),
  );
  const split = new StratifiedSplit({ validation: 0.1, test: 0.2 }, 1, byRarestLabel);
  lists.forEach((labels, row) => split.count(JSON.stringify(labels), `text ${row}`));
  const splits = lists.map((labels) => split.splitOfNext(JSON.stringify(labels)));

  test('keeps the shares of all rows, and of a rare label to the row', () => {
    expect([count(splits, 'train'), count(splits, 'validation'), count(splits, 'test')]).toEqual([700, 100, 200]);
    const rare = splits.filter((_, row) => lists[row]?.includes('rare'));
    expect([count(rare, 'train'), count(rare, 'validation'), count(rare, 'test')]).toEqual([14, 2, 4]);
  });

  test.each(['a', 'b', 'c', 'd', 'e'])('keeps about the share of %s, which rows have with others', (label) => {
    const own = splits.filter((_, row) => lists[row]?.includes(label));
    expect(count(own, 'test') / own.length).toBeCloseTo(0.2, 1);
  });

  test('takes rows without any label together', () => {
    const none = splits.filter((_, row) => lists[row]?.length === 0);
    expect(none.length).toBeGreaterThan(5);
    expect(count(none, 'test')).toBe(Math.round(none.length * 0.2));
  });
});

const count = <T>(items: readonly T[], item: T) => items.filter((other) => other === item).length;

describe('StratifiedSplit', () => {
  test('gives as many splits as rows were counted, and says how many it still has', () => {
    const split = new StratifiedSplit({ validation: 0, test: 0.5 }, 1);
    for (const text of ['one', 'two']) split.count('a', text);
    expect(split.left).toBe(2);
    expect([split.splitOfNext('a'), split.splitOfNext('a')].sort()).toEqual(['test', 'train']);
    expect([split.left, split.splitOfNext('a')]).toEqual([0, null]);
  });

  const rows = Array.from({ length: 1000 }, (_, row) => [row % 10 === 0 ? 'rare' : 'usual', `text ${row}`] as const);

  test('keeps the shares overall and in each label', () => {
    const splits = draw(rows, { validation: 0.15, test: 0.2 }, 1);
    expect([count(splits, 'train'), count(splits, 'validation'), count(splits, 'test')]).toEqual([650, 150, 200]);
    const rare = splits.filter((_, row) => rows[row]?.[0] === 'rare');
    expect([count(rare, 'validation'), count(rare, 'test')]).toEqual([15, 20]);
  });

  test('is a function of the seed, and not of the order of rows', () => {
    const splits = draw(rows, { validation: 0.15, test: 0.2 }, 1);
    expect(draw(rows, { validation: 0.15, test: 0.2 }, 1)).toEqual(splits);
    expect([...draw([...rows].reverse(), { validation: 0.15, test: 0.2 }, 1)].reverse()).toEqual(splits);
    const other = draw(rows, { validation: 0.15, test: 0.2 }, 2);
    // Two independent draws agree on 0.65² + 0.15² + 0.2² = 48.5 % of the rows.
    expect(splits.filter((split, row) => split === other[row]).length / 1000).toBeCloseTo(0.485, 1);
  });

  test('equal texts of a label never part, every label keeps a training row, and sizes are right where texts differ', () => {
    const row = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(30).map(String));
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 80 }),
        fc.double({ min: 0, max: 0.45, noNaN: true }),
        fc.double({ min: 0, max: 0.45, noNaN: true }),
        fc.nat(1000),
        (drawn, validation, share, seed) => {
          const splits = draw(drawn, { validation, test: share }, seed);
          const places = new Map<string, string>();
          drawn.forEach(([label, text], index) => {
            const key = `${label} ${text}`;
            expect(places.get(key) ?? splits[index]).toBe(splits[index]);
            places.set(key, splits[index] ?? '');
          });
          for (const label of new Set(drawn.map(([own]) => own)))
            expect(splits.some((split, index) => split === 'train' && drawn[index]?.[0] === label)).toBe(true);
          if (places.size === drawn.length && new Set(drawn.map(([label]) => label)).size === 1)
            expect(count(splits, 'test')).toBe(Math.min(Math.round(drawn.length * share), drawn.length - 1));
        },
      ),
    );
  });

  test('shares of 0 leave all rows to training', () => {
    expect(new Set(draw(rows, { validation: 0, test: 0 }, 5))).toEqual(new Set(['train']));
  });
});

test('quotas: largest remainders get the rest, limits hold', () => {
  expect(quotas([7, 7, 6], 0.25, [6, 6, 5])).toEqual([2, 2, 1]);
  expect(quotas([1, 1, 1, 1], 0.5, [0, 0, 0, 0])).toEqual([0, 0, 0, 0]);
  expect(quotas([3, 3, 3], 0.15, [2, 2, 2])).toEqual([1, 0, 0]);
});

test('names of splits, and texts that count as equal', () => {
  expect(['Train', ' dev ', 'TEST', 'val', 'other'].map(splitOf)).toEqual([
    'train',
    'validation',
    'test',
    'validation',
    null,
  ]);
  expect(normalizedText('  Ａ ﬁne\n Cafe\u0301 ', null)).toBe(normalizedText('a fine CAFÉ', null));
  expect(normalizedText('a', 'b')).not.toBe(normalizedText('a b', null));
});
