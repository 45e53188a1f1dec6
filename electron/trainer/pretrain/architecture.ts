/** A BERT of any size, and its weights before training. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { NamedTensors } from '../../engine/index.js';

export interface EncoderSize {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly maxLength: number;
}

/** config.json, as transformers' BertForMaskedLM reads it. */
export const bertConfig = ({ vocabulary, hidden, layers, heads, intermediate, maxLength }: EncoderSize) => ({
  architectures: ['BertForMaskedLM'],
  model_type: 'bert',
  vocab_size: vocabulary,
  hidden_size: hidden,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  intermediate_size: intermediate,
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  max_position_embeddings: maxLength,
  type_vocab_size: 2,
  initializer_range: 0.02,
  layer_norm_eps: 1e-12,
  pad_token_id: 0,
  position_embedding_type: 'absolute',
  tie_word_embeddings: true,
});
export type BertConfig = ReturnType<typeof bertConfig>;

/**
 * Every tensor of the untrained model by its name in the file, as BERT starts: weights N(0, 0.02), biases 0, LayerNorm 1 and 0.
 * The pooler is the identity: masked LM does not train it, and a random one would blur what the head of a task sees.
 * @param words [vocabulary, hidden] start values of the word embeddings; rows of zeros, and all rows where it is left out, start random
 */
export function untrainedWeights(config: BertConfig, seed: number, words?: Float32Array): NamedTensors {
  const generator = xoroshiro128plus(seed);
  const {
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: intermediate,
    initializer_range: deviation,
  } = config;
  const tensors: NamedTensors = new Map();
  const fill = (name: string, shape: readonly number[], value: (index: number) => number) =>
    tensors.set(name, {
      shape,
      data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, index) =>
        value(index),
      ),
    });
  // Box-Muller; 1 - u is never 0.
  const normal = () =>
    deviation *
    Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator))) *
    Math.cos(2 * Math.PI * uniformFloat64(generator));
  const linear = (name: string, rows: number, columns: number) => {
    fill(`${name}.weight`, [rows, columns], normal);
    fill(`${name}.bias`, [rows], () => 0);
  };
  const norm = (name: string) => {
    fill(`${name}.weight`, [hidden], () => 1);
    fill(`${name}.bias`, [hidden], () => 0);
  };
  fill('bert.embeddings.word_embeddings.weight', [vocabulary, hidden], (index) => {
    const random = normal(); // drawn in any case: the other weights stay the same
    return words?.[index] || random;
  });
  fill('bert.embeddings.position_embeddings.weight', [config.max_position_embeddings, hidden], normal);
  fill('bert.embeddings.token_type_embeddings.weight', [config.type_vocab_size, hidden], normal);
  norm('bert.embeddings.LayerNorm');
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    const at = `bert.encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${at}.attention.self.${part}`, hidden, hidden);
    linear(`${at}.attention.output.dense`, hidden, hidden);
    norm(`${at}.attention.output.LayerNorm`);
    linear(`${at}.intermediate.dense`, intermediate, hidden);
    linear(`${at}.output.dense`, hidden, intermediate);
    norm(`${at}.output.LayerNorm`);
  }
  fill('bert.pooler.dense.weight', [hidden, hidden], (index) => (index % (hidden + 1) === 0 ? 1 : 0));
  fill('bert.pooler.dense.bias', [hidden], () => 0);
  fill('cls.predictions.bias', [vocabulary], () => 0);
  linear('cls.predictions.transform.dense', hidden, hidden);
  norm('cls.predictions.transform.LayerNorm');
  return tensors;
}
