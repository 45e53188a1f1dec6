/**
 * Numbers are learned as standard scores of the training rows, so that a learning rate fits lengths, prices and ratings alike, and are
 * told in the data's own unit. The last layer of the head is linear, so what a run keeps needs no scale beside it: the layer takes it in.
 */
import { baseTensor, planParameters, type BaseModelInfo, type Batch, type EngineTrainer } from '../engine/index.js';
import type { NamedTensors, Tensor } from '../engine/index.js';
import { isHead } from '../interchange/index.js';
import type { Spread } from '../data/index.js';
import type { TrainTask } from './protocol.js';

/** number = center + scale · score */
export interface Standard {
  readonly center: number;
  readonly scale: number;
  /** Parameters of the head's last layer; a decoder's has no bias. */
  readonly weight: string;
  readonly bias: string | null;
}

/** How numbers so spread are learned by a head. Without a bias there is no place for their mean: they are only scaled then. */
export function standardOf(
  { mean, deviation }: Spread,
  method: TrainTask['method'],
  model: BaseModelInfo,
): Standard | null {
  const head = planParameters({ model, method, objective: { type: 'regression' }, steps: 0 }).filter(({ name }) =>
    isHead(model, name),
  );
  const weight = head.find(({ shape }) => shape.length === 2 && shape[0] === 1)?.name;
  if (weight === undefined) return null;
  const bias = head.find(({ name }) => name === weight.replace(/weight$/, 'bias'))?.name ?? null;
  return bias === null
    ? { center: 0, scale: Math.hypot(mean, deviation) || 1, weight, bias }
    : { center: mean, scale: deviation || 1, weight, bias };
}

/** The last layer with other numbers, where it is among these. */
const changed = (
  parameters: NamedTensors,
  { weight, bias }: Standard,
  of: { weight(value: number): number; bias(value: number): number },
): NamedTensors =>
  new Map(
    [...parameters].map(([name, tensor]): [string, Tensor] => [
      name,
      name === weight
        ? { ...tensor, data: tensor.data.map(of.weight) }
        : name === bias
          ? { ...tensor, data: tensor.data.map(of.bias) }
          : tensor,
    ]),
  );

/** Start values in the data's unit as those of scores: a head that the base brings along is one of them. */
export async function toScores(
  parameters: NamedTensors,
  model: BaseModelInfo,
  standard: Standard,
): Promise<NamedTensors> {
  const { center, scale, weight, bias } = standard;
  const own: NamedTensors = new Map(parameters);
  for (const name of [weight, bias])
    if (
      name !== null &&
      !own.has(name) &&
      model.parameters.some((known) => known.name === name && known.shape[0] === 1)
    )
      own.set(name, await baseTensor(model, name));
  return changed(own, standard, { weight: (value) => value / scale, bias: (value) => (value - center) / scale });
}

/** A trainer of scores as one of numbers: only its checkpoints and the parameters at hand remain those of scores. */
export function standardized(trainer: EngineTrainer, standard: Standard): EngineTrainer {
  const { center, scale } = standard;
  const scored = (batch: Batch): Batch => ({
    ...batch,
    targets: batch.targets?.map((number) => (number - center) / scale) ?? null,
  });
  const numbers = (scores: Float32Array) => scores.map((score) => center + scale * score);
  return {
    get trainable() {
      return trainer.trainable;
    },
    get trainableParameters() {
      return trainer.trainableParameters;
    },
    get totalParameters() {
      return trainer.totalParameters;
    },
    get optimizerBytes() {
      return trainer.optimizerBytes;
    },
    get mostOptimizerBytes() {
      return trainer.mostOptimizerBytes;
    },
    async step(batches, learningRate) {
      const told = await trainer.step(batches.map(scored), learningRate);
      return { ...told, loss: told.loss * scale ** 2 };
    },
    predict: async (batch) => numbers(await trainer.predict(scored(batch))),
    async evaluate(batch) {
      const told = await trainer.evaluate(scored(batch));
      return { ...told, lossSum: told.lossSum * scale ** 2, logits: numbers(told.logits) };
    },
    settle: async () => trainer.settle?.(),
    parameters: (live) => trainer.parameters(live),
    result: async () =>
      changed(await trainer.result(), standard, {
        weight: (value) => value * scale,
        bias: (value) => center + scale * value,
      }),
    saveState: (live) => trainer.saveState(live),
    loadState: (state) => trainer.loadState(state),
    loadParameters: (parameters) => trainer.loadParameters(parameters),
    dispose: () => trainer.dispose(),
  };
}
