/** Reads a JSON Schema of options into the fields of a form, so that a method's own schema is the only description of its options. */
import { z } from 'zod';

interface Common {
  readonly key: string;
  readonly title: string;
  readonly description: string | null;
  /** null is a value of its own: the field may stay empty. */
  readonly nullable: boolean;
  /** May be left out: the method then decides by itself. */
  readonly optional: boolean;
  /** Words that an empty field shows: what null means there. */
  readonly empty?: string;
}
export interface NumberField extends Common {
  readonly kind: 'number';
  readonly integer: boolean;
  readonly min: number | null;
  readonly max: number | null;
  /** The lowest, or the highest, is itself not allowed; left out where it is. */
  readonly above?: boolean;
  readonly below?: boolean;
  readonly initial: number | null;
  /** Words that may stand instead of a number: "learned". */
  readonly words: readonly string[];
}
export type FormField =
  | NumberField
  | (Common & { readonly kind: 'flag'; readonly initial: boolean })
  | (Common & { readonly kind: 'choice'; readonly choices: readonly string[]; readonly initial: string | null })
  /** Words; `choices` are all that is allowed, or examples where `open`. */
  | (Common & {
      readonly kind: 'list';
      readonly choices: readonly string[];
      readonly open: boolean;
      /** Its words are numbers. */
      readonly numeric: boolean;
      readonly initial: readonly string[];
    })
  /** Rows of numbers. */
  | (Common & { readonly kind: 'rows'; readonly fields: readonly NumberField[] })
  | (Common & { readonly kind: 'text'; readonly initial: string | null });

const nodeSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  title: z.string().optional(),
  description: z.string().optional(),
  empty: z.string().optional(),
  default: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  examples: z.array(z.unknown()).optional(),
  anyOf: z.array(z.record(z.string(), z.unknown())).optional(),
  oneOf: z.array(z.record(z.string(), z.unknown())).optional(),
  items: z.record(z.string(), z.unknown()).optional(),
});
type Node = z.infer<typeof nodeSchema>;

/** "targetModules" as words: "Target modules"; "mlmProbability": "MLM probability"; "loadIn8bit": "Load in 8 bits". */
export function wordsOf(key: string): string {
  const spaced = key
    .replace(/([a-z0-9])([A-Z])/g, (_, before: string, capital: string) => `${before} ${capital.toLowerCase()}`)
    .replace(/([a-z])(\d+)bit\b/g, '$1 $2 bits');
  return (spaced.charAt(0).toUpperCase() + spaced.slice(1)).replace(/\bmlm\b/i, 'MLM');
}

const strings = (values: readonly unknown[] | undefined): string[] =>
  (values ?? []).filter((value) => typeof value === 'string');

interface Branch {
  readonly node: Node;
  /** Single words among the other branches. */
  readonly words: readonly string[];
  readonly nullable: boolean;
}

/** The branch of a union that a field is made of; a node that is none is its own. */
function branchOf(node: Node): Branch {
  const branches = node.anyOf ?? node.oneOf;
  if (branches) {
    const parsed = branches.map((branch) => nodeSchema.parse(branch));
    const rest = parsed.filter((branch) => branch.type !== 'null');
    // Of several branches a list of words is preferred: the rest are shorthands for it.
    const chosen = rest.find((branch) => branch.type === 'array') ?? rest[0];
    return {
      node: {
        ...chosen,
        title: node.title ?? chosen?.title,
        description: node.description ?? chosen?.description,
        default: node.default ?? chosen?.default,
        examples: node.examples ?? chosen?.examples,
      },
      words: strings(rest.map((branch) => branch.const)),
      nullable: rest.length < parsed.length,
    };
  }
  if (Array.isArray(node.type)) {
    const type = node.type.find((it) => it !== 'null');
    return { node: { ...node, type }, words: [], nullable: node.type.includes('null') };
  }
  return { node, words: [], nullable: false };
}

function fieldOf(key: string, raw: Node, required: boolean): FormField {
  const { node, words, nullable } = branchOf(raw);
  const common: Common = {
    key,
    title: node.title ?? wordsOf(key),
    description: node.description ?? null,
    nullable,
    optional: !required && raw.default === undefined && node.default === undefined,
    ...(raw.empty === undefined ? {} : { empty: raw.empty }),
  };
  const initial = node.default;
  if (node.enum && strings(node.enum).length === node.enum.length)
    return {
      ...common,
      kind: 'choice',
      choices: strings(node.enum),
      initial: typeof initial === 'string' ? initial : null,
    };
  switch (node.type) {
    case 'integer':
    case 'number':
      return {
        ...common,
        kind: 'number',
        integer: node.type === 'integer',
        min: node.minimum ?? node.exclusiveMinimum ?? null,
        max: node.maximum ?? node.exclusiveMaximum ?? null,
        ...(node.minimum === undefined && node.exclusiveMinimum !== undefined ? { above: true } : {}),
        ...(node.maximum === undefined && node.exclusiveMaximum !== undefined ? { below: true } : {}),
        initial: typeof initial === 'number' ? initial : null,
        words,
      };
    case 'boolean':
      return { ...common, kind: 'flag', initial: initial === true };
    case 'array': {
      const fields = formFields(node.items ?? {});
      if (fields.length > 0 && fields.every((field) => field.kind === 'number'))
        return { ...common, kind: 'rows', fields };
      const items = node.items ? nodeSchema.parse(node.items) : null;
      const allowed = strings(items?.enum);
      const start = Array.isArray(initial) ? strings(initial) : [];
      return {
        ...common,
        kind: 'list',
        open: allowed.length === 0,
        numeric: items?.type === 'integer' || items?.type === 'number',
        choices:
          allowed.length > 0
            ? allowed
            : [...new Set([...strings(node.examples?.flat()), ...strings(items?.examples), ...start])],
        initial: start,
      };
    }
    default:
      return { ...common, kind: 'text', initial: typeof initial === 'string' ? initial : null };
  }
}

/** Fields of an object schema in its own order; constants such as a method's type are left out, unknown shapes become text. */
export function formFields(schema: Readonly<Record<string, unknown>>): FormField[] {
  const properties = z.record(z.string(), nodeSchema).safeParse(schema['properties']);
  if (!properties.success) return [];
  const required = z.array(z.string()).catch([]).parse(schema['required']);
  return Object.entries(properties.data)
    .filter(([, node]) => node.const === undefined)
    .map(([key, node]) => fieldOf(key, node, required.includes(key)));
}

/** A number's field that takes at most so much; others stay as they are. */
export const limitedTo = (max: number, field: FormField): FormField =>
  field.kind === 'number' ? { ...field, max: Math.min(field.max ?? max, max) } : field;

/** "Stages" gives "Stage". */
export const oneOf = (title: string): string => title.replace(/s$/, '');
