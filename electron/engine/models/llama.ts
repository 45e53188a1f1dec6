/**
 * Llama (Touvron et al. 2023) and what is built alike: RMSNorm before each block, rotary positions, grouped-query attention,
 * SwiGLU (Shazeer 2020). SmolLM2, TinyLlama and Llama 3 are of `model_type` "llama".
 */
import { z } from 'zod';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';
import { runDecoder, tagBy, type DecoderParts } from './decoder.js';
import { activate, activationOf, embedWords, fields, parseConfig } from './parts.js';
import { registerArchitecture } from './registry.js';
import { readRotary, rotaryFields } from './rotary.js';
import type { Architecture, DecoderConfig } from './types.js';

export const llamaFields = {
  vocab_size: fields.vocabulary,
  hidden_size: fields.width,
  intermediate_size: fields.width,
  num_hidden_layers: fields.layers,
  num_attention_heads: fields.heads,
  num_key_value_heads: fields.heads.nullish(),
  head_dim: fields.width.multipleOf(2).nullish(),
  hidden_act: fields.activation.default('silu'),
  max_position_embeddings: fields.positions,
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  attention_dropout: fields.rate.default(0),
  mlp_bias: z.boolean().default(false),
  ...rotaryFields,
};
const schema = z.object(llamaFields);

/** What `config.json` of a Llama-like model says. Throws EngineError 'bad-model' naming the key. */
export function readLlamaConfig(config: Readonly<Record<string, unknown>>): DecoderConfig {
  const c = parseConfig(
    schema
      .refine((v) => v.num_attention_heads % (v.num_key_value_heads ?? v.num_attention_heads) === 0, {
        path: ['num_key_value_heads'],
        message: 'must divide num_attention_heads',
      })
      .refine((v) => v.head_dim || v.hidden_size % (2 * v.num_attention_heads) === 0, {
        path: ['num_attention_heads'],
        message: 'must divide hidden_size into even heads',
      }),
    config,
  );
  const headWidth = c.head_dim ?? c.hidden_size / c.num_attention_heads;
  return {
    vocabularySize: c.vocab_size,
    hiddenSize: c.hidden_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    keyHeads: c.num_key_value_heads ?? c.num_attention_heads,
    headWidth,
    intermediateSize: c.intermediate_size,
    activation: activationOf(c.hidden_act),
    positions: c.max_position_embeddings,
    rotary: readRotary(c, headWidth, c.max_position_embeddings),
    normEpsilon: c.rms_norm_eps,
    headNorm: false,
    projectionBias: c.attention_bias,
    outputBias: c.attention_bias,
    feedForwardBias: c.mlp_bias,
    scales: new Array<number>(c.num_hidden_layers).fill(headWidth ** -0.5),
    windows: new Array<null>(c.num_hidden_layers).fill(null),
    embeddingDropout: 0,
    attentionDropout: c.attention_dropout,
    residualDropout: 0,
    tied: c.tie_word_embeddings,
  };
}

const normalize: DecoderParts['normalize'] = (b, c, module, x) =>
  b.g.rmsNorm(x, b.base(`${module}.weight`, [x.type.shape.at(-1) as number], 'ones'), c.normEpsilon);

/** RMSNorm of each head by itself, as Qwen3 has it: [n, heads·width]. */
function normalizeHeads(b: Builder, c: DecoderConfig, module: string, x: Value): Value {
  const heads = b.g.reshape(x, [x.type.shape[0] as number, (x.type.shape[1] as number) / c.headWidth, c.headWidth]);
  return b.g.reshape(normalize(b, c, module, heads), x.type.shape);
}

export const llamaParts: DecoderParts = {
  layers: 'model.layers',
  finalNorm: 'model.norm',
  attention: 'self_attn',
  attentionNorm: 'input_layernorm',
  attentionOutput: 'self_attn.o_proj',
  key: 'self_attn.k_proj',
  value: 'self_attn.v_proj',
  feedForwardNorm: 'post_attention_layernorm',
  transposed: false,
  normalize,
  project(b, c, module, linear, x, own) {
    const project = (name: string, from: Value, heads: number) =>
      linear(`self_attn.${name}_proj`, from, c.hiddenSize, heads * c.headWidth, c.projectionBias);
    const normal = (name: string, projected: Value) =>
      c.headNorm ? normalizeHeads(b, c, `${module}.self_attn.${name}_norm`, projected) : projected;
    return {
      query: normal('q', project('q', own(x), c.heads)),
      key: normal('k', project('k', x, c.keyHeads)),
      value: project('v', x, c.keyHeads),
    };
  },
  feedForward(b, c, linear, x) {
    const widen = (name: string) => linear(`mlp.${name}_proj`, x, c.hiddenSize, c.intermediateSize, c.feedForwardBias);
    const [gate, up] = [widen('gate'), widen('up')];
    const gated = c.activation === 'silu' ? b.g.swiglu(gate, up) : b.g.mul(activate(b, gate, c.activation), up);
    return linear('mlp.down_proj', gated, c.intermediateSize, c.hiddenSize, c.feedForwardBias);
  },
};

/** An architecture of Llama's shape and tensor names. */
export function llamaLike(
  own: Pick<Architecture<DecoderConfig>, 'type' | 'classifierClass' | 'languageModelClass' | 'readConfig'>,
): Architecture<DecoderConfig> {
  const table = 'model.embed_tokens.weight';
  const vocabulary = (b: Builder, c: DecoderConfig) =>
    b.base(c.tied ? table : 'lm_head.weight', [c.vocabularySize, c.hiddenSize]);
  return {
    ...own,
    prefix: 'model.',
    defaultTargets: ['q_proj', 'v_proj'],
    // The paper's keys and values; peft's table has queries in place of keys for Qwen.
    scaledModules: { targets: ['k_proj', 'v_proj', 'down_proj'], feedforward: ['down_proj'] },
    headModules: ['score'],
    language: 'causal-lm',
    reads: 'last',
    maxLength: (c) => c.positions,
    encode: (b, c, reach) => runDecoder(b, c, llamaParts, embedWords(b, c, table), reach),
    classify: (b, c, last, labels) =>
      b.g.matmul(last, b.base('score.weight', [labels, c.hiddenSize]), { transB: true }),
    tag: tagBy('score'),
    predictTokens: (b, c, rows) => b.g.matmul(rows, vocabulary(b, c), { transB: true }),
    vocabularyTable: vocabulary,
  };
}

registerArchitecture(
  llamaLike({
    type: 'llama',
    classifierClass: 'LlamaForSequenceClassification',
    languageModelClass: 'LlamaForCausalLM',
    readConfig: readLlamaConfig,
  }),
);
