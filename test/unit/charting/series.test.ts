import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bounded, logTicks, nearest, niceStep } from '../../../electron/charting/series.js';

describe('bounded', () => {
  const samples = fc
    .array(fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { nil: null }), { minLength: 1, maxLength: 400 })
    .map((ys) => ys.map((y, x) => ({ x, y })));

  it('keeps order, ends, the highest and the lowest value within the limit', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 4, max: 60 }), (list, limit) => {
        const out = bounded(list, limit);
        expect(out.length).toBeLessThanOrEqual(Math.max(limit, 4));
        expect(out.every((s, i) => i === 0 || s.x > (out[i - 1]?.x ?? -1))).toBe(true);
        expect(out[0]).toBe(list[0]);
        expect(out.at(-1)).toBe(list.at(-1));
        const ys = (all: readonly { y: number | null }[]) => all.flatMap((s) => (s.y === null ? [] : [s.y]));
        if (ys(list).length > 0) {
          expect(Math.max(...ys(out))).toBe(Math.max(...ys(list)));
          expect(Math.min(...ys(out))).toBe(Math.min(...ys(list)));
        }
      }),
    );
  });

  it('gives a short series back as it is', () => {
    const list = [
      { x: 1, y: 2 },
      { x: 2, y: null },
    ];
    expect(bounded(list, 4)).toBe(list);
  });

  it('keeps a peak of one step among a hundred thousand', () => {
    const list = Array.from({ length: 100_000 }, (_, x) => ({ x, y: x === 54_321 ? 9 : 1 }));
    expect(bounded(list, 500)).toContainEqual({ x: 54_321, y: 9 });
  });

  it('refuses a limit that cannot hold the ends and a pair', () => {
    expect(() => bounded([], 3)).toThrow(/limit is 3/);
  });
});

describe('nearest', () => {
  it('agrees with looking at every sample', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 1 }),
        fc.double({ min: -50, max: 550, noNaN: true }),
        (xs, x) => {
          const list = xs.sort((a, b) => a - b).map((value) => ({ x: value }));
          const found = list[nearest(list, x)]?.x ?? Number.NaN;
          expect(Math.abs(found - x)).toBe(Math.min(...list.map((s) => Math.abs(s.x - x))));
        },
      ),
    );
  });
  it('says -1 for an empty series', () => expect(nearest([], 3)).toBe(-1));
});

describe('axis steps', () => {
  it('divides a span into at most the parts asked for, by round numbers', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), fc.integer({ min: 1, max: 12 }), (span, count) => {
        const step = niceStep(span, count);
        expect(step * count).toBeGreaterThanOrEqual(span * (1 - 1e-6));
        const mantissa = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
        expect([1, 2, 2.5, 5, 10].some((m) => Math.abs(mantissa - m) < 1e-6)).toBe(true);
      }),
    );
    expect(niceStep(2000, 5)).toBe(500);
    expect(niceStep(0, 5)).toBe(1);
  });

  it('encloses a logarithmic range between the next 1, 2 or 5 on each side', () => {
    expect(logTicks(0.13, 1.7)).toEqual([0.1, 0.2, 0.5, 1, 2]);
    expect(logTicks(1, 10)).toEqual([1, 2, 5, 10]);
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1e3, noNaN: true }),
        fc.double({ min: 1.01, max: 1e4, noNaN: true }),
        (low, factor) => {
          const ticks = logTicks(low, low * factor);
          expect(ticks[0]).toBeLessThanOrEqual(low);
          expect(ticks.at(-1)).toBeGreaterThanOrEqual(low * factor);
          expect(ticks.slice(1, -1).every((t) => t >= low / 5 && t <= low * factor * 5)).toBe(true);
        },
      ),
    );
  });
});
