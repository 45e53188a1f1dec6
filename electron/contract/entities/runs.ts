/** Runs: their states, measurements, history, and what is estimated before. */
import { z } from 'zod';
import { problemSchema } from '../errors.js';
import { planSchema } from '../plan.js';
import { count, id, nullable } from './common.js';
import { scoresSchema } from './scores.js';

export const runStates = [
  'queued',
  'preparing',
  'running',
  'paused',
  'interrupted',
  'finished',
  'cancelled',
  'failed',
] as const;
/** Where a run was trained that another program trained: its times and memory are not this computer's. */
export const elsewhereSchema = z.object({
  /** "NVIDIA H100", "cpu x86_64". */
  device: z.string(),
  processes: count,
  /** As accelerate names it: "no", "bf16". */
  precision: z.string(),
  /** Of Python and its packages. */
  versions: z.record(z.string(), z.string()),
  secondsPerStep: nullable(count),
  trainingSeconds: count,
  peakMemoryBytes: nullable(count),
  /** SHA-256 of the result's file: the same one is not taken back twice. */
  result: z.string(),
  /** Test rows that were answered here too, and the largest difference of a probability, or of a number in its own unit. */
  proof: z.object({ rows: count, largestDifference: count }),
});
export type Elsewhere = z.infer<typeof elsewhereSchema>;
export const runResultSchema = z.object({
  test: nullable(scoresSchema),
  validation: nullable(scoresSchema),
  bestStep: count,
  trainableParameters: count,
  totalParameters: count,
  /** What was measured here; null of a run that was trained elsewhere. */
  secondsPerStep: nullable(count),
  tokensPerSecond: nullable(count),
  peakMemoryBytes: nullable(count),
  optimizerBytes: nullable(count),
  checkpointBytes: count,
  trainingSeconds: nullable(count),
  elsewhere: elsewhereSchema.optional(),
  steps: count,
  stoppedEarly: z.boolean(),
  /** True where earlier runs left memory behind in its process: its peak is then an upper bound. */
  sharedProcess: z.boolean().optional(),
  /** Stages that ran, of a method that trains in several: parameters and optimizer are then those of the largest. */
  stages: count.optional(),
  /** The text that a search for a wording came to: best on validation. */
  wording: z.string().optional(),
});
export type RunResult = z.infer<typeof runResultSchema>;
export const runSchema = z.object({
  id,
  projectId: id,
  modelId: id,
  datasetId: id,
  modelName: z.string(),
  datasetName: z.string(),
  /** Short name of method and setting, as tables show it: "LoRA", "r 8, query value". */
  methodName: z.string(),
  setting: z.string(),
  seed: z.number(),
  plan: planSchema,
  /** The study that made it, and what for: "choice", "final". Left out for a run of its own. */
  study: z.object({ id, name: z.string(), role: z.string() }).optional(),
  state: z.enum(runStates),
  step: count,
  totalSteps: count,
  secondsLeft: nullable(count),
  device: nullable(z.string()),
  /** Each with the steps done when it took over, the first at 0; none for a run that stayed on one device. */
  devices: z.array(z.object({ device: z.string(), afterStep: count })).nullish(),
  createdAt: z.string(),
  startedAt: nullable(z.string()),
  endedAt: nullable(z.string()),
  validation: nullable(scoresSchema),
  result: nullable(runResultSchema),
  problem: nullable(problemSchema),
});
export type Run = z.infer<typeof runSchema>;
/** The result of a job that took one back. */
export const takenBackSchema = z.object({ runId: id });

export const stepMetricSchema = z.object({
  step: count,
  loss: nullable(z.number()),
  learningRate: z.number(),
  gradientNorm: nullable(z.number()),
  tokensPerSecond: count,
  memoryBytes: count,
  seconds: count.describe('Duration of this step'),
});
export type StepMetric = z.infer<typeof stepMetricSchema>;
/** An exchange of one token of a wording: its position, counted from 1, the new token and the loss on the step's rows. */
export const triedWordingSchema = z.object({
  step: count,
  position: count,
  word: z.string(),
  loss: z.number(),
  /** It took the place. */
  accepted: z.boolean(),
});
export type TriedWording = z.infer<typeof triedWordingSchema>;
export const validationMetricSchema = z.object({
  step: count,
  best: z.boolean(),
  /** Of a search for a wording: the text that was validated, and what was tried since the validation before, the best first. */
  search: z.object({ wording: z.string(), tried: z.array(triedWordingSchema) }).optional(),
  /** The base's own loss a token on general text, with what the run made of it so far. */
  general: z.object({ loss: z.number() }).optional(),
  ...scoresSchema.shape,
});
export type ValidationMetric = z.infer<typeof validationMetricSchema>;
/** One stage of a method that trains in stages. Told when it begins and, as a whole, when it has ended. */
export const stageMetricSchema = z.object({
  /** Counted from 1. */
  stage: count,
  stages: count,
  /** What trains, in words. */
  trains: z.string(),
  firstStep: count,
  lastStep: count,
  /** Of its fastest parameters, at the top of the schedule. */
  learningRate: z.number(),
  trainableParameters: count,
  optimizerBytes: count,
  /** Null until it has ended, as are the others below. */
  secondsPerStep: nullable(count),
  /** Validation at its end; null without validation rows. */
  scores: nullable(scoresSchema),
  /** Whether a validation of it was the best so far; null without validation rows. */
  helped: nullable(z.boolean()),
  /** What followed: the next stage, that from the best parameters, or the end of the run (`stop`: before its last stage). */
  next: nullable(z.enum(['next', 'back', 'stop', 'end'])),
});
export type StageMetric = z.infer<typeof stageMetricSchema>;
export const logLineSchema = z.object({
  time: z.string(),
  level: z.enum(['plan', 'probe', 'check', 'note', 'save', 'error']),
  message: z.string(),
});
export type LogLine = z.infer<typeof logLineSchema>;
export const runHistorySchema = z.object({
  steps: z.array(stepMetricSchema),
  validations: z.array(validationMetricSchema),
  stages: z.array(stageMetricSchema),
  log: z.array(logLineSchema),
});
export type RunHistory = z.infer<typeof runHistorySchema>;

/** One of the words nearest to a virtual token. */
export const nearWordSchema = z.object({
  word: z.string(),
  /** Cosine of the angle between the word's embedding and the virtual token's. */
  similarity: z.number(),
});
export type NearWord = z.infer<typeof nearWordSchema>;

export const estimateSchema = z.object({
  trainableParameters: count,
  totalParameters: count,
  totalSteps: count,
  /** Low and high of the measured probe, extrapolated. */
  seconds: z.object({ low: count, high: count }),
  /** Median of the typical steps, and their real tokens a second. */
  secondsPerStep: count,
  tokensPerSecond: count,
  peakMemoryBytes: count,
  availableMemoryBytes: count,
  diskBytes: count,
  fits: z.boolean(),
  remedies: z.array(z.string()),
});
export type Estimate = z.infer<typeof estimateSchema>;
