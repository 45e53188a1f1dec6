import { describe, expect, it } from 'vitest';
import {
  bytes,
  duration,
  durationRange,
  interval,
  number,
  NO_VALUE,
  outward,
  percent,
  plural,
  scientific,
  shortCount,
  signed,
  timeLeft,
  trainedShare,
  when,
} from '../../../electron/charting/format.js';

describe('number', () => {
  it('separates thousands and takes the minus sign of the typographer', () => {
    expect(number(22713216)).toBe('22,713,216');
    expect(number(-1234.56, 1)).toBe('\u22121,234.6');
  });
  it('gives no sign to what rounds to zero, and no digits to what is no number', () => {
    expect(number(-0.04, 1)).toBe('0.0');
    expect(number(Number.NaN)).toBe(NO_VALUE);
    expect(number(Number.POSITIVE_INFINITY)).toBe(NO_VALUE);
  });
  it('signs differences', () => {
    expect(signed(0.31)).toBe('+0.3');
    expect(signed(-2.1)).toBe('\u22122.1');
    expect(signed(0.01)).toBe('0.0');
  });
});

describe('shares', () => {
  it('writes a share of one in percent', () => expect(percent(0.9184)).toBe('91.8'));
  it.each([
    [147456, 22713216, '0.65'],
    [13824, 22713216, '0.061'],
    [7680, 22713216, '0.034'],
    [22713216, 22713216, '100'],
    [0, 22713216, '0'],
    [22713215, 22713216, '99.9'],
    [12, 22713216, '0.000053'],
  ])('%d of %d train: %s %%', (trained, total, text) => {
    expect(trainedShare(trained, total)).toBe(text);
  });
});

describe('counts and sizes', () => {
  it.each([
    [999, '999'],
    [22713216, '22.7 M'],
    [134515008, '135 M'],
    [30522, '30.5 k'],
    [8000, '8,000'],
    [1.1e9, '1.1 G'],
  ])('%d is short %s', (value, text) => expect(shortCount(value)).toBe(text));
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [7_940_000, '7.94 MB'],
    [412e6, '412 MB'],
    [90.9e6, '90.9 MB'],
    [999_600, '1.00 MB'],
    [1.18e11, '118 GB'],
  ])('%d bytes are %s', (value, text) => expect(bytes(value)).toBe(text));
  it('counts one and many', () => {
    expect(plural(1, 'run')).toBe('1 run');
    expect(plural(1200, 'run')).toBe('1,200 runs');
    expect(plural(2, 'check of it', 'checks of it')).toBe('2 checks of it');
  });
});

describe('times', () => {
  it.each([
    [0.44, '0.4 s'],
    [38.2, '38 s'],
    [568, '9 min 28 s'],
    [7500, '2 h 05 min'],
    [59.7, '1 min 00 s'],
  ])('%d s are %s', (seconds, text) => expect(duration(seconds)).toBe(text));
  it('writes an estimate as a range', () => {
    expect(durationRange(300, 420)).toBe('5 to 7 min');
    expect(durationRange(20, 30)).toBe('20 to 30 s');
    expect(durationRange(58, 62)).toBe('58 to 62 s');
    expect(durationRange(298, 302)).toBe('about 5 min');
    expect(durationRange(0.2, 0.5)).toBe('less than 1 s');
    expect(durationRange(5400, 9000)).toBe('1.5 to 2.5 h');
    expect(timeLeft(2)).toBe('a few seconds');
  });
  it('says when: time today, weekday this week, else the date', () => {
    const now = new Date(2026, 10, 24, 21, 0);
    expect(when(new Date(2026, 10, 24, 9, 5).toISOString(), now)).toBe('09:05');
    expect(when(new Date(2026, 10, 22, 18, 20).toISOString(), now)).toBe('Sun 18:20');
    expect(when(new Date(2026, 9, 1, 12, 0).toISOString(), now)).toBe('1 Oct 2026');
    expect(when('nonsense', now)).toBe(NO_VALUE);
  });
});

describe('small numbers and intervals', () => {
  it('uses powers of ten only where plain digits would not do', () => {
    expect(scientific(0.0002)).toBe('2.0 \u00d7 10\u207b\u2074');
    expect(scientific(-3.26e-6)).toBe('\u22123.3 \u00d7 10\u207b\u2076');
    expect(scientific(0.05)).toBe('0.05');
    expect(scientific(0)).toBe('0');
  });
  it('writes an interval with its minus signs', () => expect(interval(-0.9, 0.12)).toBe('\u22120.9 to 0.1'));
});

describe('outward', () => {
  it('never writes an interval narrower than it is', () => {
    expect(outward(-28.123, -0.75)).toEqual(['\u221228.2', '\u22120.7']);
    expect(outward(0.21, 1.69)).toEqual(['+0.2', '+1.7']);
    expect(outward(-0.7, 0.3)).toEqual(['\u22120.7', '+0.3']);
    expect(outward(-1.234, 0.401, 2)).toEqual(['\u22121.24', '+0.41']);
  });
});
