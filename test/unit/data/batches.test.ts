import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  classBatches,
  classWeights,
  encodeRows,
  EncodedRows,
  evaluationBatches,
  openTokenizer,
  sortLabels,
  TrainingBatches,
} from '../../../electron/data/index.js';
import { shuffledOrder } from '../../../electron/data/random.js';
import { statistics } from '../evaluation/oracle.js';

const models = join(import.meta.dirname, '..', '..', 'fixtures', 'oracle', 'models');
/** Row r holds the token r + 1, `lengths[r]` times, and has class r % 3. */
function encoded(lengths: readonly number[]): EncodedRows {
  const offsets = lengths.reduce<number[]>((all, length) => [...all, (all.at(-1) ?? 0) + length], [0]);
  return new EncodedRows(
    Int32Array.from(lengths.flatMap((length, row) => new Array<number>(length).fill(row + 1))),
    null,
    Int32Array.from(offsets),
    Int32Array.from(lengths, (_, row) => row % 3),
    Float64Array.from(lengths, (_, row) => row * 10),
  );
}
const options = { batchSize: 4, accumulationSteps: 1, shuffle: true, seed: 1 };
const batchesOf = (lengths: readonly number[], padId = 0) => classBatches(encoded(lengths), { padId });

describe('TrainingBatches', () => {
  test('an epoch is every row once; the last batch keeps what is left', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(5),
        (size, batchSize, accumulationSteps, epoch) => {
          const source = new TrainingBatches(batchesOf(new Array<number>(size).fill(2)), {
            ...options,
            batchSize,
            accumulationSteps,
          });
          expect(source.stepsPerEpoch).toBe(Math.ceil(size / batchSize));
          const steps = Array.from({ length: source.stepsPerEpoch }, (_, step) => epoch * source.stepsPerEpoch + step);
          const seen = steps.flatMap((step) =>
            source
              .batches(step)
              .flatMap((batch) =>
                Array.from({ length: batch.size }, (_, row) => (batch.inputIds[row * batch.sequence] ?? 0) - 1),
              ),
          );
          expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, row) => row));
          for (const step of steps) {
            const sizes = source.batches(step).map((batch) => batch.size);
            expect(sizes.length).toBeLessThanOrEqual(accumulationSteps);
            expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });

  test('a step is a function of seed and step alone: resuming anywhere gives the same batch', () => {
    const rows = batchesOf(Array.from({ length: 23 }, (_, row) => 1 + (row % 5)));
    const straight = new TrainingBatches(rows, options);
    const all = Array.from({ length: 20 }, (_, step) => straight.batches(step));
    for (const step of [19, 3, 7, 0, 12]) expect(new TrainingBatches(rows, options).batches(step)).toEqual(all[step]);
    expect(straight.rowsOf(0)).not.toEqual(straight.rowsOf(straight.stepsPerEpoch));
    expect(new TrainingBatches(rows, { ...options, seed: 2 }).rowsOf(0)).not.toEqual(straight.rowsOf(0));
  });

  test('without shuffling rows keep their order in every epoch', () => {
    const source = new TrainingBatches(batchesOf([1, 1, 1, 1, 1, 1]), { ...options, shuffle: false });
    expect([0, 1, 2, 3].map((step) => [...source.rowsOf(step)])).toEqual([
      [0, 1, 2, 3],
      [4, 5],
      [0, 1, 2, 3],
      [4, 5],
    ]);
  });

  test('pads to the longest row of the batch, or to a multiple', () => {
    const rows = encoded([2, 5, 3]);
    const padded = (padding: Parameters<typeof classBatches>[1]) =>
      new TrainingBatches(classBatches(rows, padding), { ...options, shuffle: false }).batches(0)[0];
    const batch = padded({ padId: 9 });
    expect(batch).toMatchObject({ size: 3, sequence: 5 });
    expect([...(batch?.inputIds ?? [])]).toEqual([1, 1, 9, 9, 9, 2, 2, 2, 2, 2, 3, 3, 3, 9, 9]);
    expect([...(batch?.attentionMask ?? [])]).toEqual([1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
    expect([...(batch?.labels ?? [])]).toEqual([0, 1, 2]);
    expect(padded({ padId: 0, padToMultiple: 8 })?.sequence).toBe(8);
    expect(padded({ padId: 0, padToMultiple: 8, maxSequence: 6 })?.sequence).toBe(6);
  });

  test("rows carry their class's weight", () => {
    const [batch] = new TrainingBatches(classBatches(encoded([1, 1, 1, 1]), { padId: 0 }, Float32Array.of(1, 2, 4)), {
      ...options,
      shuffle: false,
    }).batches(0);
    expect(batch?.weights).toEqual(Float32Array.of(1, 2, 4, 1));
  });

  test('no rows are refused', () => {
    expect(() => new TrainingBatches(batchesOf([]), options)).toThrow('no rows');
  });
});

