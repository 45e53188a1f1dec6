/**
 * Twenty training steps of every method against transformers, peft and AdapterHub: losses, gradient norms, learning rates,
 * first gradients and final values. Recipes and numbers were recorded by test/oracle; see its README for the definitions.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createTrainer,
  learningRateAt,
  openModel,
  type Batch,
  type EngineTrainer,
  type NamedTensors,
  type ObjectiveSpec,
  type OptimizerSpec,
} from '../../electron/engine/index.js';
import {
  below,
  largestDifference,
  oracleBatchSchema,
  oracleFolder,
  oracleJson,
  oracleTensors,
  toBatch,
} from '../helpers/oracle.js';

const recipeSchema = z.object({
  model: z.string(),
  objective: z.enum([
    'classification',
    'regression',
    'multi-label',
    'token-classification',
    'question-answering',
    'masked-lm',
    'causal-lm',
  ]),
  batches: z.string(),
  labels: z.array(z.string()),
  method: z.looseObject({ type: z.string() }),
  learningRate: z.number(),
  optimizer: z.enum(['adamw', 'sgd']),
  weightDecay: z.number(),
  momentum: z.number(),
  schedule: z.enum(['linear', 'cosine', 'constant']),
  warmupSteps: z.number(),
  steps: z.number(),
  gradientClip: z.number().nullable(),
  microBatches: z.array(z.number()),
  classWeights: z.record(z.string(), z.number()).nullable(),
  trainableParameters: z.number(),
  losses: z.array(z.number()),
  learningRates: z.array(z.number()),
  gradientNorms: z.array(z.number()),
});
type Recipe = z.output<typeof recipeSchema>;
type OracleBatch = z.output<typeof oracleBatchSchema>;

const folder = join(oracleFolder, 'training');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.safetensors'))
  .map((file) => file.slice(0, -'.safetensors'.length))
  .sort();

/** The engine's name of a parameter that a library saved under `name`. */
function engineName(name: string): string {
  return name.replace(/^base_model\.(model\.)?/, '');
}

const renamed = (tensors: NamedTensors): NamedTensors =>
  new Map([...tensors].map(([name, tensor]) => [engineName(name), tensor]));

/** Splits a batch by rows into micro-batches, each with its share of ids, labels and class weights. */
function split(batch: OracleBatch, recipe: Recipe): Batch[] {
  if (recipe.objective === 'masked-lm') return [toBatch(batch)];
  const labels = batch.labels ?? [];
  let start = 0;
  return recipe.microBatches.map((size) => {
    const cells = [start * batch.sequence, (start + size) * batch.sequence] as const;
    const each = labels.length / batch.size; // one a row, one a token, or an answer's two ends
    const part = toBatch({
      size,
      sequence: batch.sequence,
      inputIds: batch.inputIds.slice(...cells),
      attentionMask: batch.attentionMask.slice(...cells),
      tokenTypeIds: batch.tokenTypeIds.slice(...cells),
      ...(batch.targets ? { targets: targetsOf(batch, start, size) } : {}),
      labels: labels.slice(start * each, (start + size) * each),
      weights:
        recipe.classWeights &&
        labels.slice(start, start + size).map((label) => recipe.classWeights?.[recipe.labels[label] ?? ''] ?? NaN),
    });
    start += size;
    return part;
  });
}

function targetsOf({ targets = [], size: rows }: OracleBatch, start: number, size: number): number[] {
  const width = targets.length / rows;
  return targets.slice(start * width, (start + size) * width);
}

const objectiveOf = (recipe: Recipe): ObjectiveSpec =>
  recipe.objective === 'classification' ||
  recipe.objective === 'multi-label' ||
  recipe.objective === 'token-classification'
    ? { type: recipe.objective, labels: recipe.labels }
    : { type: recipe.objective };

async function trainerOf(recipe: Recipe, initial: NamedTensors, optimizer: OptimizerSpec): Promise<EngineTrainer> {
  const model = await openModel(join(oracleFolder, 'models', recipe.model));
  return createTrainer({
    model,
    method: recipe.method,
    objective: objectiveOf(recipe),
    optimizer,
    modelDropout: 0,
    seed: 1,
    device: 'cpu',
    steps: recipe.steps,
    initial,
  });
}

const batchesOf = (recipe: Recipe): OracleBatch[] =>
  oracleJson(z.object({ batches: z.array(oracleBatchSchema) }), 'training', `${recipe.batches}.json`).batches;

