import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { trainingSchema } from '../../../../electron/contract/index.js';
import { faultOf, meaningOf, rangeWords, type NumberLimits } from '../../../../renderer/state/number-fault.js';
import { formFields } from '../../../../renderer/state/schema-form.js';

describe('the range of a number', () => {
  it.each<[NumberLimits, string]>([
    [{ min: 1, max: 64 }, '1 to 64'],
    [{ min: 0, max: 9_007_199_254_740_991 }, 'from 0'],
    [{ min: null, max: null }, ''],
    [{ max: 0.9 }, 'up to 0.9'],
    [{ min: 0, max: 1000, above: true }, 'above 0 to 1000'],
    [{ min: 0, above: true }, 'above 0'],
    [{ min: 0, max: 1, above: true, below: true }, 'above 0 to below 1'],
    [{ min: 0, max: 10, words: ['learned'] }, '0 to 10 or learned'],
  ])('%o', (limits, words) => expect(rangeWords(limits)).toBe(words));
});

describe('a fault', () => {
  const size: NumberLimits = { integer: true, min: 1, max: 4096 };
  it.each<[string, NumberLimits, string | null]>([
    ['16', size, null],
    [' 16 ', size, null],
    ['', size, 'Nothing stands here. Give a whole number: 1 to 4096.'],
    ['', { ...size, optional: true }, null],
    ['abc', size, '"abc" is not a number. Give a whole number: 1 to 4096.'],
    ['1.5', size, '1.5 is not a whole number. Give a whole number: 1 to 4096.'],
    ['0', size, '0 is too small. Give a whole number: 1 to 4096.'],
    ['4097', { ...size, optional: true }, '4097 is too large. Give a whole number: 1 to 4096. Or leave it empty.'],
    ['0,5', { min: 0, max: 1 }, null],
    ['0', { min: 0, above: true }, '0 is too small. Give a number: above 0.'],
    ['1', { min: 0, max: 1, below: true }, '1 is too large. Give a number: 0 to below 1.'],
    ['Infinity', {}, '"Infinity" is not a number. Give a number.'],
    ['learned', { min: 0, max: 1, words: ['learned'] }, null],
    ['taught', { min: 0, max: 1, words: ['learned'] }, '"taught" is not a number. Give a number: 0 to 1 or learned.'],
    // A limit too long to stand in the field is named where it is passed.
    ['20000000', { min: 0, max: 10_000_000 }, '20000000 is too large. Give a number: 0 to 10000000.'],
  ])('of "%s" within %o', (text, limits, fault) => expect(faultOf(text, limits)).toBe(fault));

  it('is told of every number that the schema of a training refuses, and of none that it takes', () => {
    const tried = [-1, 0, 0.5, 1, 3, 4, 5000, 1e9];
    for (const field of formFields(z.toJSONSchema(trainingSchema, { io: 'input' }))) {
      if (field.kind !== 'number') continue;
      for (const value of tried) {
        const taken = trainingSchema.safeParse({ [field.key]: value }).success;
        expect([field.key, value, faultOf(String(value), field) === null]).toEqual([field.key, value, taken]);
      }
    }
  });
});

describe('a text', () => {
  it('means a number, a word or nothing', () => {
    expect(meaningOf(' 0,25 ', [])).toBe(0.25);
    expect(meaningOf('learned', ['learned'])).toBe('learned');
    expect(meaningOf('  ', [])).toBeNull();
    expect(meaningOf('x', [])).toBeNaN();
  });
});