describe('evaluationBatches', () => {
  test('every row once, longest first, with its place', () => {
    const lengths = [3, 1, 4, 1, 5, 9, 2, 6];
    const batches = [...evaluationBatches(batchesOf(lengths), 3)];
    expect(batches.map(({ batch }) => [batch.size, batch.sequence])).toEqual([
      [3, 9],
      [3, 4],
      [2, 1],
    ]);
    for (const { batch, rows } of batches)
      rows.forEach((place, row) => expect(batch.inputIds[row * batch.sequence]).toBe(place + 1));
    expect(batches.flatMap(({ rows }) => [...rows]).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('encodeRows', () => {
  const rows = Array.from({ length: 1200 }, (_, id) => ({
    id: id * 3,
    text: `Fog number ${id}`,
    pair: id % 2 === 0 ? null : 'rain',
    label: id % 2 === 0 ? 'dry' : 'wet',
  }));

  test('keeps ids, classes and segments of every row, cut to the length', async () => {
    const tokenizer = await openTokenizer(join(models, 'bert'));
    const told: number[] = [];
    const split = await encodeRows(rows, tokenizer, {
      labels: ['dry', 'wet'],
      maxLength: 16,
      onProgress: (count) => told.push(count),
    });
    expect(split.size).toBe(1200);
    expect(told).toEqual([512, 1024, 1200]);
    expect([split.ids[7], split.labels[7]]).toEqual([21, 1]);
    const [expected] = await tokenizer.encode([rows[777] ?? { text: '', pair: null }], 16);
    const [from, to] = [split.offsets[777] ?? 0, split.offsets[778] ?? 0];
    expect(split.tokens.slice(from, to)).toEqual(expected?.ids);
    expect(split.segments?.slice(from, to)).toEqual(expected?.typeIds);
    const [longest] = [...evaluationBatches(classBatches(split, { padId: tokenizer.padId }), 8)];
    expect(longest?.batch.tokenTypeIds.some((segment) => segment === 1)).toBe(true);
  });

  test('a model without segments keeps none; an unknown label is refused', async () => {
    const tokenizer = await openTokenizer(join(models, 'roberta'));
    expect(
      (await encodeRows(rows.slice(0, 4), tokenizer, { labels: ['dry', 'wet'], maxLength: 16 })).segments,
    ).toBeNull();
    await expect(encodeRows(rows, tokenizer, { labels: ['dry'], maxLength: 16 })).rejects.toThrow(
      'Row 3 has the label "wet"',
    );
  });
});

describe('labels', () => {
  test("balanced weights are scikit-learn's", () => {
    const { counts, weights } = statistics.classWeights;
    const own = classWeights('balanced', ['a', 'b', 'c', 'd'], counts);
    weights.forEach((weight, index) => expect(own?.[index]).toBeCloseTo(weight, 5));
    expect(classWeights('balanced', ['a', 'b', 'c'], [3, 0, 1])).toEqual(Float32Array.of(4 / 6, 1, 2));
  });

  test('given weights must name every label and no other', () => {
    expect(classWeights({ b: 2, a: 1 }, ['a', 'b'], [1, 1])).toEqual(Float32Array.of(1, 2));
    expect(classWeights(null, ['a'], [1])).toBeNull();
    expect(() => classWeights({ a: 1 }, ['a', 'toString'], [1, 1])).toThrow('lacks the label "toString"');
    expect(() => classWeights({ a: 1, z: 1 }, ['a'], [1])).toThrow('names the label "z"');
  });

  test('sorting does not depend on the order given', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 4 })), (labels) => {
        expect(sortLabels([...labels].reverse())).toEqual(sortLabels(labels));
      }),
    );
  });
});

test('shuffledOrder: every place is as likely for every row', () => {
  const counts = Array.from({ length: 5 }, () => new Array<number>(5).fill(0));
  for (let stream = 0; stream < 5000; stream += 1)
    shuffledOrder(5, 42, stream).forEach((row, place) => {
      const own = counts[place];
      if (own) own[row] = (own[row] ?? 0) + 1;
    });
  // 1,000 expected, standard deviation 28: five of them.
  for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(141);
});
