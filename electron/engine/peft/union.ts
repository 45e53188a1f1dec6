/** Hybrids in AdapterHub's folders: a union of configurations, one a part, and the prefix that a pool keeps for all layers. */
import { z } from 'zod';
import type { NamedTensors } from '../types.js';
import type { AdapterHubFormat, HubContext } from './adapterhub.js';
import { EngineError } from '../errors.js';
import { packPrefix, unpackPrefix } from './prefix.js';
import { attentionSites } from './prompt-files.js';

type Config = Readonly<Record<string, unknown>>;

const unionSchema = z.looseObject({
  architecture: z.literal('union'),
  configs: z.array(z.record(z.string(), z.unknown())),
});

/** The parts of a union, each by its "architecture" (a bottleneck has none: ""); null where it is no union. */
function partsOf(config: Config): Map<string, { readonly index: number; readonly config: Config }> | null {
  const parsed = unionSchema.safeParse(config);
  if (!parsed.success) return null;
  return new Map(
    parsed.data.configs.map((part, index) => [String(part['architecture'] ?? ''), { index, config: part }]),
  );
}

/** Is a configuration a union of exactly these parts? */
export function isUnionOf(config: Config, parts: readonly string[]): boolean {
  const found = partsOf(config);
  return found !== null && found.size === parts.length && parts.every((part) => found.has(part));
}

/** Reads one part of a union; issues stand at its own keys. */
export function readPart<S extends z.ZodType>(
  config: Config,
  part: string,
  schema: S,
  context: z.RefinementCtx,
): z.output<S> {
  const found = partsOf(config)?.get(part);
  const parsed = schema.safeParse(found?.config);
  if (parsed.success) return parsed.data;
  for (const { message, path } of parsed.error.issues)
    context.addIssue({ code: 'custom', message, path: ['configs', found?.index ?? 0, ...path] });
  return z.NEVER;
}

/** The library's configuration of a prefix whose keys and values stand for themselves. */
export const hubPrefixConfig = (tokens: number, hidden: number, gated: boolean): Config => ({
  architecture: 'prefix_tuning',
  bottleneck_size: hidden,
  cross_prefix: true,
  dropout: 0.0,
  encoder_prefix: true,
  flat: true,
  init_weights_seed: null,
  leave_out: [],
  non_linearity: 'tanh',
  prefix_length: tokens,
  shared_gating: true,
  use_gating: gated,
});

export const hubPrefixSchema = (gated: boolean) =>
  z.looseObject({
    architecture: z.literal('prefix_tuning'),
    encoder_prefix: z.literal(true, 'only true is supported').optional(),
    bottleneck_size: z.int().positive().default(512),
    leave_out: z.array(z.number()).max(0, 'leaving layers out is not supported').optional(),
    dropout: z.literal(0, 'dropout of a prefix is not supported').optional(),
    prefix_length: z.int().positive(),
    shared_gating: z.literal(true, 'only true is supported').optional(),
    use_gating: z.literal(gated, `only ${gated} is supported here`),
  });

/** The prefix's own options from its configuration. */
export const prefixOptionsOf = (config: { readonly prefix_length: number; readonly bottleneck_size: number }) => ({
  numVirtualTokens: config.prefix_length,
  prefixProjection: false,
  encoderHiddenSize: config.bottleneck_size,
});

/** The library ejects a prefix's MLP on demand, and then still says that it is there ("flat": false): tensors decide. */
const stillProjected = /\.prefix_tunings\.task\.\w+\.(wte|control_trans\.\d)\./;
const pooled = /\.prefix_tunings\.task\.\w+\.control_trans$/;

/** What the pool calls the place of self-attention. */
const placeOf = ({ architecture }: HubContext) => (architecture.type === 'distilbert' ? 'self' : 'self_prefix');

interface Names {
  /** End of a name in the engine and in the file: ".lora_A.weight", ".loras.task.lora_A". */
  readonly engine: string;
  readonly file: string;
}

/** Tensors of a hybrid: names by their ends, and the prefix of all layers as the pool's one vector [tokens·2·layers·width]. */
export function hybridTensors<O extends { readonly numVirtualTokens: number }>(
  names: readonly Names[],
): NonNullable<AdapterHubFormat<O>['tensors']> {
  const renamed = (name: string, from: keyof Names, to: keyof Names) => {
    const known = names.find((pair) => name.endsWith(pair[from]));
    return known ? name.slice(0, -known[from].length) + known[to] : name;
  };
  return {
    toFile(trained, o, context) {
      const { shape, data } = packPrefix(trained, attentionSites(context), o.numVirtualTokens);
      const pool = `${context.architecture.prefix}prefix_tuning.prefix_tunings.task.${placeOf(context)}.control_trans`;
      const others = [...trained].filter(([name]) => !/\.prefix\.(keys|values)$/.test(name));
      return new Map([
        [pool, { shape: [shape.reduce((a, d) => a * d, 1)], data }],
        ...others.map(([name, tensor]) => [renamed(name, 'engine', 'file'), tensor] as const),
      ]);
    },
    fromFile(tensors, method, context) {
      const tokens = z.number().parse(method['numVirtualTokens']);
      const result: NamedTensors = new Map();
      for (const [name, tensor] of tensors) {
        if (stillProjected.test(name))
          throw new EngineError(
            'bad-file',
            `${name} belongs to the MLP of a prefix.`,
            'Call model.eject_prefix_tuning(name) before saving the adapter.',
          );
        if (!pooled.test(name)) {
          result.set(renamed(name, 'file', 'engine'), tensor);
          continue;
        }
        const matrix = { shape: [tokens, tensor.data.length / tokens], data: tensor.data };
        for (const [own, rows] of unpackPrefix(matrix, attentionSites(context), tokens, name)) result.set(own, rows);
      }
      return result;
    },
  };
}
