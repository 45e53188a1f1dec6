/**
 * Progressive unfreezing against plain PyTorch: twenty steps over two stages, by the trainer's own stages and the engine's own
 * trainers. The layout of the stages stands written out in test/oracle/make_progressive.py.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { trainingSchema } from '../../electron/contract/plan.js';
import {
  createTrainer,
  learningRateAt,
  openModel,
  stagesOf,
  type EngineTrainer,
  type NamedTensors,
} from '../../electron/engine/index.js';
import { courseOf } from '../../electron/trainer/course.js';
import { freshProgress } from '../../electron/trainer/progress.js';
import { Reporter } from '../../electron/trainer/reporter.js';
import { runStages } from '../../electron/trainer/stages.js';
import type { StepMetric } from '../../electron/contract/entities.js';
import {
  below,
  largestDifference,
  oracleBatchSchema,
  oracleFolder,
  oracleJson,
  oracleTensors,
  toBatch,
} from '../helpers/oracle.js';

const fixtureSchema = z.object({
  model: z.string(),
  batches: z.string(),
  labels: z.array(z.string()),
  method: z.looseObject({ type: z.string() }),
  training: trainingSchema,
  trainableParameters: z.array(z.number()),
  losses: z.array(z.number()),
  gradientNorms: z.array(z.number()),
  learningRates: z.array(z.number()),
});

const near = (ours: number | null | undefined, theirs: number | undefined) =>
  Math.abs((ours ?? NaN) / (theirs ?? NaN) - 1);

describe.each(['bert', 'distilbert'])('progressive unfreezing of %s', (name) => {
  it('has the losses, gradient norms, rates and final values of PyTorch in both stages', async () => {
    const fixture = oracleJson(fixtureSchema, 'progressive', `${name}.json`);
    const tensors = oracleTensors('progressive', `${name}.safetensors`);
    const { batches } = oracleJson(
      z.object({ batches: z.array(oracleBatchSchema) }),
      'training',
      `${fixture.batches}.json`,
    );
    const { training, method, labels } = fixture;
    const model = await openModel(join(oracleFolder, 'models', fixture.model));
    const course = courseOf(stagesOf(method, model), 8 * batches.length, training);
    const build = (stage: number, initial: NamedTensors) =>
      createTrainer({
        model,
        method,
        stage,
        objective: { type: 'classification', labels },
        optimizer: { type: training.optimizer, weightDecay: training.weightDecay, gradientClip: training.gradientClip },
        modelDropout: training.modelDropout,
        seed: 1,
        device: 'cpu',
        threads: 1,
        initial,
      });
    let trainer: EngineTrainer = await build(0, below(tensors, 'initial.'));
    const trained = [trainer.trainableParameters];
    let between: NamedTensors = new Map();
    const steps: StepMetric[] = [];
    const { progress } = await runStages(
      {
        course,
        training,
        source: {
          stepsPerEpoch: batches.length,
          batches: (step) => [toBatch(batches[step] ?? expect.fail(`no batch ${step}`))],
        },
        store: {
          save: async () => undefined,
          saveBest: async () => 'none',
          loadBest: () => expect.fail('nothing is validated'),
        },
        reporter: new Reporter(async (event) => {
          if (event.type === 'metrics') steps.push(...event.steps);
        }),
        control: { breathe: async () => undefined, pauseRequested: () => false, storedEvents: () => 0 },
        learningRateAt,
        validate: null,
        trainer: () => trainer,
        enter: async (stage, parameters) => {
          between = new Map(
            [...parameters].map(([key, { shape, data }]) => [key, { shape, data: Float32Array.from(data) }]),
          );
          await trainer.dispose();
          trainer = await build(stage, parameters);
          trained.push(trainer.trainableParameters);
        },
      },
      freshProgress(course.totalSteps, name),
    );
    expect(trained).toEqual(fixture.trainableParameters);
    expect(progress.stages.map(({ firstStep, lastStep }) => [firstStep, lastStep])).toEqual([
      [1, 10],
      [11, 20],
    ]);
    expect(steps).toHaveLength(fixture.losses.length);
    for (const [at, { loss, gradientNorm, learningRate }] of steps.entries()) {
      expect(near(loss, fixture.losses[at]), `loss of step ${at + 1}`).toBeLessThan(1e-5);
      expect(near(gradientNorm, fixture.gradientNorms[at]), `gradient norm of step ${at + 1}`).toBeLessThan(1e-4);
      expect(learningRate, `rate of step ${at + 1}`).toBeCloseTo(fixture.learningRates[at] ?? NaN, 12);
    }
    // What the first stage leaves alone is not among what it hands on, and PyTorch left it as the checkpoint has it.
    for (const [key, { data }] of below(tensors, 'frozen.')) {
      expect(between.has(key), key).toBe(false);
      const before = oracleTensors('models', fixture.model, 'model.safetensors').get(key);
      expect(largestDifference(before?.data ?? [], data), key).toBe(0);
    }
    const parameters = trainer.parameters();
    const finals = below(tensors, 'final.');
    expect(finals.size).toBeGreaterThan(10);
    for (const [key, { data }] of finals) {
      const ours = parameters.get(key);
      if (ours === undefined) throw new Error(`the engine does not train ${key}`);
      expect(largestDifference(ours.data, data), key).toBeLessThan(0.02 * training.learningRate);
    }
    await trainer.dispose();
  });
});
