/**
 * Prefix tuning (Li & Liang 2021, arXiv:2101.00190): in every layer, m trained keys and values before those of the text.
 * With projection, an MLP over m trained embeddings computes them while training, in Hugging Face peft's formulas and names;
 * what is kept of a run are the keys and values. The text's positions begin behind the prefix, as transformers has it for past
 * keys and values; masks let every token see it.
 */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { Initializer, StartSource } from '../models/builder.js';
import type { AttentionSite, Hooks, PastKeyValues } from '../models/types.js';
import type { NamedTensors, Tensor } from '../types.js';
import { addedDense, denseStart } from './dense.js';
import { smallestWeights } from './least-squares.js';
import { registerMethod, type PeftContext } from './method.js';
import { attentionSites, embeddingsOf, fileTensor, noPrefixes, promptConfig, promptKeys } from './prompt-files.js';
import { encoderHiddenSize, idsOfText, initText, numVirtualTokens } from './virtual.js';

const prefixProjection = z
  .boolean()
  .describe('Computes keys and values by an MLP while training; it is dropped from what is kept');
const startShape = {
  initialization: z
    .enum(['random', 'text'])
    .default('random')
    .describe('random: normal numbers; text: the keys and values that the base gives the words of initText'),
  initText,
};

const options = z.strictObject({
  type: z.literal('prefix'),
  numVirtualTokens: numVirtualTokens(),
  prefixProjection: prefixProjection.default(false),
  encoderHiddenSize,
  ...startShape,
});

/** Options of the prefix of a hybrid: so many tokens, and an MLP of so many units. */
export const prefixShape = ({ tokens, hidden }: { readonly tokens: number; readonly hidden: number }) => ({
  numVirtualTokens: numVirtualTokens().removeDefault().default(tokens),
  prefixProjection: prefixProjection.default(true),
  encoderHiddenSize: encoderHiddenSize.unwrap().default(hidden).describe('Width of the MLP'),
  ...startShape,
});

/** What a prefix is made of, whichever method it belongs to. */
export type PrefixOptions = Omit<z.output<typeof options>, 'type'>;

const encoder = 'prompt_encoder';
const names = {
  embedding: `${encoder}.embedding.weight`,
  inner: `${encoder}.transform.0`,
  outer: `${encoder}.transform.2`,
} as const;

const partOf = (site: AttentionSite, part: keyof PastKeyValues) => `${site.module}.prefix.${part}`;
/** In this order in peft's tensor, layer by layer. */
const parts = ['keys', 'values'] as const;

/** Keys and values as parameters of each layer, [m, width]; `start` is asked with the projection that makes the layer's own. */
export function prefixOf(tokens: number, start: (projection: string) => Initializer): NonNullable<Hooks['prefix']> {
  return {
    tokens,
    positions: true,
    keysValues(b, site) {
      const own = (part: keyof PastKeyValues, projection: string) =>
        b.g.reshape(b.added(partOf(site, part), [tokens, site.width], start(projection)), [tokens, 1, site.width]);
      return { keys: own('keys', site.keyModule), values: own('values', site.valueModule) };
    },
  };
}

/** Keys and values as the output of peft's PrefixEncoder: W₂ tanh(W₁ e + b₁) + b₂, layer by layer a key and a value. */
function projectedPrefix(o: PrefixOptions): NonNullable<Hooks['prefix']> {
  const tokens = o.numVirtualTokens;
  // Filled as the layers are built; the start from a text needs all of them.
  const projections: string[] = [];
  return {
    tokens,
    positions: true,
    keysValues(b, site) {
      const inner = o.encoderHiddenSize ?? site.width;
      if (o.initialization === 'text' && inner < tokens)
        throw new EngineError(
          'bad-input',
          `method.encoderHiddenSize: a width of ${inner} cannot give ${tokens} virtual tokens the keys and values of a text.`,
          `Use ${tokens} or more, or start at random.`,
          { path: 'method.encoderHiddenSize' },
        );
      projections[2 * site.layer] = site.keyModule;
      projections[2 * site.layer + 1] = site.valueModule;
      const outputs = 2 * site.layers * site.width;
      const embedded = b.added(names.embedding, [tokens, site.width], { normal: 1 });
      const hidden = b.g.tanh(addedDense(b, names.inner, embedded, site.width, inner));
      const all = addedDense(
        b,
        names.outer,
        hidden,
        inner,
        outputs,
        o.initialization === 'text'
          ? { weight: { from: (source) => weightsOfText(source, o, projections, { width: site.width, inner }) } }
          : {},
      );
      const own = (part: keyof PastKeyValues, index: number) => {
        const rows = b.g.slice(all, 1, index * site.width, (index + 1) * site.width);
        return b.g.reshape(b.keep(partOf(site, part), rows), [tokens, 1, site.width]);
      };
      return { keys: own('keys', 2 * site.layer), values: own('values', 2 * site.layer + 1) };
    },
  };
}