describe.each(names)('%s', (name) => {
  const recipe = oracleJson(recipeSchema, 'training', `${name}.json`);
  const tensors = oracleTensors('training', `${name}.safetensors`);
  const initial = renamed(below(tensors, 'initial.'));

  /** Of the first batch, where the fixture has them. */
  async function expectLogits(trainer: EngineTrainer, when: 'before' | 'after'): Promise<void> {
    const expected = tensors.get(`logits.${when}`);
    const [first] = batchesOf(recipe);
    if (!expected || !first) return;
    const logits = await trainer.predict(toBatch(first));
    expect(largestDifference(logits, expected.data), `logits ${when}`).toBeLessThan(1e-4);
  }

  it('has the losses, gradient norms and final values of PyTorch', async () => {
    const { optimizer: type, weightDecay, momentum, gradientClip } = recipe;
    const trainer = await trainerOf(recipe, initial, { type, weightDecay, momentum, gradientClip });
    expect(trainer.trainableParameters).toBe(recipe.trainableParameters);
    await expectLogits(trainer, 'before');
    for (const [step, batch] of batchesOf(recipe).slice(0, recipe.steps).entries()) {
      const { loss, gradientNorm } = await trainer.step(split(batch, recipe), recipe.learningRates[step] ?? NaN);
      expect(Math.abs(loss / (recipe.losses[step] ?? NaN) - 1), `loss of step ${step + 1}`).toBeLessThan(1e-5);
      expect(
        Math.abs(gradientNorm / (recipe.gradientNorms[step] ?? NaN) - 1),
        `gradient norm of step ${step + 1}`,
      ).toBeLessThan(1e-4);
    }
    await expectLogits(trainer, 'after');
    const parameters = trainer.parameters();
    for (const [key, { data }] of renamed(below(tensors, 'final.'))) {
      // It adds the same to every score, so that its gradient is rounding alone, which AdamW blows up.
      if (key.endsWith('.fusion.key.bias')) continue;
      const ours = parameters.get(key);
      if (ours === undefined)
        throw new Error(`the engine does not train ${key}; it trains ${[...parameters.keys()].join(', ')}`);
      expect(largestDifference(ours.data, data), key).toBeLessThan(0.02 * recipe.learningRate);
    }
    await trainer.dispose();
  });

  const gradients = renamed(below(tensors, 'gradient.'));
  it.runIf(gradients.size > 0)('has the gradients of PyTorch', async () => {
    // a step of plain gradient descent at rate 1 moves each value by its gradient
    const trainer = await trainerOf(recipe, initial, { type: 'sgd', weightDecay: 0, gradientClip: null });
    const before = trainer.parameters();
    const [batch] = batchesOf(recipe);
    if (batch === undefined) throw new Error('the fixture has no batch');
    await trainer.step(split(batch, recipe), 1);
    const after = trainer.parameters();
    await trainer.dispose();
    expect(new Set(trainer.trainable.map(({ name: key }) => key))).toEqual(new Set(gradients.keys()));
    for (const [key, { data }] of gradients) {
      const [from, to] = [before.get(key)?.data ?? [], after.get(key)?.data ?? []];
      const ours = Float32Array.from(data, (_, i) => (from[i] ?? NaN) - (to[i] ?? NaN));
      expect(largestDifference(ours, data), key).toBeLessThan(1e-6 + 1e-4 * Math.max(...data.map(Math.abs)));
    }
  });

  const logits = tensors.get('logits');
  it.runIf(logits)('has the logits of transformers before training', async () => {
    const trainer = await trainerOf(recipe, initial, { type: 'sgd', weightDecay: 0, gradientClip: null });
    const [batch] = batchesOf(recipe);
    if (batch === undefined || logits === undefined) throw new Error('the fixture has no batch');
    const ours = await trainer.predict(toBatch(batch));
    await trainer.dispose();
    // Padding is no candidate: its logits are only to be far below all others.
    const kept = [...logits.data.keys()].filter((i) => (logits.data[i] ?? 0) > -1e8);
    const at = (values: Float32Array) => kept.map((i) => values[i] ?? NaN);
    expect(largestDifference(at(ours), at(logits.data))).toBeLessThan(1e-4);
    expect(ours.every((value, i) => value > -1e8 === (logits.data[i] ?? 0) > -1e8)).toBe(true);
  });

  it('has the learning rates of transformers', () => {
    const settings = {
      learningRate: recipe.learningRate,
      schedule: recipe.schedule,
      warmupRatio: recipe.warmupSteps / recipe.steps,
    };
    for (const [step, rate] of recipe.learningRates.entries())
      expect(learningRateAt(step, recipe.steps, settings)).toBeCloseTo(rate, 12);
  });
});
