/**
 * The post-LayerNorm encoder that BERT, RoBERTa and DistilBERT share (Vaswani et al. 2017, Devlin et al. 2018).
 * Hidden states run sequence first, [sequence·batch, hidden], so that heads split and merge without moving data.
 */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import { multiplyDims } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';
import type { BlockSite, EncoderConfig } from './types.js';

export const tokens = multiplyDims('batch', 'sequence');

/** Names of one layer's modules, relative to the layer. */
export interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly attentionNorm: string;
  readonly attentionAdapter: string;
  readonly intermediate: string;
  readonly output: string;
  readonly outputNorm: string;
  readonly outputAdapter: string;
  /** DistilBERT has no dropout behind the attention's projection. */
  readonly attentionOutputDropout: boolean;
}

const activations = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
} as const;
const count = z.int().positive();
const rate = z.number().min(0).max(1);

/** Fields of config.json that the readers share. */
export const fields = {
  count,
  rate,
  activation: z.enum(Object.keys(activations) as [keyof typeof activations, ...(keyof typeof activations)[]]),
};

export function activationOf(name: keyof typeof activations): EncoderConfig['activation'] {
  return activations[name];
}

/** Validates config.json by a schema; errors name the key and what is allowed. */
export function parseConfig<T extends z.ZodType>(schema: T, config: Readonly<Record<string, unknown>>): z.output<T> {
  const result = schema.safeParse(config);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const key = issue?.path.join('.') ?? '';
  throw new EngineError(
    'bad-model',
    `config.json: ${key}: ${issue?.message ?? 'cannot be read'}.`,
    'Use the config.json that came with the weights.',
    { key },
  );
}

export function ids(b: Builder): Value {
  return b.g.input('input_ids', 'int64', ['batch', 'sequence']);
}

/** [batch, sequence, …] ids to one row a token, sequence first. */
export function tokenRows(b: Builder, x: Value): Value {
  return b.g.reshape(b.g.transpose(x, [1, 0]), [tokens]);
}

export function activate(b: Builder, x: Value, activation: EncoderConfig['activation']): Value {
  switch (activation) {
    case 'gelu':
      return b.g.gelu(x);
    case 'gelu_tanh':
      return b.g.gelu(x, 'tanh');
    case 'relu':
      return b.g.relu(x);
    case 'silu':
      return b.g.silu(x);
  }
}

/** 0 for real tokens and -1e9 for padding, [batch, 1, 1, sequence]: what is added to attention scores. */
function paddingBias(b: Builder): Value {
  const mask = b.g.cast(b.g.input('attention_mask', 'int64', ['batch', 'sequence']), 'float32');
  const bias = b.g.scale(b.g.sub(mask, b.g.scalar(1)), 1e9);
  return b.g.reshape(bias, ['batch', 1, 1, 'sequence']);
}

/** Sum of the embeddings, normalized, with dropout: [sequence·batch, hidden]. `module` names the embeddings. */
export function finishEmbeddings(b: Builder, c: EncoderConfig, module: string, parts: readonly Value[]): Value {
  const sum = parts.reduce((total, part) => b.g.add(total, part));
  return b.modelDropout(
    b.layerNorm(`${module}.LayerNorm`, b.g.reshape(sum, [tokens, c.hiddenSize]), c.hiddenSize, c.layerNormEpsilon),
    c.hiddenDropout,
  );
}

/** Runs all layers over embeddings [sequence·batch, hidden]. `layers` is the module that holds them. */
export function runLayers(b: Builder, c: EncoderConfig, embeddings: Value, layers: string, names: LayerNames): Value {
  const bias = paddingBias(b);
  let hidden = embeddings;
  for (let layer = 0; layer < c.layers; layer++)
    hidden = runLayer(b, c, hidden, bias, `${layers}.${layer}`, layer, names);
  return hidden;
}

function runLayer(
  b: Builder,
  c: EncoderConfig,
  hidden: Value,
  bias: Value,
  module: string,
  layer: number,
  names: LayerNames,
): Value {
  const { g } = b;
  const linear = (name: string, x: Value, inFeatures: number, outFeatures: number) =>
    b.linear({ module: `${module}.${name}`, layer, inFeatures, outFeatures }, x);
  const width = c.hiddenSize / c.heads;
  const groups = multiplyDims('batch', c.heads);
  const split = (x: Value) => g.transpose(g.reshape(x, ['sequence', groups, width]), [1, 0, 2]);
  const [query, key, value] = [names.query, names.key, names.value].map((name) =>
    split(linear(name, hidden, c.hiddenSize, c.hiddenSize)),
  ) as [Value, Value, Value];

  const scores = g.matmul(query, key, { transB: true, alpha: 1 / Math.sqrt(width) });
  const grouped = g.add(g.reshape(scores, ['batch', c.heads, 'sequence', 'sequence']), bias);
  const masked = g.reshape(grouped, [groups, 'sequence', 'sequence']);
  const context = g.attend(
    masked,
    value,
    b.dropoutMask(masked.type.shape, b.options.modelDropout ?? c.attentionDropout),
  );
  const merged = g.reshape(g.transpose(context, [1, 0, 2]), [tokens, c.hiddenSize]);

  const projected = linear(names.attentionOutput, merged, c.hiddenSize, c.hiddenSize);
  const attended = names.attentionOutputDropout ? b.modelDropout(projected, c.hiddenDropout) : projected;
  const middle = endBlock(
    b,
    c,
    { block: 'attention', layer, adapterModule: `${module}.${names.attentionAdapter}`, width: c.hiddenSize },
    attended,
    hidden,
    `${module}.${names.attentionNorm}`,
  );

  const inner = activate(b, linear(names.intermediate, middle, c.hiddenSize, c.intermediateSize), c.activation);
  const output = b.modelDropout(linear(names.output, inner, c.intermediateSize, c.hiddenSize), c.hiddenDropout);
  return endBlock(
    b,
    c,
    { block: 'ffn', layer, adapterModule: `${module}.${names.outputAdapter}`, width: c.hiddenSize },
    output,
    middle,
    `${module}.${names.outputNorm}`,
  );
}

function endBlock(b: Builder, c: EncoderConfig, site: BlockSite, output: Value, residual: Value, norm: string): Value {
  const normalize = (x: Value) => b.layerNorm(norm, x, c.hiddenSize, c.layerNormEpsilon);
  return b.hooks.block?.(b, site, output, residual, normalize) ?? normalize(b.g.add(output, residual));
}

/** Hidden state of the first token of each row: [batch, hidden]. */
export function firstToken(b: Builder, c: EncoderConfig, hidden: Value): Value {
  const rows = b.g.reshape(hidden, ['sequence', 'batch', c.hiddenSize]);
  return b.g.reshape(b.g.slice(rows, 0, 0, 1), ['batch', c.hiddenSize]);
}

/** Position embeddings of 0, 1, …: [sequence, 1, hidden], broadcast over the batch. */
export function countedPositions(b: Builder, c: EncoderConfig, name: string): Value {
  const table = b.base(name, [c.positions, c.hiddenSize]);
  return b.g.reshape(b.g.slice(table, 0, 0, 'sequence'), ['sequence', 1, c.hiddenSize]);
}

/** Word embeddings [sequence, batch, hidden]. */
export function embedTokens(b: Builder, c: EncoderConfig, table: Value, of: Value): Value {
  return b.g.reshape(b.g.gather(table, tokenRows(b, of)), ['sequence', 'batch', c.hiddenSize]);
}
