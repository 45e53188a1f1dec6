/**
 * The post-LayerNorm encoder that BERT, RoBERTa and DistilBERT share (Vaswani et al. 2017, Devlin et al. 2018).
 * Hidden states run sequence first (rows.ts), so that heads split and merge without moving data.
 */
import { addDims, multiplyDims, type Dim } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';
import { activate, embed } from './parts.js';
import { collect, countedPositions, firstTokens, lengthOf, spread, withVirtual } from './rows.js';
import type { BlockSite, EncoderConfig, Reach } from './types.js';

/** Names of one layer's modules, relative to the layer. */
export interface LayerNames {
  readonly attention: string;
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

/** 0 for real tokens and -1e9 for padding, [batch, 1, 1, keys]: what is added to attention scores. */
function paddingBias(b: Builder): Value {
  const mask = b.g.cast(b.g.input('attention_mask', 'int64', ['batch', 'sequence']), 'float32');
  const bias = b.g.scale(b.g.sub(mask, b.g.scalar(1)), 1e9);
  // Virtual tokens and prefixes are always attended to.
  const before = b.virtualTokens + (b.hooks.prefix?.tokens ?? 0);
  return b.g.reshape(b.g.pad(bias, 1, before, 0), ['batch', 1, 1, addDims('sequence', before)]);
}

/** Sum of the embeddings, normalized, with dropout: [rows, hidden]. `module` names the embeddings. */
export function finishEmbeddings(b: Builder, c: EncoderConfig, module: string, parts: readonly Value[]): Value {
  const sum = parts.reduce((total, part) => b.g.add(total, part));
  return b.modelDropout(b.layerNorm(`${module}.LayerNorm`, sum, c.hiddenSize, c.layerNormEpsilon), c.hiddenDropout);
}

/** `module` holds the layers. */
export interface Layers {
  readonly module: string;
  readonly names: LayerNames;
}

/** Runs all layers over embeddings [rows, hidden]; the last one computes what `reach` asks for. */
export function runLayers(b: Builder, c: EncoderConfig, embeddings: Value, layers: Layers, reach: Reach): Value {
  const bias = paddingBias(b);
  let hidden = embeddings;
  b.endLayer(hidden);
  for (let layer = 0; layer < c.layers; layer++) {
    hidden = b.endLayer(runLayer(b, c, hidden, bias, layers, layer, layer === c.layers - 1 ? reach : 'all'));
  }
  return hidden;
}

function runLayer(
  b: Builder,
  c: EncoderConfig,
  hidden: Value,
  bias: Value,
  { module: parent, names }: Layers,
  layer: number,
  reach: Reach,
): Value {
  const { g } = b;
  const module = `${parent}.${layer}`;
  const linear = (name: string, x: Value, inFeatures: number, outFeatures: number) =>
    b.linear({ module: `${module}.${name}`, layer, inFeatures, outFeatures }, x);
  const width = c.hiddenSize / c.heads;
  const groups = multiplyDims('batch', c.heads);
  // What nobody reads is not computed: a classifier sees the first tokens only, which attend to all.
  const own = reach === 'first' ? firstTokens(b, hidden) : hidden;
  const length = lengthOf(b);
  const asking = reach === 'first' ? 1 : length;
  const split = (x: Value, count: Dim) => g.transpose(g.reshape(x, [count, groups, width]), [1, 0, 2]);
  const project = (name: string, x: Value) => linear(name, x, c.hiddenSize, c.hiddenSize);
  const projectedQuery = project(names.query, own);
  const query = split(reach === 'first' ? projectedQuery : spread(b, projectedQuery), asking);
  const site = {
    module: `${module}.${names.attention}`,
    layer,
    layers: c.layers,
    width: c.hiddenSize,
    heads: c.heads,
    keyModule: `${module}.${names.key}`,
    valueModule: `${module}.${names.value}`,
    input: hidden,
  };
  const past = b.hooks.prefix?.keysValues(b, site);
  const before = b.hooks.prefix?.tokens ?? 0;
  const seen = addDims(length, before);
  const [key, value] = (
    [
      [names.key, past?.keys],
      [names.value, past?.values],
    ] as const
  ).map(([name, prefix]) => {
    const grid = g.reshape(spread(b, project(name, hidden)), [length, 'batch', c.hiddenSize]);
    return split(prefix ? g.concat([g.expand(prefix, [before, 'batch', c.hiddenSize]), grid], 0) : grid, seen);
  }) as [Value, Value];

  const scores = g.matmul(query, key, { transB: true, alpha: 1 / Math.sqrt(width) });
  const grouped = g.add(g.reshape(scores, ['batch', c.heads, asking, seen]), bias);
  const masked = g.reshape(grouped, [groups, asking, seen]);
  const context = g.attend(
    masked,
    value,
    b.dropoutMask(masked.type.shape, b.options.modelDropout ?? c.attentionDropout),
  );
  const joined = g.transpose(context, [1, 0, 2]);
  const merged =
    reach === 'first'
      ? g.reshape(joined, ['batch', c.hiddenSize])
      : collect(b, g.reshape(joined, [multiplyDims('batch', length), c.hiddenSize]));

  const projected = project(names.attentionOutput, merged);
  const attended = names.attentionOutputDropout ? b.modelDropout(projected, c.hiddenDropout) : projected;
  const middle = endBlock(
    b,
    c,
    {
      block: 'attention',
      layer,
      adapterModule: `${module}.${names.attentionAdapter}`,
      width: c.hiddenSize,
      input: own,
    },
    attended,
    own,
    `${module}.${names.attentionNorm}`,
  );

  const inner = activate(b, linear(names.intermediate, middle, c.hiddenSize, c.intermediateSize), c.activation);
  const output = b.modelDropout(linear(names.output, inner, c.intermediateSize, c.hiddenSize), c.hiddenDropout);
  const end = endBlock(
    b,
    c,
    {
      block: 'ffn',
      layer,
      adapterModule: `${module}.${names.outputAdapter}`,
      width: c.hiddenSize,
      input: middle,
    },
    output,
    middle,
    `${module}.${names.outputNorm}`,
  );
  return b.hooks.layer?.(b, { module, layer, layers: c.layers, width: c.hiddenSize }, end) ?? end;
}

function endBlock(b: Builder, c: EncoderConfig, site: BlockSite, output: Value, residual: Value, norm: string): Value {
  const normalize = (x: Value) => b.layerNorm(norm, x, c.hiddenSize, c.layerNormEpsilon);
  return normalize(b.g.add(b.hooks.block?.(b, site, output, residual, normalize) ?? output, residual));
}

/** Token types [batch, sequence]; a method's virtual tokens are of type 0: [rows, hidden]. */
export function embedTypes(b: Builder, c: EncoderConfig, name: string): Value {
  const types = b.g.input('token_type_ids', 'int64', ['batch', 'sequence']);
  return embed(b, b.base(name, [c.tokenTypes, c.hiddenSize]), withVirtual(b, types, 0));
}

/** Position embeddings of 0, 1, … (behind a prefix that takes positions: of those that follow): [rows, hidden]. */
export function embedPositions(b: Builder, c: EncoderConfig, name: string): Value {
  return embed(b, b.base(name, [c.positions, c.hiddenSize]), countedPositions(b));
}
