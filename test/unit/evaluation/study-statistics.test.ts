import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { judgeGaps, type JudgedGap } from '../../../electron/evaluation/gap.js';
import {
  hierarchicalMeans,
  intervalAt,
  type SeedMean,
  type SeedScore,
} from '../../../electron/evaluation/hierarchical.js';
import { holm } from '../../../electron/evaluation/holm.js';
import { mean, variance } from '../../../electron/evaluation/intervals.js';
import { measureKinds } from '../../../electron/evaluation/measures.js';
import type { RowScore } from '../../../electron/evaluation/index.js';
import { judgeRatios, timesInWords } from '../../../electron/evaluation/ratios.js';
import { uniforms } from '../../helpers/tiny-model.js';

const numbers = z.array(z.number());
const pair = z.tuple([z.number(), z.number()]);
/** The committed answers of NumPy and SciPy (test/oracle/make_study_statistics.py). */
const oracle = z
  .object({
    hierarchical: z.object({
      method: z.array(numbers),
      baseline: z.array(numbers),
      mean: z.number(),
      replicateVariance: z.number(),
      between: z.number(),
    }),
    equivalence: z.array(
      z.object({
        mean: z.number(),
        error: z.number(),
        degrees: z.number(),
        zone: z.number(),
        equivalenceP: z.number(),
        p: z.number(),
        narrow: pair,
        wide: pair,
      }),
    ),
    ratios: z.object({ ratios: numbers, mean: z.number(), p: z.number(), low: z.number(), high: z.number() }),
    holm: z.object({ p: numbers, adjusted: numbers, claimed: z.array(z.boolean()) }),
  })
  .parse(
    JSON.parse(
      readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'data', 'study-statistics.json'), 'utf8'),
    ),
  );

/** The mean of a run's values over the rows. */
const scoreOf =
  (values: readonly number[]): RowScore =>
  (times) => {
    let [sum, count] = [0, 0];
    for (let row = 0; row < values.length; row += 1) {
      const drawn = times?.[row] ?? 1;
      sum += drawn * (values[row] ?? 0);
      count += drawn;
    }
    return sum / count;
  };
const seedsOf = (method: readonly number[][], baseline: readonly number[][]): SeedScore[] =>
  method.map((values, seed) => ({ score: scoreOf(values), baseline: scoreOf(baseline[seed] ?? []) }));

/** A standard normal number from two uniform ones. */
const normals = (seed: number) => {
  const next = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
};

describe('the hierarchical bootstrap', () => {
  it("has NumPy's variance of replicates, corrected for seeds drawn from few", async () => {
    const { method, baseline, replicateVariance, between, mean: expected } = oracle.hierarchical;
    const [found] = await hierarchicalMeans(150, [seedsOf(method, baseline)], 1);
    const squared = replicateVariance + between / method.length ** 2;
    expect(found?.mean).toBeCloseTo(expected, 10);
    // 1,000 replicates against 40,000: the error of a standard error is about 2.5 %.
    expect((found?.error ?? 0) / Math.sqrt(squared)).toBeGreaterThan(0.92);
    expect((found?.error ?? 0) / Math.sqrt(squared)).toBeLessThan(1.08);
    // As wide as seeds alone at least, and with more degrees than these.
    expect(found?.error).toBeGreaterThan(Math.sqrt(between / method.length));
    expect(found?.degrees).toBeGreaterThan(method.length - 1);
  });

  it('is the same for the same seed of the draws, in whatever company', async () => {
    const { method, baseline } = oracle.hierarchical;
    const list = seedsOf(method, baseline);
    expect(await hierarchicalMeans(150, [list], 7)).toEqual(await hierarchicalMeans(150, [list], 7));
    expect(await hierarchicalMeans(150, [list], 7)).not.toEqual(await hierarchicalMeans(150, [list], 8));
  });

  it('never tells less than one row where no row differs', async () => {
    const same = [
      [1, 1, 0, 1],
      [1, 0, 0, 1],
    ].map((values) => [...values, ...values]);
    const [found] = await hierarchicalMeans(8, [seedsOf(same, same)], 1);
    expect(found).toMatchObject({ mean: 0, error: 100 / 8 });
  });

  /** Covered shares of true differences, over many simulated studies of `seeds` seeds on 60 rows. */
  async function coverage(seeds: number, studies: number): Promise<{ t: number; percentiles: number }> {
    const normal = normals(11);
    const rows = 60;
    let [t, percentiles] = [0, 0];
    for (let study = 0; study < studies; study += 1) {
      // A row is easier for one of the two in all seeds alike, a seed in all rows, and each answer has chance of its own.
      const rowEffects = Array.from({ length: rows }, () => 0.3 * normal());
      const draw = (own: readonly number[]) =>
        Array.from({ length: seeds }, () => {
          const seedEffect = 0.05 * normal();
          return Array.from({ length: rows }, (_, row) => 0.02 + seedEffect + (own[row] ?? 0) + 0.3 * normal());
        });
      const [method, baseline] = [draw(rowEffects), draw(rowEffects.map(() => 0))];
      const [found] = await hierarchicalMeans(rows, [seedsOf(method, baseline)], study + 1);
      // Both have the same true mean: the difference is 0 over all seeds and rows.
      const { low, high } = intervalAt(found as SeedMean, 0.95);
      t += Number(low <= 0 && high >= 0);
      // What the plain percentiles of seeds alone would give: the mean of drawn seeds.
      const values = method.map((own, seed) => mean(own) - mean(baseline[seed] ?? []));
      const next = uniforms(study + 1);
      const means = Array.from({ length: 200 }, () =>
        mean(values.map(() => values[Math.floor(next() * seeds)] ?? 0)),
      ).sort((a, b) => a - b);
      percentiles += Number((means[4] ?? 0) <= 0 && (means[195] ?? 0) >= 0);
    }
    return { t: t / studies, percentiles: percentiles / studies };
  }

  it('covers the true difference about 95 % of the time, with three seeds too', { timeout: 120_000 }, async () => {
    const { t, percentiles } = await coverage(3, 300);
    // Of 300 studies the share scatters by 1.3 points; the interval may be a little wide, not narrow.
    expect(t).toBeGreaterThan(0.92);
    expect(t).toBeLessThanOrEqual(0.995);
    // Why the interval is not made of percentiles over seeds.
    expect(percentiles).toBeLessThan(0.85);
  });
});

