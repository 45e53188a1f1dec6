/** Which loss is weighted: that of a training step; never those of validation and test. The real trainer process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StepMetric, ValidationMetric } from '../../../electron/contract/entities.js';
import { trainingSchema } from '../../../electron/contract/plan.js';
import { classRows, type ClassRow } from '../../helpers/outcomes.js';
import { asJsonLines, makeTinyModel, tinyLabels, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles, TrainerProcess } from '../../helpers/trainer-process.js';
import { classScores } from '../../helpers/scores.js';

const classWeights = { animal: 10, food: 1, tool: 0.1 };
const weights = tinyLabels.map((label) => classWeights[label as keyof typeof classWeights]);
let folder: string;
let trainer: TrainerProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'class-weights-'));
  await makeTinyModel(join(folder, 'model'));
  await writeFile(join(folder, 'rows.jsonl'), asJsonLines(tinyRows(40, 1)));
  trainer = await TrainerProcess.start();
}, 60_000);
afterAll(async () => {
  await trainer.kill();
  await Promise.all([removeBundles(), rm(folder, { recursive: true, force: true })]);
});

/** Trains on all rows at once, in their order and without dropout; the same rows are validated and tested on. */
async function run(maxSteps: number, earlyStoppingPatience: number | null = null) {
  const steps: StepMetric[] = [];
  const validations: ValidationMetric[] = [];
  const predictions: ClassRow[] = [];
  const rows = join(folder, 'rows.jsonl');
  const end = await trainer.run(
    {
      type: 'train',
      resume: false,
      runFolder: join(folder, `run-${maxSteps}-${earlyStoppingPatience}`),
      task: {
        training: trainingSchema.parse({
          classWeights,
          maxSteps,
          batchSize: 40,
          maxLength: 32,
          shuffle: false,
          modelDropout: 0,
          learningRate: 0.05,
          validateEverySteps: 1,
          earlyStoppingPatience,
        }),
        method: { type: 'head' },
        modelFolder: join(folder, 'model'),
        objective: { type: 'classification', labels: [...tinyLabels] },
        device: 'cpu',
        threads: null,
        initFolder: null,
        data: { train: rows, validation: rows, test: rows },
      },
    },
    (event) => {
      if (event.type === 'metrics') {
        steps.push(...event.steps);
        validations.push(...event.validations);
      }
      predictions.push(...classRows(event));
    },
  );
  if (end.type !== 'train' || end.result === null) throw new Error('no result');
  return { steps, validations, predictions, result: end.result };
}

/** Mean of -log p over rows, each with its weight. */
function meanLoss(predictions: readonly ClassRow[], weightOf: (label: number) => number): number {
  const sums = predictions.map(({ label, probabilities }) => [
    -Math.log(probabilities[label] ?? 0) * weightOf(label),
    weightOf(label),
  ]);
  const total = (at: 0 | 1) => sums.reduce((sum, pair) => sum + (pair[at] ?? 0), 0);
  return total(0) / total(1);
}

it('a run of no steps is validated and tested as it starts; its losses are unweighted', async () => {
  const { steps, validations, predictions, result } = await run(0);
  expect(steps).toEqual([]);
  expect(validations).toHaveLength(1);
  expect(validations[0]).toMatchObject({ step: 0, best: true });
  expect(result).toMatchObject({ steps: 0, bestStep: 0, stoppedEarly: false });
  expect(predictions).toHaveLength(40);
  const plain = meanLoss(predictions, () => 1);
  expect(Math.abs(plain - meanLoss(predictions, (label) => weights[label] ?? 0))).toBeGreaterThan(0.01);
  for (const loss of [validations[0]?.loss, result.validation?.loss, result.test?.loss])
    expect(loss).toBeCloseTo(plain, 6);

  // The first step starts from the same parameters and sees the same rows: its loss is the weighted mean.
  const [first] = (await run(1)).steps;
  expect(first?.loss).toBeCloseTo(
    meanLoss(predictions, (label) => weights[label] ?? 0),
    4,
  );
});

it('early stopping goes by macro F1, then by the unweighted loss', async () => {
  const { validations, result } = await run(60, 2);
  let best: (ReturnType<typeof classScores> & { readonly step: number }) | null = null;
  let without = 0;
  for (const validation of validations) {
    const one = { step: validation.step, ...classScores(validation) };
    const gain = best === null || one.macroF1 > best.macroF1 || (one.macroF1 === best.macroF1 && one.loss < best.loss);
    expect(validation.best).toBe(gain);
    without = gain ? 0 : without + 1;
    if (gain) best = one;
  }
  expect(result.stoppedEarly).toBe(true);
  expect(without).toBe(2);
  expect(result.bestStep).toBe(best?.step);
  expect(result.validation?.loss).toBe(best?.loss);
});
