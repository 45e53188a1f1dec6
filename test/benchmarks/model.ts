/** A random BERT or Llama of a stated size in a Hugging Face folder, and the batches to train it on: nothing to download. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors, type Batch, type TensorToWrite } from '../../electron/engine/index.js';

export interface BenchModel {
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly intermediateSize: number;
  readonly vocabularySize: number;
  /** Key heads of a decoder. */
  readonly keyHeads?: number;
}

export const miniLm: BenchModel = {
  layers: 6,
  hiddenSize: 384,
  heads: 12,
  intermediateSize: 1536,
  vocabularySize: 30522,
};
const bertBase: BenchModel = {
  layers: 12,
  hiddenSize: 768,
  heads: 12,
  intermediateSize: 3072,
  vocabularySize: 30522,
};
/** SmolLM2-135M. */
const smolLm2: BenchModel = {
  layers: 30,
  hiddenSize: 576,
  heads: 9,
  keyHeads: 3,
  intermediateSize: 1536,
  vocabularySize: 49152,
};
type Dtype = TensorToWrite['dtype'];

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

type Shapes = readonly (readonly [name: string, shape: readonly number[]])[];

/** Names and shapes of a BertForSequenceClassification, in file order. */
function shapesOf(model: BenchModel): Shapes {
  const { hiddenSize: d, intermediateSize: f } = model;
  const linear = (name: string, out: number, inner: number): Shapes => [
    [`${name}.weight`, [out, inner]],
    [`${name}.bias`, [out]],
  ];
  const norm = (name: string): Shapes => [
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

/** Names and shapes of a LlamaForCausalLM with tied embeddings. */
function decoderShapesOf({
  layers,
  hiddenSize: d,
  intermediateSize: f,
  heads,
  keyHeads = heads,
  vocabularySize,
}: BenchModel): Shapes {
  const keys = (d / heads) * keyHeads;
  const each = Array.from({ length: layers }, (_, i) => `model.layers.${i}`).flatMap((layer): Shapes => [
    [`${layer}.self_attn.q_proj.weight`, [d, d]],
    [`${layer}.self_attn.k_proj.weight`, [keys, d]],
    [`${layer}.self_attn.v_proj.weight`, [keys, d]],
    [`${layer}.self_attn.o_proj.weight`, [d, d]],
    [`${layer}.mlp.gate_proj.weight`, [f, d]],
    [`${layer}.mlp.up_proj.weight`, [f, d]],
    [`${layer}.mlp.down_proj.weight`, [d, f]],
    [`${layer}.input_layernorm.weight`, [d]],
    [`${layer}.post_attention_layernorm.weight`, [d]],
  ]);
  return [['model.embed_tokens.weight', [vocabularySize, d]], ...each, ['model.norm.weight', [d]]];
}

/** Weights normal with deviation 0.02, biases 0, weights of norms 1. */
async function writeFolder(folder: string, shapes: Shapes, config: object, dtype: Dtype): Promise<void> {
  await mkdir(folder, { recursive: true });
  const normal = normals(2463534242);
  const tensors = shapes.map(([name, shape]): TensorToWrite => ({
    name,
    shape,
    dtype,
    data: () => {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (shape.length > 1) for (let i = 0; i < values.length; i++) values[i] = 0.02 * normal();
      else if (/norm/i.test(name) && name.endsWith('.weight')) values.fill(1);
      return values;
    },
  }));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
}

/** Writes config.json and model.safetensors of a BERT. */
export function writeModel(folder: string, model: BenchModel, dtype: Dtype = 'F32'): Promise<void> {
  const config = {
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
  };
  return writeFolder(folder, shapesOf(model), config, dtype);
}

function writeDecoder(folder: string, model: BenchModel, dtype: Dtype): Promise<void> {
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: model.hiddenSize,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    num_key_value_heads: model.keyHeads,
    intermediate_size: model.intermediateSize,
    vocab_size: model.vocabularySize,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 100000,
    tie_word_embeddings: true,
    attention_dropout: 0,
    pad_token_id: 0,
    initializer_range: 0.02,
  };
  return writeFolder(folder, decoderShapesOf(model), config, dtype);
}

/** A model, and how it is measured unless options say otherwise. */
interface Measured {
  readonly title: string;
  readonly layers: number;
  readonly batch: number;
  readonly objective: 'classification' | 'causal-lm';
  readonly targets: readonly string[];
  readonly methods: string;
  /** Of "full", "texts" and, where it writes, "instructions". */
  readonly shapes: string;
  write(folder: string, layers: number, dtype?: Dtype): Promise<void>;
}

const encoder = (model: BenchModel): Measured => ({
  title: `BERT shape, width ${model.hiddenSize}`,
  layers: model.layers,
  batch: 16,
  objective: 'classification',
  targets: ['query', 'value'],
  methods: 'lora,bottleneck,prefix,full',
  shapes: 'full,texts',
  write: (folder, layers, dtype) => writeModel(folder, { ...model, layers }, dtype),
});

const benchModels: Readonly<Record<string, Measured>> = {
  minilm: encoder(miniLm),
  'bert-base': encoder(bertBase),
  smollm2: {
    title: `SmolLM2-135M's shape, width ${smolLm2.hiddenSize}, next tokens`,
    layers: smolLm2.layers,
    batch: 4,
    objective: 'causal-lm',
    targets: ['q_proj', 'v_proj'],
    methods: 'lora,prefix,full',
    shapes: 'full,texts,instructions',
    write: (folder, layers, dtype = 'F32') => writeDecoder(folder, { ...smolLm2, layers }, dtype),
  },
};

/** Options that name a model, and how many of its layers. */
export const modelOptions = { model: { type: 'string', default: 'minilm' }, layers: { type: 'string' } } as const;
/** What `--model` names. @throws Error naming those that there are */
export const benchModelOf = (name: string): Measured => named(benchModels, 'model', name);

/** An entry that an option names. @throws Error naming those that there are */
export function named<T>(entries: Readonly<Record<string, T>>, option: string, name: string): T {
  const entry = entries[name];
  if (entry === undefined) throw new Error(`--${option} has "${name}"; it takes ${Object.keys(entries).join(', ')}.`);
  return entry;
}

/** Lengths of a batch's rows: those of real texts in their order, or all the same. */
export function lengthsOf(step: number, size: number, lengths: readonly number[]): number[] {
  return Array.from({ length: size }, (_, row) => lengths[(step * size + row) % lengths.length] as number);
}

/**
 * Token ids and labels of one step for rows of lengths `own`, by a rule that the peer repeats; padded to the longest of them.
 * `prompts` are tokens at a row's beginning that have no label, of what learns to write.
 */
export function benchBatch(
  step: number,
  own: readonly number[],
  vocabularySize: number,
  objective: 'classification' | 'causal-lm' = 'classification',
  prompts: readonly number[] = [0],
): Batch {
  const size = own.length;
  const asked = lengthsOf(step, size, prompts);
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
    labels:
      objective === 'classification'
        ? Int32Array.from({ length: size }, () => next() % labels.length)
        : inputIds.map((id, cell) => {
            const answer = cell % sequence >= (asked[Math.floor(cell / sequence)] as number);
            return answer && attentionMask[cell] === 1 ? id : -100;
          }),
    weights: null,
  };
}

/** The same with padding as if it were text: every cell is computed. */
export const filledUp = (batch: Batch): Batch => ({ ...batch, attentionMask: batch.attentionMask.map(() => 1) });

/** A batch's rows in `count` batches of equal size, its width kept. */
export function partsOf(batch: Batch, count: number): Batch[] {
  const rows = batch.size / count;
  if (!Number.isInteger(rows)) throw new Error(`${batch.size} rows do not make ${count} equal parts.`);
  const own = (values: Int32Array, part: number) => {
    const width = values.length / count;
    return values.subarray(part * width, (part + 1) * width);
  };
  return Array.from({ length: count }, (_, part) => ({
    ...batch,
    size: rows,
    inputIds: own(batch.inputIds, part),
    attentionMask: own(batch.attentionMask, part),
    tokenTypeIds: own(batch.tokenTypeIds, part),
    labels: own(batch.labels, part),
  }));
}
