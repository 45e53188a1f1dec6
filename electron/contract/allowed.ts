/** What a value may be, in words, from the JSON Schema of its zod schema: errors and the command's help say the same (a form's fields have room for a range only: renderer/state/schema-form.ts). */
import { z } from 'zod';

const boundSchema = z.number().optional();
const nodeSchema = z.looseObject({
  /** Several for what may also be null. */
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  minimum: boundSchema,
  maximum: boundSchema,
  exclusiveMinimum: boundSchema,
  exclusiveMaximum: boundSchema,
  minItems: boundSchema,
  minLength: boundSchema,
  maxLength: boundSchema,
  default: z.unknown().optional(),
  description: z.string().optional(),
});
type Node = z.infer<typeof nodeSchema>;

export interface AllowedKey {
  /** "a whole number from 1 to 4096" */
  readonly words: string;
  /** As JSON; null where the key has none. */
  readonly preset: string | null;
  readonly about: string | null;
}

/** zod notes the safe integers as bounds of every whole number; nobody asked for them. */
const isBound = (value: number | undefined): value is number =>
  value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;

function range(node: Node): string {
  const low = isBound(node.minimum) ? node.minimum : null;
  const high = isBound(node.maximum) ? node.maximum : null;
  if (low !== null && high !== null) return ` from ${low} to ${high}`;
  const parts = [
    low === null ? null : `of ${low} or more`,
    isBound(node.exclusiveMinimum) ? `above ${node.exclusiveMinimum}` : null,
    high === null ? null : `of at most ${high}`,
    isBound(node.exclusiveMaximum) ? `below ${node.exclusiveMaximum}` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}

function wordsOf(value: unknown): string {
  const node = nodeSchema.parse(value);
  const choices = node.anyOf ?? node.oneOf;
  if (choices) return [...new Set(choices.map(wordsOf))].join(', or ');
  if (Array.isArray(node.type)) return node.type.map((type) => wordsOf({ ...node, type })).join(', or ');
  if ('const' in node) return JSON.stringify(node.const);
  if (node.enum) return `one of ${node.enum.map((choice) => JSON.stringify(choice)).join(', ')}`;
  switch (node.type) {
    case 'integer':
      return `a whole number${range(node)}`;
    case 'number':
      return `a number${range(node)}`;
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return `a list${node.minItems ? ' of one or more' : ''}, each ${wordsOf(node.items ?? {})}`;
    case 'object':
      return node.properties === undefined && typeof node.additionalProperties === 'object'
        ? `an object in which each value is ${wordsOf(node.additionalProperties)}`
        : 'an object';
    case 'string':
      return 'a text';
    default:
      return 'any value';
  }
}

const describe = (node: Node): AllowedKey => ({
  words: wordsOf(node),
  preset: node.default === undefined ? null : JSON.stringify(node.default),
  about: node.description ?? null,
});

const treeOf = (schema: z.ZodType): Node =>
  nodeSchema.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));

/** The keys of an object's schema, each with what it may be. */
export function allowedKeys(schema: z.ZodType): ReadonlyMap<string, AllowedKey> {
  return new Map(
    Object.entries(treeOf(schema).properties ?? {}).map(([key, node]) => [key, describe(nodeSchema.parse(node))]),
  );
}

/** The node, and whatever it may be instead. */
const alternatives = (node: Node): Node[] => [
  node,
  ...(node.anyOf ?? node.oneOf ?? []).flatMap((one) => alternatives(nodeSchema.parse(one))),
];
/** What an object with keys of the user's own holds under each. */
const valuesOf = ({ additionalProperties }: Node): unknown =>
  typeof additionalProperties === 'object' ? additionalProperties : undefined;

/** A key may be called "constructor", which every object has. */
const own = (properties: Readonly<Record<string, unknown>> | undefined, key: string): unknown =>
  properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;

/** What may stand at a path in a value of `schema`; null where the schema knows no such place. */
export function allowedAt(schema: z.ZodType, path: readonly PropertyKey[]): AllowedKey | null {
  let node = treeOf(schema);
  for (const key of path) {
    const next = alternatives(node)
      .map((one) => (typeof key === 'number' ? one.items : (own(one.properties, String(key)) ?? valuesOf(one))))
      .find((one) => one !== undefined);
    if (next === undefined) return null;
    node = nodeSchema.parse(next);
  }
  return describe(node);
}
