/** Models and batches that devices are tried on: made up, always the same. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '../models/folder.js';
import { architectureOf } from '../models/registry.js';
import { frozenBuilder } from '../models/builder.js';
import { writeSafetensors } from '../safetensors/index.js';
import type { BaseModelInfo, Batch } from '../types.js';
import { initialize } from './random.js';

export const labels: readonly string[] = ['a', 'b', 'c'];
const VOCABULARY = 64;

export interface TestShape {
  readonly hidden: number;
  readonly heads: number;
  readonly positions: number;
}
/** For the numbers: small enough that every kernel is soon compiled and run. */
export const smallShape: TestShape = { hidden: 32, heads: 4, positions: 32 };
/** For the time: MiniLM's width, so that a device shows what it gives beyond the cost of starting its kernels. */
export const typicalShape: TestShape = { hidden: 384, heads: 12, positions: 64 };

/** Writes a BERT of two layers, with dropout, into the folder. */
export async function makeModel(folder: string, { hidden, heads, positions }: TestShape): Promise<BaseModelInfo> {
  const config = {
    model_type: 'bert',
    vocab_size: VOCABULARY,
    hidden_size: hidden,
    num_hidden_layers: 2,
    num_attention_heads: heads,
    intermediate_size: 4 * hidden,
    max_position_embeddings: positions,
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
  };
  const architecture = architectureOf('bert');
  const read = architecture.readConfig(config);
  const b = frozenBuilder();
  architecture.classify(b, read, architecture.encode(b, read, architecture.reads), labels.length);
  const tensors = [...b.parameters.values()]
    .filter(({ name }) => !name.startsWith('classifier'))
    .map(({ name, shape, initializer }) => ({
      name,
      shape,
      dtype: 'F32' as const,
      data: initialize(
        name,
        shape.reduce((a, d) => a * d, 1),
        // Wider than BERT's own 0.02, which would leave little but LayerNorm's noise to compare.
        initializer === 'ones' ? 'ones' : { normal: 1.7 / Math.sqrt(hidden) },
        7,
      ),
    }));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, {});
  return openModel(folder);
}

/** `size` rows, each a token shorter than the one before. */
export function makeBatch(size: number, sequence: number): Batch {
  const cells = size * sequence;
  return {
    size,
    sequence,
    inputIds: Int32Array.from({ length: cells }, (_, i) => (i * 37) % VOCABULARY),
    tokenTypeIds: new Int32Array(cells),
    attentionMask: Int32Array.from({ length: cells }, (_, i) =>
      i % sequence < sequence - Math.floor(i / sequence) ? 1 : 0,
    ),
    labels: Int32Array.from({ length: size }, (_, i) => i % labels.length),
    weights: null,
  };
}
