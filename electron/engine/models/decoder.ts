/**
 * The pre-norm decoder that GPT-2, Llama and Qwen share: each token sees itself and what came before it. Query heads may share
 * key heads (Ainslie et al. 2023); those of a group stand as rows of one product, so that no key is copied.
 * Hidden states run sequence first (rows.ts).
 */
import { addDims, multiplyDims, type Dim } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';
import { causalBias } from './causal.js';
import { anglesOf, type Angles } from './rotary.js';
import { collect, lastTokens, lengthOf, spread } from './rows.js';
import type { AttentionSite, BlockSite, DecoderConfig, Reach } from './types.js';

/** A linear layer of one layer, by its name there; x [n, in] to [n, out]. */
export type LayerLinear = (name: string, x: Value, inFeatures: number, outFeatures: number, bias: boolean) => Value;

export interface QueryKeyValue {
  /** Of the tokens whose output is asked for: [n, heads·width]. */
  readonly query: Value;
  /** Of all: [rows, keyHeads·width]. */
  readonly key: Value;
  readonly value: Value;
}

/** What the decoders differ in. Names are relative to a layer unless said otherwise. */
export interface DecoderParts {
  /** Module that holds the layers: "model.layers". */
  readonly layers: string;
  /** Whole name of the last norm. */
  readonly finalNorm: string;
  readonly attention: string;
  readonly attentionNorm: string;
  readonly attentionOutput: string;
  readonly key: string;
  readonly value: string;
  readonly feedForwardNorm: string;
  /** The checkpoint stores weights [in, out]. */
  readonly transposed: boolean;
  normalize(b: Builder, c: DecoderConfig, module: string, x: Value): Value;
  /** `own` chooses the rows whose output is asked for. */
  project(
    b: Builder,
    c: DecoderConfig,
    module: string,
    linear: LayerLinear,
    x: Value,
    own: (x: Value) => Value,
  ): QueryKeyValue;
  feedForward(b: Builder, c: DecoderConfig, linear: LayerLinear, x: Value): Value;
}

/** What all layers of a pass share. */
interface Pass {
  readonly parts: DecoderParts;
  readonly angles: Angles | null;
  /** What is added to a layer's scores: [batch or 1, 1, asking, 1, seen]. */
  bias(reach: Reach, window: number | null): Value;
}

/** Runs all layers and the last norm over embeddings [rows, hidden]; the last layer computes what `reach` asks for. */
export function runDecoder(b: Builder, c: DecoderConfig, parts: DecoderParts, embeddings: Value, reach: Reach): Value {
  const biases = new Map<string, Value>();
  const bias: Pass['bias'] = (asked, window) => {
    const key = `${asked} ${window}`;
    const known = biases.get(key) ?? causalBias(b, asked, window);
    biases.set(key, known);
    return known;
  };
  const pass = { parts, angles: c.rotary ? anglesOf(b, c.rotary) : null, bias };
  let hidden = b.modelDropout(embeddings, c.embeddingDropout);
  b.endLayer(hidden);
  for (let layer = 0; layer < c.layers; layer++) {
    hidden = b.endLayer(runLayer(b, c, pass, hidden, layer, layer === c.layers - 1 ? reach : 'all'));
  }
  return parts.normalize(b, c, parts.finalNorm, hidden);
}

/** transformers' rate before the head that tags, where config.json names none. */
const TAG_DROPOUT = 0.1;

/** Tags tokens by a linear head, with a bias, of this name. */
export const tagBy =
  (head: string) =>
  (b: Builder, c: DecoderConfig, rows: Value, labels: number): Value =>
    b.dense(head, b.modelDropout(rows, TAG_DROPOUT), c.hiddenSize, labels);

