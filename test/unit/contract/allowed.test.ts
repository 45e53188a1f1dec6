import { expect, it } from 'vitest';
import { z } from 'zod';
import { allowedAt, allowedKeys } from '../../../electron/contract/allowed.js';
import { planSchema, trainingSchema } from '../../../electron/contract/plan.js';

it.each<[z.ZodType, string]>([
  [z.int(), 'a whole number'],
  [z.int().min(1).max(9), 'a whole number from 1 to 9'],
  [z.number().positive().max(10), 'a number above 0 and of at most 10'],
  [z.number().min(0).lt(1), 'a number of 0 or more and below 1'],
  [z.boolean(), 'true or false'],
  [z.string(), 'a text'],
  [z.enum(['a', 'b']).nullable(), 'one of "a", "b", or null'],
  [z.union([z.literal('all'), z.array(z.string()).min(1)]), '"all", or a list of one or more, each a text'],
  [z.record(z.string(), z.int().min(2)), 'an object in which each value is a whole number of 2 or more'],
  [z.object({ inner: z.string() }), 'an object'],
  [z.unknown(), 'any value'],
])('says in words what a value may be (%#)', (schema, words) => {
  expect(allowedKeys(z.object({ key: schema })).get('key')?.words).toBe(words);
});

it('finds a place by its path, through what may be null and through keys of the user', () => {
  expect(allowedAt(planSchema, ['training', 'seed'])).toEqual({
    words: 'a whole number from 0 to 4294967295',
    preset: '1',
    about: null,
  });
  expect(allowedAt(planSchema, ['training', 'classWeights', 'animal'])?.words).toBe('a number above 0');
  expect(allowedAt(z.object({ list: z.array(z.int().max(3)) }), ['list', 7])?.words).toBe(
    'a whole number of at most 3',
  );
  expect(allowedAt(planSchema, ['training', 'speed'])).toBeNull();
});

it('lists the keys with preset and purpose', () => {
  const keys = allowedKeys(trainingSchema);
  expect([...keys.keys()]).toEqual(Object.keys(trainingSchema.shape));
  expect(keys.get('batchSize')).toEqual({
    words: 'a whole number from 1 to 4096',
    preset: '16',
    about: 'Examples an optimizer step',
  });
});

it.each(['constructor', 'toString', '__proto__'])('finds nothing at %s, which every object has', (key) => {
  expect(allowedAt(z.strictObject({ rank: z.int() }), [key])).toBeNull();
});
