/** BERT (Devlin et al. 2018), and with it MiniLM, BGE, E5 and other checkpoints of `model_type` "bert". */
import { z } from 'zod';
import { embedPositions, embedTypes, finishEmbeddings, runLayers, type LayerNames } from './encoder.js';
import { activate, activationOf, embedWords, fields, parseConfig } from './parts.js';
import { registerArchitecture } from './registry.js';
import type { EncoderConfig } from './types.js';

export const bertLayerNames: LayerNames = {
  attention: 'attention.self',
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  attentionOutput: 'attention.output.dense',
  attentionNorm: 'attention.output.LayerNorm',
  attentionAdapter: 'attention.output.adapters',
  intermediate: 'intermediate.dense',
  output: 'output.dense',
  outputNorm: 'output.LayerNorm',
  outputAdapter: 'output.adapters',
  attentionOutputDropout: true,
};

export const bertConfigSchema = z.object({
  vocab_size: fields.vocabulary,
  hidden_size: fields.width,
  num_hidden_layers: fields.layers,
  num_attention_heads: fields.heads,
  intermediate_size: fields.width,
  hidden_act: fields.activation.default('gelu'),
  max_position_embeddings: fields.positions,
  type_vocab_size: fields.types.default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_dropout_prob: fields.rate.default(0.1),
  attention_probs_dropout_prob: fields.rate.default(0.1),
  classifier_dropout: fields.rate.nullish(),
  pad_token_id: z.int().min(0).nullish(),
  position_embedding_type: z.literal('absolute').optional(),
  is_decoder: z.literal(false).optional(),
});

export function readBertConfig(config: Readonly<Record<string, unknown>>): EncoderConfig {
  const c = parseConfig(
    bertConfigSchema.refine((v) => v.hidden_size % v.num_attention_heads === 0, {
      path: ['num_attention_heads'],
      message: 'must divide hidden_size',
    }),
    config,
  );
  return {
    vocabularySize: c.vocab_size,
    hiddenSize: c.hidden_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    intermediateSize: c.intermediate_size,
    activation: activationOf(c.hidden_act),
    positions: c.max_position_embeddings,
    tokenTypes: c.type_vocab_size,
    layerNormEpsilon: c.layer_norm_eps,
    hiddenDropout: c.hidden_dropout_prob,
    attentionDropout: c.attention_probs_dropout_prob,
    classifierDropout: c.classifier_dropout ?? c.hidden_dropout_prob,
    paddingIndex: c.pad_token_id ?? 0,
  };
}

registerArchitecture<EncoderConfig>({
  type: 'bert',
  prefix: 'bert.',
  defaultTargets: ['query', 'value'],
  scaledModules: { targets: ['key', 'value', 'output.dense'], feedforward: ['output.dense'] },
  feedForward: { inner: 'intermediate.dense', outer: 'output.dense', sizeKey: 'intermediate_size' },
  headModules: ['classifier', 'qa_outputs'],
  readers: {
    text: 'bert.pooler.dense',
    tags: 'classifier',
    answers: 'qa_outputs',
    language: 'cls.predictions.transform.dense',
  },
  classifierClass: 'BertForSequenceClassification',
  languageModelClass: 'BertForMaskedLM',
  language: 'masked-lm',
  reads: 'first',
  readConfig: readBertConfig,
  maxLength: (c) => c.positions,
  encode(b, c, reach) {
    const words = embedWords(b, c, 'bert.embeddings.word_embeddings.weight');
    const types = embedTypes(b, c, 'bert.embeddings.token_type_embeddings.weight');
    const positions = embedPositions(b, c, 'bert.embeddings.position_embeddings.weight');
    const embeddings = finishEmbeddings(b, c, 'bert.embeddings', [b.g.add(words, types), positions]);
    return runLayers(b, c, embeddings, { module: 'bert.encoder.layer', names: bertLayerNames }, reach);
  },
  classify(b, c, first, labels) {
    const pooled = b.g.tanh(b.dense('bert.pooler.dense', first, c.hiddenSize, c.hiddenSize));
    return b.dense('classifier', b.modelDropout(pooled, c.classifierDropout), c.hiddenSize, labels);
  },
  tag: (b, c, rows, labels) => b.dense('classifier', b.modelDropout(rows, c.classifierDropout), c.hiddenSize, labels),
  mark: (b, c, rows) => b.dense('qa_outputs', rows, c.hiddenSize, 2),
  predictTokens(b, c, rows) {
    const head = 'cls.predictions';
    const dense = activate(b, b.dense(`${head}.transform.dense`, rows, c.hiddenSize, c.hiddenSize), c.activation);
    const normal = b.layerNorm(`${head}.transform.LayerNorm`, dense, c.hiddenSize, c.layerNormEpsilon);
    const words = b.base('bert.embeddings.word_embeddings.weight', [c.vocabularySize, c.hiddenSize]);
    return b.g.add(b.g.matmul(normal, words, { transB: true }), b.base(`${head}.bias`, [c.vocabularySize], 'zeros'));
  },
});
