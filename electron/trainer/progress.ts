/** What a run remembers besides tensors: where it stands, which validation was best, what it took. Stored in each checkpoint. */
import { z } from 'zod';
import {
  measuresOf,
  scoresSchema,
  stageMetricSchema,
  stepMetricSchema,
  triedWordingSchema,
  validationMetricSchema,
  type Scores,
} from '../contract/entities.js';
import { measureTable } from '../contract/measures.js';
import type { Training } from '../contract/plan.js';

const bestSchema = z.object({
  step: z.int().min(0),
  /** As `stage` below. */
  stage: z.int().min(0),
  scores: scoresSchema,
  /** File of the parameters, beside the checkpoint. */ file: z.string(),
});

export const progressSchema = z.object({
  /** Optimizer steps done; the next step is this one, counted from 0. With the seed it also fixes epoch and batch. */
  step: z.int().min(0),
  totalSteps: z.int().min(0),
  /** Place of the stage at hand among those of the run, from 0; the tensors beside this are of its trainer. */
  stage: z.int().min(0),
  /** The stages that have ended. */
  stages: z.array(stageMetricSchema),
  /** Fingerprint of plan and data: a checkpoint of another task must not be gone on with. */
  fingerprint: z.string(),
  best: bestSchema.nullable(),
  lastValidation: scoresSchema.nullable(),
  validationsWithoutGain: z.int().min(0),
  stoppedEarly: z.boolean(),
  /** Seconds spent in steps, validations and saves, over all parts of an interrupted run. */
  seconds: z.number().min(0),
  tokens: z.number().min(0),
  /** Durations of the stage's latest steps, for a median that a slow first step does not bend. */
  recentStepSeconds: z.array(z.number().min(0)),
  peakMemoryBytes: z.number().min(0),
  /** Of a search for a wording: what the next validation tells of the steps since the last. */
  tried: z.array(triedWordingSchema).default([]),
  /**
   * Metrics since the checkpoint before this one, and earlier ones that the app had not stored. An app that is killed may lose
   * what it had received, and one with a full disk cannot store it; a resumed run tells these again, so that no step is missing
   * from its curve.
   */
  retold: z.object({ steps: z.array(stepMetricSchema), validations: z.array(validationMetricSchema) }),
});
export type Progress = z.infer<typeof progressSchema>;

const recentSteps = 256;

export const freshProgress = (totalSteps: number, fingerprint: string): Progress => ({
  step: 0,
  totalSteps,
  stage: 0,
  stages: [],
  fingerprint,
  best: null,
  lastValidation: null,
  validationsWithoutGain: 0,
  stoppedEarly: false,
  seconds: 0,
  tokens: 0,
  recentStepSeconds: [],
  peakMemoryBytes: 0,
  tried: [],
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

/**
 * By the first measure of the objective (what the rows do not give is worse than any), among equals by the lower loss (unweighted,
 * whatever the class weights). A full tie is no gain, so the earlier parameters stay.
 */
export function isBetter(scores: Scores, best: Scores | null): boolean {
  if (best === null) return true;
  const [main] = measuresOf(scores);
  const sign = measureTable[main].better === 'higher' ? 1 : -1;
  const rank = (of: Scores) => sign * (of[main] ?? -sign * Infinity);
  return rank(scores) > rank(best) || (rank(scores) === rank(best) && scores.loss < best.loss);
}

/**
 * After a validation. `patience` null never stops early.
 * @param lastStep of the stage at hand: there is nothing to stop any more
 * @param betterFile where the parameters of this step are stored; null if these scores are not the best so far
 */
export function afterValidation(
  progress: Progress,
  scores: Scores,
  patience: number | null,
  lastStep: number,
  betterFile: string | null,
): Progress {
  const validationsWithoutGain = betterFile === null ? progress.validationsWithoutGain + 1 : 0;
  return {
    ...progress,
    lastValidation: scores,
    validationsWithoutGain,
    stoppedEarly: patience !== null && validationsWithoutGain >= patience && progress.step < lastStep,
    best:
      betterFile === null ? progress.best : { step: progress.step, stage: progress.stage, scores, file: betterFile },
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

export type StepCounting = Pick<Training, 'batchSize' | 'epochs' | 'maxSteps'>;

/** Optimizer steps a run takes: as transformers counts them, the last short batch of an epoch being a step of its own. */
export function countSteps(rows: number, training: StepCounting): { stepsPerEpoch: number; totalSteps: number } {
  const stepsPerEpoch = Math.ceil(rows / training.batchSize);
  return { stepsPerEpoch, totalSteps: training.maxSteps ?? Math.ceil(training.epochs * stepsPerEpoch) };
}
