/** RoBERTa (Liu et al. 2019): BERT's layers, positions counted from the padding index, a two-layer head. */
import { bertLayerNames, readBertConfig } from './bert.js';
import { embedTypes, finishEmbeddings, runLayers } from './encoder.js';
import { activate, embed, embedWords, ids } from './parts.js';
import { registerArchitecture } from './registry.js';
import { withVirtual } from './rows.js';
import type { EncoderConfig } from './types.js';

registerArchitecture<EncoderConfig>({
  type: 'roberta',
  prefix: 'roberta.',
  defaultTargets: ['query', 'value'],
  scaledModules: { targets: ['key', 'value', 'output.dense'], feedforward: ['output.dense'] },
  feedForward: { inner: 'intermediate.dense', outer: 'output.dense', sizeKey: 'intermediate_size' },
  headModules: ['classifier', 'qa_outputs'],
  readers: { text: 'classifier.dense', tags: 'classifier', answers: 'qa_outputs', language: 'lm_head.dense' },
  classifierClass: 'RobertaForSequenceClassification',
  languageModelClass: 'RobertaForMaskedLM',
  language: 'masked-lm',
  reads: 'first',
  readConfig: (config) => readBertConfig({ type_vocab_size: 1, layer_norm_eps: 1e-5, pad_token_id: 1, ...config }),
  maxLength: (c) => c.positions - c.paddingIndex - 1,
  encode(b, c, reach) {
    const { g } = b;
    const padding = g.constant(BigInt64Array.of(BigInt(c.paddingIndex)), []);
    const real = g.where(
      g.equal(ids(b), padding),
      g.constant(BigInt64Array.of(0n), []),
      g.constant(BigInt64Array.of(1n), []),
    );
    const counted = withVirtual(b, real, 1);
    const before = g.constant(BigInt64Array.of(BigInt(b.prefixPositions)), []);
    const numbers = g.add(g.mul(g.add(g.cumulativeSum(counted, 1), before), counted), padding);
    const positions = embed(
      b,
      b.base('roberta.embeddings.position_embeddings.weight', [c.positions, c.hiddenSize]),
      numbers,
    );
    const words = embedWords(b, c, 'roberta.embeddings.word_embeddings.weight');
    const types = embedTypes(b, c, 'roberta.embeddings.token_type_embeddings.weight');
    const embeddings = finishEmbeddings(b, c, 'roberta.embeddings', [g.add(words, types), positions]);
    return runLayers(b, c, embeddings, { module: 'roberta.encoder.layer', names: bertLayerNames }, reach);
  },
  classify(b, c, first, labels) {
    const input = b.modelDropout(first, c.classifierDropout);
    const dense = b.g.tanh(b.dense('classifier.dense', input, c.hiddenSize, c.hiddenSize));
    return b.dense('classifier.out_proj', b.modelDropout(dense, c.classifierDropout), c.hiddenSize, labels);
  },
  tag: (b, c, rows, labels) => b.dense('classifier', b.modelDropout(rows, c.classifierDropout), c.hiddenSize, labels),
  mark: (b, c, rows) => b.dense('qa_outputs', rows, c.hiddenSize, 2),
  predictTokens(b, c, rows) {
    const dense = activate(b, b.dense('lm_head.dense', rows, c.hiddenSize, c.hiddenSize), 'gelu');
    const normal = b.layerNorm('lm_head.layer_norm', dense, c.hiddenSize, c.layerNormEpsilon);
    const words = b.base('roberta.embeddings.word_embeddings.weight', [c.vocabularySize, c.hiddenSize]);
    return b.g.add(b.g.matmul(normal, words, { transB: true }), b.base('lm_head.bias', [c.vocabularySize], 'zeros'));
  },
});
