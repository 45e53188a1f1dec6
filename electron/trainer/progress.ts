/** What a run remembers besides tensors: where it stands, which validation was best, what it took. Stored in each checkpoint. */
import { z } from 'zod';
import { scoresSchema, stepMetricSchema, validationMetricSchema, type Scores } from '../contract/entities.js';

const bestSchema = z.object({
  step: z.int().min(0),
  scores: scoresSchema,
  /** File of the parameters, beside the checkpoint. */ file: z.string(),
});

export const progressSchema = z.object({
  /** Optimizer steps done; the next step is this one, counted from 0. With the seed it also fixes epoch and batch. */
  step: z.int().min(0),
  totalSteps: z.int().min(0),
  /** Fingerprint of plan and data: a checkpoint of another task must not be gone on with. */
  fingerprint: z.string(),
  best: bestSchema.nullable(),
  lastValidation: scoresSchema.nullable(),
  validationsWithoutGain: z.int().min(0),
  stoppedEarly: z.boolean(),
  /** Seconds spent in steps, validations and saves, over all parts of an interrupted run. */
  seconds: z.number().min(0),
  tokens: z.number().min(0),
  /** Durations of the latest steps, for a median that a slow first step does not bend. */
  recentStepSeconds: z.array(z.number().min(0)),
  peakMemoryBytes: z.number().min(0),
  /**
   * Metrics since the checkpoint before this one. An app that is killed may lose what it had received but not yet
   * stored; a resumed run tells these again, so that no step is missing from its curve.
   */
  retold: z.object({ steps: z.array(stepMetricSchema), validations: z.array(validationMetricSchema) }),
});
export type Progress = z.infer<typeof progressSchema>;

const recentSteps = 256;

export const freshProgress = (totalSteps: number, fingerprint: string): Progress => ({
  step: 0,
  totalSteps,
  fingerprint,
  best: null,
  lastValidation: null,
  validationsWithoutGain: 0,
  stoppedEarly: false,
  seconds: 0,
  tokens: 0,
  recentStepSeconds: [],
  peakMemoryBytes: 0,
  retold: { steps: [], validations: [] },
});

/** After an optimizer step. `tokens` counts real tokens, no padding. */
export function afterStep(progress: Progress, seconds: number, tokens: number): Progress {
  return {
    ...progress,
    step: progress.step + 1,
    seconds: progress.seconds + seconds,
    tokens: progress.tokens + tokens,
    recentStepSeconds: [...progress.recentStepSeconds.slice(1 - recentSteps), seconds],
  };
}

/** Higher macro F1 is better; among equals the lower loss; a full tie is no gain, so the earlier parameters stay. */
export function isBetter(scores: Scores, best: Scores | null): boolean {
  if (best === null) return true;
  return scores.macroF1 > best.macroF1 || (scores.macroF1 === best.macroF1 && scores.loss < best.loss);
}

/**
 * After a validation. `patience` null never stops early.
 * @param betterFile where the parameters of this step are stored; null if these scores are not the best so far
 */
export function afterValidation(
  progress: Progress,
  scores: Scores,
  patience: number | null,
  betterFile: string | null,
): Progress {
  const validationsWithoutGain = betterFile === null ? progress.validationsWithoutGain + 1 : 0;
  return {
    ...progress,
    lastValidation: scores,
    validationsWithoutGain,
    stoppedEarly: patience !== null && validationsWithoutGain >= patience && progress.step < progress.totalSteps,
    best: betterFile === null ? progress.best : { step: progress.step, scores, file: betterFile },
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** Optimizer steps a run takes: as transformers counts them, the last short batch of an epoch being a step of its own. */
export function countSteps(
  rows: number,
  training: { readonly batchSize: number; readonly epochs: number; readonly maxSteps: number | null },
): { stepsPerEpoch: number; totalSteps: number } {
  const stepsPerEpoch = Math.ceil(rows / training.batchSize);
  return { stepsPerEpoch, totalSteps: training.maxSteps ?? Math.ceil(training.epochs * stepsPerEpoch) };
}
