/** Mutations of a JSON value by its structure, so that what comes out is still JSON and gets past the parser. */
import fc, { type Arbitrary } from 'fast-check';
import { badNumbers, place, type Change } from './bytes.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const deep = (levels: number): Json => {
  let value: Json = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

const badValue: Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    '',
    [],
    {},
    '../../../escape',
    '/etc/passwd',
    '__proto__',
    'NaN',
    '\0',
    '\ud800',
  ),
  fc.constantFrom<Json>(...badNumbers),
  fc.constantFrom<Json>(deep(20), deep(700)),
  fc.constantFrom<Json>('x'.repeat(20_000), Array<Json>(2000).fill(0), Array<Json>(300).fill('')),
  fc.jsonValue({ maxDepth: 3 }) as Arbitrary<Json>,
  fc.string({ unit: 'binary' }),
);
const badKey = fc.constantFrom('__proto__', 'constructor', 'toString', '', 'length', '../x', 'a'.repeat(300));

type Holder = Json[] | { [key: string]: Json };
const isHolder = (value: Json): value is Holder => typeof value === 'object' && value !== null;

/** All holders of a value, itself first; of large ones as many as are enough. */
function holders(value: Json): Holder[] {
  const found: Holder[] = [];
  const open: Json[] = [value];
  while (open.length > 0 && found.length < 3000) {
    const next = open.shift() as Json;
    if (!isHolder(next)) continue;
    found.push(next);
    open.push(...Object.values(next).slice(0, 500));
  }
  return found;
}

const pick = <T>(list: readonly T[], at: number): T | undefined => list[Math.floor(at * list.length)];
const set = (holder: Holder, key: string, value: Json) =>
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });

/** One change of a JSON value. */
export const valueChange: Arbitrary<Change<Json>> = fc
  .record({
    holder: fc.oneof(place, fc.double({ min: 0, max: 0.2, noNaN: true })),
    entry: place,
    other: place,
    kind: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'rename', 'swap', 'wrap', 'repeat', 'add'),
    value: badValue,
    key: badKey,
  })
  .map(({ holder: at, entry, other, kind, value, key: name }): Change<Json> => (old) => {
    const whole = structuredClone(old);
    const all = holders(whole);
    const holder = pick(all, at);
    const key = holder && pick(Object.keys(holder), entry);
    if (holder === undefined || key === undefined) return structuredClone(value);
    const own = Reflect.get(holder, key) as Json;
    if (kind === 'replace') set(holder, key, structuredClone(value));
    else if (kind === 'wrap') set(holder, key, [own]);
    else if (kind === 'add' && !Array.isArray(holder)) set(holder, name, structuredClone(value));
    else if (kind === 'repeat') set(holder, key, Array<Json>(JSON.stringify(own).length < 20_000 ? 50 : 2).fill(own));
    else if (kind === 'swap') {
      const second = pick(Object.keys(holder), other) ?? key;
      set(holder, key, Reflect.get(holder, second) as Json);
      set(holder, second, own);
    } else if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else {
      Reflect.deleteProperty(holder, key);
      if (kind === 'rename') set(holder, name, own);
    }
    return whole;
  });
