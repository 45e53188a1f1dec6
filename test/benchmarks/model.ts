/** A random BERT of a stated size in a Hugging Face folder, and the batches to train it on: nothing to download. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors, type Batch, type TensorToWrite } from '../../electron/engine/index.js';

export interface BenchModel {
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly intermediateSize: number;
  readonly vocabularySize: number;
}

export const miniLm: BenchModel = {
  layers: 6,
  hiddenSize: 384,
  heads: 12,
  intermediateSize: 1536,
  vocabularySize: 30522,
};
export const labels = ['a', 'b', 'c', 'd'];
const positions = 512;

/** Standard normal numbers from a 32-bit seed (xorshift, Box-Muller); the same on every machine up to the last bits. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Names and shapes of a BertForSequenceClassification, in file order. */
function shapesOf(model: BenchModel): [name: string, shape: number[]][] {
  const { hiddenSize: d, intermediateSize: f } = model;
  const linear = (name: string, out: number, inner: number): [string, number[]][] => [
    [`${name}.weight`, [out, inner]],
    [`${name}.bias`, [out]],
  ];
  const norm = (name: string): [string, number[]][] => [
    [`${name}.LayerNorm.weight`, [d]],
    [`${name}.LayerNorm.bias`, [d]],
  ];
  const layers = Array.from({ length: model.layers }, (_, i) => `bert.encoder.layer.${i}`).flatMap((layer) => [
    ...['query', 'key', 'value'].flatMap((part) => linear(`${layer}.attention.self.${part}`, d, d)),
    ...linear(`${layer}.attention.output.dense`, d, d),
    ...norm(`${layer}.attention.output`),
    ...linear(`${layer}.intermediate.dense`, f, d),
    ...linear(`${layer}.output.dense`, d, f),
    ...norm(`${layer}.output`),
  ]);
  return [
    ['bert.embeddings.word_embeddings.weight', [model.vocabularySize, d]],
    ['bert.embeddings.position_embeddings.weight', [positions, d]],
    ['bert.embeddings.token_type_embeddings.weight', [2, d]],
    ...norm('bert.embeddings'),
    ...layers,
    ...linear('bert.pooler.dense', d, d),
    ...linear('classifier', labels.length, d),
  ];
}

/** Writes config.json and model.safetensors: weights normal with deviation 0.02, biases 0, LayerNorm weights 1. */
export async function writeModel(folder: string, model: BenchModel): Promise<void> {
  await mkdir(folder, { recursive: true });
  const normal = normals(2463534242);
  const tensors = shapesOf(model).map(([name, shape]): TensorToWrite => ({
    name,
    shape,
    dtype: 'F32',
    data: () => {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (shape.length > 1) for (let i = 0; i < values.length; i++) values[i] = 0.02 * normal();
      else if (name.endsWith('LayerNorm.weight')) values.fill(1);
      return values;
    },
  }));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({
      architectures: ['BertForSequenceClassification'],
      model_type: 'bert',
      hidden_act: 'gelu',
      hidden_size: model.hiddenSize,
      num_hidden_layers: model.layers,
      num_attention_heads: model.heads,
      intermediate_size: model.intermediateSize,
      vocab_size: model.vocabularySize,
      max_position_embeddings: positions,
      type_vocab_size: 2,
      layer_norm_eps: 1e-12,
      hidden_dropout_prob: 0,
      attention_probs_dropout_prob: 0,
      pad_token_id: 0,
      initializer_range: 0.02,
    }),
  );
}

/** Lengths of a batch's rows: those of real texts in their order, or all the same. */
export function lengthsOf(step: number, size: number, lengths: readonly number[]): number[] {
  return Array.from({ length: size }, (_, row) => lengths[(step * size + row) % lengths.length] as number);
}

/** Token ids and labels of one step, by a rule that the peer repeats; padded to the longest row of the batch. */
export function benchBatch(step: number, size: number, lengths: readonly number[], vocabularySize: number): Batch {
  const own = lengthsOf(step, size, lengths);
  const sequence = Math.max(...own);
  let state = (step * 7919 + 17) % 2147483647;
  const next = () => (state = (state * 48271) % 2147483647);
  const inputIds = Int32Array.from(
    { length: size * sequence },
    () => (1000 % vocabularySize) + (next() % (vocabularySize - (1000 % vocabularySize))),
  );
  const attentionMask = Int32Array.from(inputIds, (_, cell) =>
    cell % sequence < (own[Math.floor(cell / sequence)] as number) ? 1 : 0,
  );
  return {
    size,
    sequence,
    inputIds: inputIds.map((id, cell) => (attentionMask[cell] === 1 ? id : 0)),
    attentionMask,
    tokenTypeIds: new Int32Array(size * sequence),
    labels: Int32Array.from({ length: size }, () => next() % labels.length),
    weights: null,
  };
}