describe("Holm's procedure", () => {
  it('gives the worked example', () => {
    const { p, adjusted, claimed } = oracle.holm;
    const steps = holm(p, 0.05);
    expect(steps.map((step) => step.claimed)).toEqual(claimed);
    steps.forEach((step, index) => expect(step.p).toBeCloseTo(adjusted[index] ?? NaN, 10));
  });

  it('claims what is below its own level, and only that', () => {
    const next = uniforms(3);
    for (let trial = 0; trial < 500; trial += 1) {
      const values = Array.from({ length: 1 + Math.floor(next() * 6) }, () => next() ** 4);
      holm(values, 0.05).forEach(({ p, claimed, level }, index) => {
        expect(claimed).toBe((values[index] ?? 1) <= level);
        expect(claimed).toBe(p <= 0.05 + 1e-12);
      });
    }
  });
});

describe('judged differences', () => {
  it.each(oracle.equivalence)("two one-sided tests and intervals are SciPy's: mean $mean", (one) => {
    const seeds = one.degrees + 1;
    const [judged] = judgeGaps([{ ...one, seeds, rows: 1000 }], measureKinds.macroF1, one.zone);
    expect(judged?.p).toBeCloseTo(one.p, 8);
    expect(judged?.equivalenceP).toBeCloseTo(one.equivalenceP, 8);
    expect(judged?.interval.low).toBeCloseTo(one.wide[0], 8);
    expect(judged?.interval.high).toBeCloseTo(one.wide[1], 8);
    expect(judged?.equivalenceInterval?.low).toBeCloseTo(one.narrow[0], 8);
    expect(judged?.equivalenceInterval?.high).toBeCloseTo(one.narrow[1], 8);
    expect(judged?.decision === 'equal').toBe(one.equivalenceP <= 0.05);
  });

  const trials = Array.from({ length: 400 }, (_, trial) => trial);
  const kinds = [measureKinds.macroF1, measureKinds.perplexity];
  const decisions = new Set<string>();

  it('claim what their intervals show, and nothing else: 400 random studies', () => {
    for (const trial of trials) {
      const [next, normal] = [uniforms(trial + 1), normals(trial + 1)];
      const kind = kinds[trial % 2] ?? measureKinds.macroF1;
      const zone = 0.5 + 2 * next();
      const gaps: SeedMean[] = Array.from({ length: 1 + Math.floor(next() * 6) }, () => {
        const seeds = 1 + Math.floor(next() * 5);
        return {
          mean: 2 * normal(),
          error: 0.05 + 1.5 * next() ** 2,
          degrees: Math.max(1, seeds - 1) + 3 * next(),
          seeds,
          rows: 500,
        };
      });
      for (const judged of judgeGaps(gaps, kind, zone)) {
        decisions.add(judged.decision);
        check(judged, zone);
      }
    }
    // Each verdict comes out, for and against.
    expect([...decisions].sort()).toEqual(['better', 'equal', 'undecided', 'worse']);
  });

  function check({ decision, interval, equivalenceInterval, seeds, text, p, mean: middle }: JudgedGap, zone: number) {
    const inside = equivalenceInterval !== null && equivalenceInterval.low >= -zone && equivalenceInterval.high <= zone;
    const apart = interval.low > 0 || interval.high < 0;
    expect(decision === 'equal').toBe(inside);
    if (!inside) expect(decision === 'better' || decision === 'worse').toBe(apart);
    expect(apart).toBe(p <= 0.05 + 1e-9);
    expect(interval.low).toBeLessThanOrEqual(middle);
    expect(interval.high).toBeGreaterThanOrEqual(middle);
    if (seeds < 2) expect(decision).not.toBe('equal');
    if (seeds < 2) expect(text).toContain('on this one seed');
    // The numbers in the words are no narrower than the interval.
    const told = [
      ...text
        .replace(/^within [\d.]+/, '')
        .replaceAll('−', '-')
        .matchAll(/-?\d+(\.\d+)?/g),
    ].map(([value]) => Number(value));
    switch (decision) {
      case 'worse':
        expect(text).toMatch(/^worse than full fine-tuning/);
        expect(interval.high).toBeLessThan(0);
        expect(-(told.at(-1) ?? 0)).toBeLessThanOrEqual(interval.low + 1e-9);
        if (told.length > 1) expect(-(told[0] ?? 0)).toBeGreaterThanOrEqual(interval.high - 1e-9);
        break;
      case 'better':
        expect(text).toMatch(/^better than full fine-tuning/);
        expect(interval.low).toBeGreaterThan(0);
        expect(told.at(-1)).toBeGreaterThanOrEqual(interval.high - 1e-9);
        if (told.length > 1) expect(told[0]).toBeLessThanOrEqual(interval.low + 1e-9);
        break;
      case 'equal':
      case 'undecided': {
        const shown = decision === 'equal' ? equivalenceInterval : interval;
        expect(text).toMatch(decision === 'equal' ? /^within / : /^not told apart/);
        expect(told.at(-2)).toBeLessThanOrEqual((shown?.low ?? 0) + 1e-9);
        expect(told.at(-1)).toBeGreaterThanOrEqual((shown?.high ?? 0) - 1e-9);
      }
    }
  }
});

