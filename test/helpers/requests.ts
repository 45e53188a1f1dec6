/** Requests made from a call's own schema, so that they get past it: with every text, name and path the same, and numbers of things that are not there. */
import fc, { type Arbitrary } from 'fast-check';
import { z } from 'zod';

type Schema = z.core.JSONSchema.BaseSchema;

/** Numbers of nothing that a fresh folder holds. */
const foreignNumbers = [999_999, 2 ** 31 - 1, Number.MAX_SAFE_INTEGER];

function arbitraryOf(schema: Schema, word: string, depth: number): Arbitrary<unknown> {
  const of = (inner: unknown) => arbitraryOf((inner ?? {}) as Schema, word, depth + 1);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map(of));
  if (schema.allOf) return of(schema.allOf[0]);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object': {
      const entries = Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, of(inner)] as const);
      // Free keys as methods have them: adapters are paths or runs.
      const free = schema.additionalProperties !== false && entries.length > 0;
      const known = free ? [...entries, ['adapters', fc.constant([word])] as const] : entries;
      if (entries.length > 0)
        return fc.record(Object.fromEntries(known), { requiredKeys: [...(schema.required ?? [])] });
      return typeof schema.additionalProperties === 'object'
        ? fc.dictionary(fc.constant(word.slice(0, 200)), of(schema.additionalProperties), { maxKeys: 1 })
        : fc.constant({});
    }
    case 'array':
      return fc.array(of(schema.items), {
        minLength: Math.max(1, schema.minItems ?? 0),
        maxLength: Math.max(2, schema.minItems ?? 0),
      });
    case 'string':
      return fc.constantFrom(word, 'name');
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'integer':
    case 'number': {
      const bound = (value: number | boolean | undefined) => (typeof value === 'number' ? value : undefined);
      const above = bound(schema.exclusiveMinimum);
      const least = bound(schema.minimum) ?? (above === undefined ? -1e6 : above + 1e-3);
      const most = bound(schema.maximum) ?? bound(schema.exclusiveMaximum) ?? Infinity;
      const fitting = foreignNumbers.filter((one) => one >= least && one <= most);
      const small = schema.type === 'integer' ? Math.ceil(least) : Math.max(least, 1e-3);
      return fitting.length > 0 ? fc.constantFrom(...fitting) : fc.constantFrom(Math.min(small, most), most);
    }
    default:
      return fc.constantFrom<unknown>(word, 999_999, null);
  }
}

/** Requests of a call; the same seed gives the same. */
export function requestsOf(input: z.ZodType, word: string, count: number, seed: number): unknown[] {
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  return fc.sample(arbitraryOf(schema, word, 0), { numRuns: count, seed });
}

/** Places of a text in a request: "plan.method.adapters". */
export function placesOf(value: unknown, word: string, path: readonly string[] = []): string[] {
  if (value === word) return [path.join('.')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    placesOf(inner, word, Array.isArray(value) ? path : [...path, key]),
  );
}