/** Weights of the MLP's last layer by which it starts with the keys and values of a text. */
async function weightsOfText(
  source: StartSource,
  o: PrefixOptions,
  projections: readonly string[],
  { width, inner }: { readonly width: number; readonly inner: number },
): Promise<Float32Array> {
  const rows = o.numVirtualTokens;
  const ids = await idsOfText(source, o.initText, rows);
  const outputs = projections.length * width;
  const bias = source.drawn(`${names.outer}.bias`, outputs, denseStart(inner));
  const targets = new Float32Array(rows * outputs);
  for (const [at, module] of projections.entries()) {
    const { data } = await source.activations(ids, module);
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < width; i++) {
        const column = at * width + i;
        targets[row * outputs + column] = (data[row * width + i] as number) - (bias[column] as number);
      }
  }
  const embedded = source.drawn(names.embedding, rows * width, { normal: 1 });
  const weight = source.drawn(`${names.inner}.weight`, inner * width, denseStart(width));
  const innerBias = source.drawn(`${names.inner}.bias`, inner, denseStart(width));
  const hidden = new Float32Array(rows * inner);
  for (let row = 0; row < rows; row++)
    for (let j = 0; j < inner; j++) {
      let sum = innerBias[j] as number;
      for (let i = 0; i < width; i++) sum += (embedded[row * width + i] as number) * (weight[j * width + i] as number);
      hidden[row * inner + j] = Math.tanh(sum);
    }
  return smallestWeights(hidden, targets, { rows, width: inner, outputs });
}

/** Encoders that take no past keys and values in transformers, so that peft has no prefix tuning for them. */
const withoutPast = new Set(['distilbert']);

/** Of peft folders for encoders; see test/oracle/README.md. */
const encoderNote =
  'peft hands a prefix of an encoder to transformers as `past_key_values`. It was seen to work with peft 0.21 and transformers 4.49; versions that call it `cache` need the argument renamed.';

/** All keys and values as one tensor [tokens, 2·layers·width], layer by layer a key and a value. Throws EngineError 'bad-input'. */
export function packPrefix(trained: NamedTensors, sites: readonly AttentionSite[], tokens: number): Tensor {
  const width = sites[0]?.width ?? 0;
  const columns = 2 * sites.length * width;
  const data = new Float32Array(tokens * columns);
  for (const [layer, site] of sites.entries())
    for (const [part, name] of parts.entries()) {
      const own = trained.get(partOf(site, name));
      if (!own) throw new EngineError('bad-input', `The run does not hold ${partOf(site, name)}.`);
      for (let row = 0; row < tokens; row++)
        data.set(own.data.subarray(row * width, (row + 1) * width), row * columns + (2 * layer + part) * width);
    }
  return { shape: [tokens, columns], data };
}

/** Keys and values of each layer from such a tensor. Throws EngineError 'bad-file' where it is of another base; `name` is the tensor's. */
export function unpackPrefix(
  { shape, data }: Tensor,
  sites: readonly AttentionSite[],
  tokens: number,
  name: string,
): NamedTensors {
  const width = sites[0]?.width ?? 0;
  const columns = 2 * sites.length * width;
  if (shape.join() !== [tokens, columns].join())
    throw new EngineError(
      'bad-file',
      `${name} is [${shape.join(', ')}]; ${tokens} tokens and ${sites.length} layers of width ${width} need [${tokens}, ${columns}].`,
      'Choose the base model that the adapter was trained on.',
    );
  const rows = (at: number) => {
    const own = new Float32Array(tokens * width);
    for (let row = 0; row < tokens; row++)
      own.set(data.subarray(row * columns + at * width, row * columns + (at + 1) * width), row * width);
    return { shape: [tokens, width], data: own };
  };
  return new Map(
    sites.flatMap((site, layer) => parts.map((part, i) => [partOf(site, part), rows(2 * layer + i)] as const)),
  );
}

