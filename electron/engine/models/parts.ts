/** Parts that all architectures share: reading config.json, activations, word embeddings. */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import { multiplyDims } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';
import { gridRows, textRows, virtualLength } from './rows.js';
import type { ModelConfig } from './types.js';

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
/** A size, far above what any published model has, so that a wrong one is refused before anything is built by it. */
const size = (most: number) =>
  z
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(most, `is more than the ${most.toLocaleString('en')} that this app takes`);
const rate = z.number().min(0).max(1);

/** Fields of config.json that the readers share. */
export const fields = {
  layers: size(1_000),
  heads: size(4_096),
  /** Of hidden states, heads and feed-forward layers. */
  width: size(1_048_576),
  vocabulary: size(16_777_216),
  positions: size(134_217_728),
  types: size(65_536),
  rate,
  activation: z.enum(Object.keys(activations) as [keyof typeof activations, ...(keyof typeof activations)[]]),
};

export function activationOf(name: keyof typeof activations): ModelConfig['activation'] {
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

export function activate(b: Builder, x: Value, activation: ModelConfig['activation']): Value {
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

/** Embeddings of a number at each cell of the grid [batch, length]: [rows, hidden]. */
export function embed(b: Builder, table: Value, of: Value): Value {
  return b.g.gather(table, gridRows(b, of));
}

/** Word embeddings of input_ids, with a method's virtual tokens before each text: [rows, hidden]. */
export function embedWords(b: Builder, c: ModelConfig, name: string): Value {
  const table = b.base(name, [c.vocabularySize, c.hiddenSize]);
  const words = b.g.gather(table, textRows(b, ids(b)));
  b.words = { table: name, read: words };
  const prompt = b.hooks.prompt?.embeddings(b, { table: name, vocabularySize: c.vocabularySize, width: c.hiddenSize });
  if (!prompt) return words;
  const count = virtualLength(b);
  const own = b.options.cached ? b.g.gather(prompt, b.g.input('virtual_rows', 'int64', [count])) : prompt;
  const each = b.g.expand(b.g.reshape(own, [count, 1, c.hiddenSize]), [count, 'batch', c.hiddenSize]);
  return b.g.concat([b.g.reshape(each, [multiplyDims('batch', count), c.hiddenSize]), words], 0);
}