function runLayer(b: Builder, c: DecoderConfig, pass: Pass, hidden: Value, layer: number, reach: Reach): Value {
  const { parts } = pass;
  const module = `${parts.layers}.${layer}`;
  const linear: LayerLinear = (name, x, inFeatures, outFeatures, bias) =>
    b.linear({ module: `${module}.${name}`, layer, inFeatures, outFeatures, bias, transposed: parts.transposed }, x);
  // What nobody reads is not computed: a classifier sees the last tokens only, which see all.
  const own = (x: Value) => (reach === 'last' ? lastTokens(b, x) : x);
  const residual = own(hidden);

  const x = parts.normalize(b, c, `${module}.${parts.attentionNorm}`, hidden);
  const projected = parts.project(b, c, module, linear, x, own);
  const site: AttentionSite = {
    module: `${module}.${parts.attention}`,
    layer,
    layers: c.layers,
    width: c.keyHeads * c.headWidth,
    heads: c.keyHeads,
    keyModule: `${module}.${parts.key}`,
    valueModule: `${module}.${parts.value}`,
    input: x,
  };
  const context = attend(b, c, pass, rotated(b, c, pass, projected, own), site, reach);
  const attended = b.modelDropout(
    linear(parts.attentionOutput, context, c.heads * c.headWidth, c.hiddenSize, c.outputBias),
    c.residualDropout,
  );
  const block = (at: BlockSite['block'], name: string, input: Value): BlockSite => ({
    block: at,
    layer,
    adapterModule: `${module}.${name}.adapters`,
    width: c.hiddenSize,
    input,
  });
  const middle = endBlock(b, block('attention', 'attention_adapters', own(x)), attended, residual);
  const y = parts.normalize(b, c, `${module}.${parts.feedForwardNorm}`, middle);
  const output = b.modelDropout(parts.feedForward(b, c, linear, y), c.residualDropout);
  const end = endBlock(b, block('ffn', 'output_adapters', y), output, middle);
  return b.hooks.layer?.(b, { module, layer, layers: c.layers, width: c.hiddenSize }, end) ?? end;
}

/** Nothing normalizes at the end of a pre-norm block. */
function endBlock(b: Builder, site: BlockSite, output: Value, residual: Value): Value {
  return b.g.add(b.hooks.block?.(b, site, output, residual, (x) => x) ?? output, residual);
}

/** Queries and keys turned by their positions. */
function rotated(
  b: Builder,
  c: DecoderConfig,
  { angles }: Pass,
  { query, key, value }: QueryKeyValue,
  own: (x: Value) => Value,
): QueryKeyValue {
  if (!angles) return { query, key, value };
  const { cos, sin } = angles;
  return { query: b.g.rotate(query, c.heads, own(cos), own(sin)), key: b.g.rotate(key, c.keyHeads, cos, sin), value };
}

/** softmax(QKᵀ·scale + bias)·V of every query row: [n, heads·width]. */
function attend(
  b: Builder,
  c: DecoderConfig,
  pass: Pass,
  { query, key, value }: QueryKeyValue,
  site: AttentionSite,
  reach: Reach,
): Value {
  const { g } = b;
  const length = lengthOf(b);
  const asking = reach === 'last' ? 1 : length;
  const groups = multiplyDims('batch', c.keyHeads);
  const shared = c.heads / c.keyHeads;
  const queryWidth = shared * c.headWidth;
  const before = b.hooks.prefix?.tokens ?? 0;
  const past = b.hooks.prefix?.keysValues(b, site);
  const seen = addDims(addDims(length, before), b.options.cached ? 'past' : 0);
  const headsFirst = (x: Value, count: Dim, width: number) =>
    g.transpose(g.reshape(x, [count, groups, width]), [1, 0, 2]);
  const all = (part: 'key' | 'value', own: Value, prefix: Value | undefined) => {
    const grid = g.reshape(spread(b, own), [length, 'batch', site.width]);
    const parts = [
      ...(prefix ? [g.expand(prefix, [before, 'batch', site.width])] : []),
      ...earlier(b, site, part, grid),
      grid,
    ];
    return headsFirst(g.concat(parts, 0), seen, c.headWidth);
  };
  const rows = multiplyDims(asking, shared);
  const asked = g.reshape(reach === 'last' ? query : headsFirst(spread(b, query), length, queryWidth), [
    groups,
    rows,
    c.headWidth,
  ]);
  const scores = g.matmul(asked, all('key', key, past?.keys), { transB: true, alpha: c.scales[site.layer] ?? 1 });
  const biased = g.add(
    g.reshape(scores, ['batch', c.keyHeads, asking, shared, seen]),
    pass.bias(reach, c.windows[site.layer] ?? null),
  );
  const masked = g.reshape(biased, [groups, rows, seen]);
  const dropout = b.dropoutMask(masked.type.shape, b.options.modelDropout ?? c.attentionDropout);
  const context = g.attend(masked, all('value', value, past?.values), dropout);
  if (reach === 'last') return g.reshape(context, ['batch', c.heads * c.headWidth]);
  const joined = g.transpose(g.reshape(context, [groups, length, queryWidth]), [1, 0, 2]);
  return collect(b, g.reshape(joined, [multiplyDims('batch', length), c.heads * c.headWidth]));
}

/** Keys or values of earlier tokens where they are fed; those of this pass are given in turn. */
function earlier(b: Builder, site: AttentionSite, part: 'key' | 'value', grid: Value): Value[] {
  if (!b.options.cached) return [];
  const name = `${site.layer}.${part}`;
  b.presents.set(name, grid);
  return [b.g.input(`past.${name}`, 'float32', ['past', 'batch', site.width])];
}
