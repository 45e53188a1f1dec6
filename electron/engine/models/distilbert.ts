/** DistilBERT (Sanh et al. 2019): no token types, no pooler, a ReLU head. */
import { z } from 'zod';
import { embedPositions, finishEmbeddings, runLayers, type LayerNames } from './encoder.js';
import { activate, activationOf, embedWords, fields, parseConfig } from './parts.js';
import { registerArchitecture } from './registry.js';
import type { EncoderConfig } from './types.js';

const names: LayerNames = {
  attention: 'attention',
  query: 'attention.q_lin',
  key: 'attention.k_lin',
  value: 'attention.v_lin',
  attentionOutput: 'attention.out_lin',
  attentionNorm: 'sa_layer_norm',
  attentionAdapter: 'attention_adapters.adapters',
  intermediate: 'ffn.lin1',
  output: 'ffn.lin2',
  outputNorm: 'output_layer_norm',
  outputAdapter: 'output_adapters.adapters',
  attentionOutputDropout: false,
};

const schema = z
  .object({
    vocab_size: fields.vocabulary,
    dim: fields.width,
    n_layers: fields.layers,
    n_heads: fields.heads,
    hidden_dim: fields.width,
    activation: fields.activation.default('gelu'),
    max_position_embeddings: fields.positions.default(512),
    dropout: fields.rate.default(0.1),
    attention_dropout: fields.rate.default(0.1),
    seq_classif_dropout: fields.rate.default(0.2),
    qa_dropout: fields.rate.default(0.1),
    pad_token_id: z.int().min(0).nullish(),
  })
  .refine((v) => v.dim % v.n_heads === 0, { path: ['n_heads'], message: 'must divide dim' });

interface DistilBertConfig extends EncoderConfig {
  /** Before the head that marks answers. */
  readonly answerDropout: number;
}

registerArchitecture<DistilBertConfig>({
  type: 'distilbert',
  prefix: 'distilbert.',
  defaultTargets: ['q_lin', 'v_lin'],
  // peft names none for DistilBERT: BERT's, without the attention's output, as the paper has it.
  scaledModules: { targets: ['k_lin', 'v_lin', 'ffn.lin2'], feedforward: ['ffn.lin2'] },
  feedForward: { inner: 'ffn.lin1', outer: 'ffn.lin2', sizeKey: 'hidden_dim' },
  headModules: ['pre_classifier', 'classifier', 'qa_outputs'],
  readers: { text: 'pre_classifier', tags: 'classifier', answers: 'qa_outputs', language: 'vocab_transform' },
  classifierClass: 'DistilBertForSequenceClassification',
  languageModelClass: 'DistilBertForMaskedLM',
  language: 'masked-lm',
  reads: 'first',
  readConfig(config) {
    const c = parseConfig(schema, config);
    return {
      vocabularySize: c.vocab_size,
      hiddenSize: c.dim,
      layers: c.n_layers,
      heads: c.n_heads,
      intermediateSize: c.hidden_dim,
      activation: activationOf(c.activation),
      positions: c.max_position_embeddings,
      tokenTypes: 0,
      layerNormEpsilon: 1e-12,
      hiddenDropout: c.dropout,
      attentionDropout: c.attention_dropout,
      classifierDropout: c.seq_classif_dropout,
      answerDropout: c.qa_dropout,
      paddingIndex: c.pad_token_id ?? 0,
    };
  },
  maxLength: (c) => c.positions,
  encode(b, c, reach) {
    const words = embedWords(b, c, 'distilbert.embeddings.word_embeddings.weight');
    const embeddings = finishEmbeddings(b, c, 'distilbert.embeddings', [
      words,
      embedPositions(b, c, 'distilbert.embeddings.position_embeddings.weight'),
    ]);
    return runLayers(b, c, embeddings, { module: 'distilbert.transformer.layer', names }, reach);
  },
  classify(b, c, first, labels) {
    const dense = b.g.relu(b.dense('pre_classifier', first, c.hiddenSize, c.hiddenSize));
    return b.dense('classifier', b.modelDropout(dense, c.classifierDropout), c.hiddenSize, labels);
  },
  tag: (b, c, rows, labels) => b.dense('classifier', b.modelDropout(rows, c.hiddenDropout), c.hiddenSize, labels),
  mark: (b, c, rows) => b.dense('qa_outputs', b.modelDropout(rows, c.answerDropout), c.hiddenSize, 2),
  predictTokens(b, c, rows) {
    const dense = activate(b, b.dense('vocab_transform', rows, c.hiddenSize, c.hiddenSize), c.activation);
    const normal = b.layerNorm('vocab_layer_norm', dense, c.hiddenSize, c.layerNormEpsilon);
    const words = b.base('distilbert.embeddings.word_embeddings.weight', [c.vocabularySize, c.hiddenSize]);
    return b.g.add(
      b.g.matmul(normal, words, { transB: true }),
      b.base('vocab_projector.bias', [c.vocabularySize], 'zeros'),
    );
  },
});