describe('judged ratios', () => {
  it("has SciPy's interval and p of the logarithms", () => {
    const { ratios, mean: expected, low, high } = oracle.ratios;
    const [judged] = judgeRatios([ratios]);
    expect(judged?.ratio).toBeCloseTo(expected, 10);
    expect(judged?.interval?.low).toBeCloseTo(low, 8);
    expect(judged?.interval?.high).toBeCloseTo(high, 8);
    expect(judged?.decision).toBe('less');
  });

  it('says less or more only where the interval excludes 1, and words it no narrower', () => {
    const decisions = new Set<string>();
    for (let trial = 0; trial < 300; trial += 1) {
      const [next, normal] = [uniforms(trial + 1), normals(trial + 1)];
      const lists = Array.from({ length: 1 + Math.floor(next() * 5) }, () => {
        const [middle, spread] = [normal() / 2, next()];
        return Array.from({ length: 2 + Math.floor(next() * 5) }, () => Math.exp(middle + spread * normal()));
      });
      for (const { decision, interval } of judgeRatios(lists)) {
        decisions.add(decision);
        if (!interval) throw new Error('two pairs at least');
        expect(decision).toBe(interval.high < 1 ? 'less' : interval.low > 1 ? 'more' : 'undecided');
        const [low = 0, high = 0] = [...timesInWords(interval).matchAll(/\d+(\.\d+)?(e[-+]\d+)?/g)].map(([value]) =>
          Number(value),
        );
        expect(low).toBeLessThanOrEqual(interval.low * (1 + 1e-6));
        expect(high).toBeGreaterThanOrEqual(interval.high * (1 - 1e-6));
      }
    }
    expect([...decisions].sort()).toEqual(['less', 'more', 'undecided']);
  });

  it('has no interval for one pair, and none for spread where there is none', () => {
    expect(judgeRatios([[0.5]])[0]).toMatchObject({ interval: null, decision: 'undecided' });
    expect(judgeRatios([[0.5, 0.5]])[0]).toMatchObject({ interval: { low: 0.5, high: 0.5 }, decision: 'less' });
    expect(variance([1, 1])).toBe(0);
  });
});

it('tells no difference of shares beyond 100 points, however wide the interval of two seeds is', () => {
  const [gap] = judgeGaps([{ mean: 2, error: 50, degrees: 1, seeds: 2, rows: 100 }], measureKinds.macroF1, 1);
  expect(gap?.interval).toEqual({ low: -100, high: 100 });
  expect(gap?.decision).toBe('undecided');
});
