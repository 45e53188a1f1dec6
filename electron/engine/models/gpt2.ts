/** GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each block, query, key and value from one projection. */
import { z } from 'zod';
import type { Builder } from './builder.js';
import { runDecoder, tagBy, type DecoderParts } from './decoder.js';
import { activate, activationOf, embedWords, fields, parseConfig } from './parts.js';
import { registerArchitecture } from './registry.js';
import { rowPositions } from './rows.js';
import type { DecoderConfig } from './types.js';

const schema = z
  .object({
    vocab_size: fields.vocabulary,
    n_embd: fields.width,
    n_layer: fields.layers,
    n_head: fields.heads,
    n_inner: fields.width.nullish(),
    n_positions: fields.positions,
    activation_function: fields.activation.default('gelu_new'),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    embd_pdrop: fields.rate.default(0.1),
    attn_pdrop: fields.rate.default(0.1),
    resid_pdrop: fields.rate.default(0.1),
    scale_attn_weights: z.boolean().default(true),
    scale_attn_by_inverse_layer_idx: z.boolean().default(false),
    add_cross_attention: z.literal(false).optional(),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine((v) => v.n_embd % v.n_head === 0, { path: ['n_head'], message: 'must divide n_embd' });

const parts: DecoderParts = {
  layers: 'transformer.h',
  finalNorm: 'transformer.ln_f',
  attention: 'attn',
  attentionNorm: 'ln_1',
  attentionOutput: 'attn.c_proj',
  key: 'attn.c_attn',
  value: 'attn.c_attn',
  feedForwardNorm: 'ln_2',
  transposed: true,
  normalize: (b, c, module, x) => b.layerNorm(module, x, c.hiddenSize, c.normEpsilon),
  project(b, c, _module, linear, x, own) {
    const all = linear('attn.c_attn', x, c.hiddenSize, 3 * c.hiddenSize, true);
    const part = (i: number) => b.g.slice(all, 1, i * c.hiddenSize, (i + 1) * c.hiddenSize);
    return { query: own(part(0)), key: part(1), value: part(2) };
  },
  feedForward(b, c, linear, x) {
    const inner = activate(b, linear('mlp.c_fc', x, c.hiddenSize, c.intermediateSize, true), c.activation);
    return linear('mlp.c_proj', inner, c.intermediateSize, c.hiddenSize, true);
  },
};

const table = 'transformer.wte.weight';
const vocabularyTable = (b: Builder, c: DecoderConfig) =>
  b.base(c.tied ? table : 'lm_head.weight', [c.vocabularySize, c.hiddenSize]);

registerArchitecture<DecoderConfig>({
  type: 'gpt2',
  prefix: 'transformer.',
  defaultTargets: ['c_attn'],
  scaledModules: { targets: ['c_attn', 'mlp.c_proj'], feedforward: ['mlp.c_proj'] },
  headModules: ['score', 'classifier'],
  classifierClass: 'GPT2ForSequenceClassification',
  languageModelClass: 'GPT2LMHeadModel',
  language: 'causal-lm',
  reads: 'last',
  readConfig(config) {
    const c = parseConfig(schema, config);
    const scale = c.scale_attn_weights ? (c.n_embd / c.n_head) ** -0.5 : 1;
    const layers = Array.from({ length: c.n_layer }, (_, layer) => layer);
    return {
      vocabularySize: c.vocab_size,
      hiddenSize: c.n_embd,
      layers: c.n_layer,
      heads: c.n_head,
      keyHeads: c.n_head,
      headWidth: c.n_embd / c.n_head,
      intermediateSize: c.n_inner ?? 4 * c.n_embd,
      activation: activationOf(c.activation_function),
      positions: c.n_positions,
      rotary: null,
      normEpsilon: c.layer_norm_epsilon,
      headNorm: false,
      projectionBias: true,
      outputBias: true,
      feedForwardBias: true,
      scales: layers.map((layer) => (c.scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale)),
      windows: layers.map(() => null),
      embeddingDropout: c.embd_pdrop,
      attentionDropout: c.attn_pdrop,
      residualDropout: c.resid_pdrop,
      tied: c.tie_word_embeddings,
    };
  },
  maxLength: (c) => c.positions,
  encode(b, c, reach) {
    const words = embedWords(b, c, table);
    const positions = b.g.gather(b.base('transformer.wpe.weight', [c.positions, c.hiddenSize]), rowPositions(b));
    return runDecoder(b, c, parts, b.g.add(words, positions), reach);
  },
  classify: (b, c, last, labels) => b.g.matmul(last, b.base('score.weight', [labels, c.hiddenSize]), { transB: true }),
  tag: tagBy('classifier'),
  predictTokens: (b, c, rows) => b.g.matmul(rows, vocabularyTable(b, c), { transB: true }),
  vocabularyTable,
});
