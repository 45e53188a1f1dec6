/** What the conformance suites over methods and architectures share. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  listMethods,
  type BaseModelInfo,
  type Batch,
  type MethodSpec,
  type TrainerOptions,
} from '../../electron/engine/index.js';

export const trainsBase = ['full', 'bitfit', 'progressive'];
/** What they put before a text changes the answer from the start. */
export const virtual = ['prefix', 'prompt', 'p-tuning', 'mam', 'unipelt'];
export const encoders = ['bert', 'roberta', 'distilbert'];
export const decoders = ['gpt2', 'llama', 'qwen2', 'qwen3'];
/** Llama and Qwen3 have no biases to train. */
export const nothingToTrain = new Map([['bitfit', ['llama', 'qwen3']]]);
const unmergeable = new Map([
  // A norm follows their last layer, so that a mixer cannot go into what reads it.
  ['mixer', decoders],
  // At Pfeiffer's place, which is the default; parallel ones in merge.test.ts.
  ['bottleneck', [...encoders, ...decoders]],
]);

/** Does the shortest spec of a method merge into this architecture? */
export const merges = (type: string, architecture: string): boolean =>
  listMethods().some((method) => method.type === type && method.exports.includes('merged')) &&
  !unmergeable.get(type)?.includes(architecture);

/** A short training of a small model, the same each time. */
export const trainerOptions = (
  model: BaseModelInfo,
  method: MethodSpec,
  objective: TrainerOptions['objective'],
  more: Partial<TrainerOptions> = {},
): TrainerOptions => ({
  model,
  method,
  objective,
  optimizer: { type: 'adamw', weightDecay: 0.01, gradientClip: 1 },
  modelDropout: 0.1,
  seed: 3,
  device: 'cpu',
  threads: 1,
  steps: 8,
  ...more,
});

/** Three rows of which two are padded. */
export const threeRows: Batch = {
  size: 3,
  sequence: 7,
  inputIds: Int32Array.from({ length: 21 }, (_, i) => (i % 7 > 6 - Math.floor(i / 7) ? 0 : 5 + ((i * 11) % 40))),
  tokenTypeIds: new Int32Array(21),
  attentionMask: Int32Array.from({ length: 21 }, (_, i) => (i % 7 > 6 - Math.floor(i / 7) ? 0 : 1)),
  labels: Int32Array.of(0, 1, 2),
  weights: null,
};

export const hashOf = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