/** A peft folder of keys and values, one tensor [tokens, 2·layers·width]; `inner` is the width of an MLP that computed them. Throws EngineError 'bad-input' where peft could not run it. */
export function prefixFiles(
  trained: NamedTensors,
  context: PeftContext,
  { tokens, inner = null }: { readonly tokens: number; readonly inner?: number | null },
): { config: Readonly<Record<string, unknown>>; tensors: NamedTensors; note?: string } {
  if (withoutPast.has(context.architecture.type))
    throw new EngineError(
      'bad-input',
      `peft has no prefix tuning for ${context.architecture.type}: transformers passes it no keys and values.`,
      "Export it as ONNX, or as the studio's own folder.",
    );
  const sites = attentionSites(context);
  const width = sites[0]?.width ?? 0;
  return {
    config: {
      ...promptConfig(context, tokens),
      encoder_hidden_size: inner ?? width,
      init_weights: null,
      peft_type: 'PREFIX_TUNING',
      prefix_projection: inner !== null,
      token_dim: width,
    },
    tensors: new Map([[fileTensor, packPrefix(trained, sites, tokens)]]),
    ...(context.architecture.reads === 'first' ? { note: encoderNote } : {}),
  };
}

/** Where keys and values without an MLP start. */
function start(o: PrefixOptions): (projection: string) => Initializer {
  if (o.initialization === 'random') return () => ({ normal: 1 });
  return (projection) => ({
    from: async (source) =>
      (await source.activations(await idsOfText(source, o.initText, o.numVirtualTokens), projection)).data,
  });
}

/** Trained keys and values, or those of an MLP. */
export const prefixHook = (o: PrefixOptions): NonNullable<Hooks['prefix']> =>
  o.prefixProjection ? projectedPrefix(o) : prefixOf(o.numVirtualTokens, start(o));

registerMethod({
  type: 'prefix',
  title: 'Prefix tuning',
  family: 'prompt',
  marker: 'triangle-down',
  colour: 'cat-4',
  learningRate: 1e-2,
  exports: ['peft', 'onnx'],
  summary: 'Trains keys and values in every layer that each word of the text can attend to.',
  help: `**What trains.** In each layer m keys and m values, before those of the text. Every word attends to them as if they belonged to words before it. The weights stay as they are.

**When to use it.** When soft prompts before the text are too weak, since a prefix speaks to every layer, and when one base should serve many tasks at once: two texts of one batch may have different prefixes.

**Options.** With projection an MLP computes the keys and values while training, which the paper found steadier; it trains many more numbers, which are dropped at the end: what is kept and exported are the keys and values. They start from random numbers, or from the keys and values that the base itself gives the words of a text. A prefix of m tokens takes m positions from the longest text.

Li & Liang 2021, *Prefix-Tuning: Optimizing Continuous Prompts for Generation*.`,
  options,
  describe: (o) =>
    [
      `${o.numVirtualTokens} tokens`,
      ...(o.prefixProjection ? ['projected'] : []),
      ...(o.initialization === 'text' ? [`from "${o.initText}"`] : []),
    ].join(', '),
  trains: () => false,
  positions: (o) => o.numVirtualTokens,
  kept: (o) => (o.prefixProjection ? { ...o, prefixProjection: false } : null),
  hooks: (o) => ({ prefix: prefixHook(o) }),
  peft: {
    peftType: 'PREFIX_TUNING',
    start: () => ({ reason: noPrefixes }),
    modelTensors: [fileTensor],
    promptLearning: true,
    config: promptKeys,
    write: (o, trained, context) =>
      prefixFiles(trained, context, {
        tokens: o.numVirtualTokens,
        inner: o.prefixProjection ? (o.encoderHiddenSize ?? context.model.hiddenSize) : null,
      }),
    // The MLP is not in the folder, whatever its config says of one.
    read: (config, tensors, context) => ({
      method: { type: 'prefix', numVirtualTokens: config.num_virtual_tokens },
      parameters: unpackPrefix(embeddingsOf(tensors), attentionSites(context), config.num_virtual_tokens, fileTensor),
    }),
  },
});
