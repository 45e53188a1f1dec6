/** Plans as the window and the command give them: checked whole, defaults filled in, errors by the key's path. */
import { basename } from 'node:path';
import { z } from 'zod';
import { allowedAt, allowedKeys, type AllowedKey } from '../contract/allowed.js';
import { StudioError } from '../contract/errors.js';
import {
  askedPlanSchema,
  matrixSchema,
  trainingSchema,
  type AskedPlan,
  type Composition,
  type Matrix,
  type MethodOptions,
  type Plan,
} from '../contract/plan.js';
import { studySchema, type StudyPlan } from '../contract/study.js';
import { verbalizerSchema } from '../contract/verbalizer.js';
import { describeMethod, EngineError, listMethods, validateMethod } from '../engine/index.js';

function check<T extends z.ZodType>(schema: T, value: unknown, what = 'plan'): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => (path ? `${path}.${key}` : key)).join(', ');
    throw new StudioError(
      'bad-input',
      `${keys}: not a key of a ${what}.`,
      `Allowed ${path ? `in ${path}` : 'here'}: ${keysAt(schema, issue.path).join(', ')}.`,
      { path: keys },
    );
  }
  const allowed = path === '' ? null : allowedAt(schema, issue?.path ?? []);
  throw new StudioError(
    'bad-input',
    `${path || what}: ${issue?.message ?? 'is not valid'}.`,
    allowed === null ? `See the ${what} in the help.` : takes(path, allowed),
    { path },
  );
}

const takes = (path: string, { words, preset }: AllowedKey) =>
  `${path} takes ${words}${preset === null ? '' : `; ${preset} where it is left out`}.`;

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const nested =
    path.includes('training') || path.includes('overrides')
      ? trainingSchema
      : path.includes('verbalizer')
        ? verbalizerSchema
        : schema;
  return nested instanceof z.ZodObject ? Object.keys(nested.shape) : [];
}

function method(options: MethodOptions, path: string): MethodOptions {
  if (namesParts(options)) return options;
  try {
    return validateMethod(options);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const own = listMethods().find(({ type }) => type === options.type);
    const key = /^method\.(\w+)$/.exec(String(error.context['path']))?.[1];
    const allowed = own && key ? allowedAt(own.options, [key]) : null;
    throw new StudioError(
      'bad-input',
      error.message.replace(/^method/, path),
      allowed === null ? error.hint : takes(`${path}.${key}`, allowed),
      { ...error.context, path: String(error.context['path'] ?? path).replace(/^method/, path) },
      { cause: error },
    );
  }
}

/** Throws StudioError 'bad-input' naming the key's path and what is allowed. */
export function parsePlan(value: unknown): AskedPlan {
  const plan = check(askedPlanSchema, value);
  // The method of a composition follows from its parts (compositions.ts).
  return plan.composition ? plan : { ...plan, method: method(plan.method, 'method') };
}

/** Throws StudioError 'bad-input' as `parsePlan` does. */
export function parseMatrix(value: unknown): Matrix {
  const matrix = check(matrixSchema, value);
  return { ...matrix, methods: matrix.methods.map((options, i) => method(options, `methods.${i}`)) };
}

/** Throws StudioError 'bad-input' as `parsePlan` does. */
export function parseStudy(value: unknown): StudyPlan {
  const study = check(studySchema, value, 'study');
  return { ...study, methods: study.methods.map((options, i) => method(options, `methods.${i}`)) };
}

/** One plan a method and seed, methods first. */
export function expandMatrix(matrix: Matrix): AskedPlan[] {
  const { methods, seeds, overrides, method: _, ...shared } = matrix;
  return methods.flatMap((options) =>
    seeds.map((seed) =>
      parsePlan({ ...shared, method: options, training: { ...shared.training, ...overrides?.[options.type], seed } }),
    ),
  );
}

/** "LoRA" and "r 8, query value", or with a verbalizer "r 8, query value, verbalizer", of a further round "…, on run 12". */
export function namesOf({
  method: options,
  composition,
  verbalizer,
  refines,
}: Pick<Plan, 'method' | 'composition' | 'verbalizer' | 'refines'>): {
  methodName: string;
  setting: string;
} {
  const [methodName = '', ...setting] = describeMethod(options).split(', ');
  const more = [
    ...(composition ? [inWords(composition)] : []),
    ...(verbalizer ? ['verbalizer'] : []),
    ...(refines === undefined ? [] : [`on run ${refines}`]),
  ];
  return { methodName, setting: [...setting, ...more].join(', ') };
}

/** "0.5 × run 3 + 0.5 × run 5" */
function inWords({ kind, parts }: Composition): string {
  const names = parts.map(({ from }) => (typeof from === 'number' ? `run ${from}` : basename(from)));
  if (kind === 'stack' || kind === 'fusion') return names.join(kind === 'stack' ? ' below ' : ' and ');
  const terms = parts.map(({ weight }, i) => {
    const size = Math.abs(weight) === 1 ? '' : `${Math.abs(weight)} × `;
    const sign = weight < 0 ? '− ' : i > 0 ? '+ ' : '';
    return `${sign}${size}${names[i]}`;
  });
  return `${kind === 'average' ? 'mean of ' : ''}${terms.join(' ')}`;
}

/** Does a method name the runs or folders that it is made of, which the project has yet to look up? */
export const namesParts = (options: MethodOptions): options is MethodOptions & { adapters: (number | string)[] } => {
  const { adapters } = options;
  return (
    Array.isArray(adapters) &&
    adapters.length > 0 &&
    adapters.every((from) => typeof from === 'number' || typeof from === 'string')
  );
};

const lines = (schema: z.ZodType, skipped: readonly string[] = []) =>
  [...allowedKeys(schema)]
    .filter(([key]) => !skipped.includes(key))
    .map(([key, { words, preset, about }]) =>
      [`  ${key}: ${words}`, preset === null ? '' : `; default ${preset}`, about === null ? '' : `. ${about}`].join(''),
    );

/** The keys of a study with what each may be, as lines. */
export const studyKeys = (): string[] => [
  'Keys of a study:',
  ...lines(studySchema),
  '`peft-studio run --help` lists the keys of "methods" (as "method") and of "training".',
];

/** The keys of a plan with what each may be, as lines. */
export function planKeys(): string[] {
  return [
    'Keys of a plan:',
    ...lines(askedPlanSchema, ['method', 'training', 'verbalizer']),
    'Keys of "verbalizer" (null where it is left out: classification by a head):',
    ...lines(verbalizerSchema),
    'Keys of "training":',
    ...lines(trainingSchema),
    ...listMethods().flatMap(({ type, title, options }) => {
      const own = lines(options, ['type']);
      return own.length > 0 ? [`Keys of "method" with "type": "${type}" (${title}):`, ...own] : [];
    }),
    `Types without keys of their own: ${listMethods()
      .filter(({ options }) => allowedKeys(options).size <= 1)
      .map(({ type }) => type)
      .join(', ')}`,
  ];
}
