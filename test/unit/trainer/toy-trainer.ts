/** A small real model behind the engine's interface: logistic regression over a bag of token ids, with momentum and seeded input dropout. */
import type { Batch, EngineTrainer, NamedTensors, StepResult, Tensor } from '../../../electron/engine/index.js';
import { uniforms } from '../../helpers/tiny-model.js';

export interface ToyOptions {
  readonly vocabulary: number;
  readonly classes: number;
  readonly seed?: number;
  readonly dropout?: number;
}

export class ToyTrainer implements EngineTrainer {
  readonly trainable;
  readonly trainableParameters: number;
  readonly totalParameters: number;
  readonly optimizerBytes: number;
  readonly mostOptimizerBytes: number;
  private readonly weight: Float32Array;
  private readonly moment: Float32Array;
  stepsDone = 0;
  private readonly seed: number;

  constructor(private readonly options: ToyOptions) {
    const { vocabulary, classes } = options;
    this.seed = options.seed ?? 1;
    const next = uniforms(this.seed);
    this.weight = Float32Array.from({ length: vocabulary * classes }, () => 0.02 * (next() - 0.5));
    this.moment = new Float32Array(vocabulary * classes);
    this.trainable = [{ name: 'weight', shape: [vocabulary, classes] }];
    this.trainableParameters = this.weight.length;
    this.totalParameters = this.weight.length;
    this.optimizerBytes = this.moment.byteLength;
    this.mostOptimizerBytes = this.optimizerBytes;
  }

  async step(batches: readonly Batch[], learningRate: number): Promise<StepResult> {
    const { classes } = this.options;
    const gradient = new Float32Array(this.weight.length);
    const next = uniforms(this.seed * 7919 + this.stepsDone);
    let loss = 0;
    const rows = batches.reduce((sum, batch) => sum + batch.size, 0);
    for (const batch of batches) {
      for (let row = 0; row < batch.size; row += 1) {
        const ids = this.idsOf(batch, row).filter(() => next() >= (this.options.dropout ?? 0));
        const probabilities = softmax(this.logits(ids));
        const label = batch.labels[row] ?? 0;
        loss -= Math.log(probabilities[label] ?? 0) / rows;
        for (const id of ids)
          for (let c = 0; c < classes; c += 1)
            gradient[id * classes + c]! += ((probabilities[c] ?? 0) - (c === label ? 1 : 0)) / rows;
      }
    }
    let square = 0;
    for (let i = 0; i < gradient.length; i += 1) {
      square += gradient[i]! ** 2;
      this.moment[i] = 0.9 * this.moment[i]! + gradient[i]!;
      this.weight[i]! -= learningRate * this.moment[i]!;
    }
    this.stepsDone += 1;
    return { loss, gradientNorm: Math.sqrt(square) };
  }

  async predict(batch: Batch): Promise<Float32Array> {
    return Float32Array.from(
      Array.from({ length: batch.size }, (_, row) => this.logits(this.idsOf(batch, row))).flat(),
    );
  }

  async evaluate(batch: Batch): Promise<{ lossSum: number; weightSum: number; logits: Float32Array }> {
    const logits = await this.predict(batch);
    const { classes } = this.options;
    let lossSum = 0;
    for (let row = 0; row < batch.size; row += 1)
      lossSum -= Math.log(
        softmax(Array.from(logits.subarray(row * classes, (row + 1) * classes)))[batch.labels[row] ?? 0] ?? 0,
      );
    return { lossSum, weightSum: batch.size, logits };
  }

  parameters(): NamedTensors {
    return new Map([['weight', this.tensor(this.weight)]]);
  }

  async result(): Promise<NamedTensors> {
    return this.parameters();
  }

  saveState(): NamedTensors {
    return new Map([
      ['weight', this.tensor(this.weight)],
      ['moment', this.tensor(this.moment)],
      ['steps', { shape: [1], data: Float32Array.of(this.stepsDone) }],
    ]);
  }

  loadState(state: NamedTensors): void {
    this.loadParameters(state);
    this.moment.set(state.get('moment')!.data);
    this.stepsDone = state.get('steps')!.data[0]!;
  }

  loadParameters(parameters: NamedTensors): void {
    this.weight.set(parameters.get('weight')!.data);
  }

  async dispose(): Promise<void> {}

  private tensor(data: Float32Array): Tensor {
    return { shape: [this.options.vocabulary, this.options.classes], data: data.slice() };
  }

  private idsOf(batch: Batch, row: number): number[] {
    const from = row * batch.sequence;
    return Array.from(batch.inputIds.subarray(from, from + batch.sequence)).filter(
      (_, at) => batch.attentionMask[from + at] === 1,
    );
  }

  private logits(ids: readonly number[]): number[] {
    const { classes } = this.options;
    return Array.from({ length: classes }, (_, c) =>
      ids.reduce((sum, id) => sum + (this.weight[id * classes + c] ?? 0), 0),
    );
  }
}

function softmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Rows whose label is decided by an id; batches by step and seed alone. */
export function toyBatch(step: number, size: number, seed = 1): Batch {
  const next = uniforms(seed * 104729 + step);
  const sequence = 6;
  const labels = Int32Array.from({ length: size }, () => Math.floor(next() * 3));
  const inputIds = new Int32Array(size * sequence);
  const attentionMask = new Int32Array(size * sequence);
  for (let row = 0; row < size; row += 1) {
    const length = 3 + Math.floor(next() * (sequence - 2));
    for (let at = 0; at < length; at += 1) {
      inputIds[row * sequence + at] = at === 1 ? 20 + (labels[row] ?? 0) : Math.floor(next() * 20);
      attentionMask[row * sequence + at] = 1;
    }
  }
  return {
    size,
    sequence,
    inputIds,
    attentionMask,
    tokenTypeIds: new Int32Array(size * sequence),
    labels,
    weights: null,
  };
}
