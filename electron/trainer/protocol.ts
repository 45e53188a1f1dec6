/**
 * Every message between the studio and the trainer process, both ways, as schemas.
 * A process works its jobs off one after another; `cancel` and `pause` reach a job while it runs.
 * All messages survive JSON: a number that is not finite travels as null.
 */
import { z } from 'zod';
import {
  answeredFileSchema,
  answerTextSchema,
  estimateSchema,
  logLineSchema,
  mergeCheckSchema,
  servedTogetherSchema,
  markedSpanSchema,
  nearWordSchema,
  pieceSchema,
  profileSchema,
  runResultSchema,
  scoresSchema,
  stageMetricSchema,
  stepMetricSchema,
  testedDeviceSchema,
  validationMetricSchema,
} from '../contract/entities.js';
import { problemSchema } from '../contract/errors.js';
import { testOutcomeSchema } from '../contract/outcomes.js';
import { deviceIdSchema } from '../contract/plan.js';
import { pretrainedSchema } from '../contract/pretraining.js';
import { trainerJobSchema, type JobType } from './job-schemas.js';

export * from './job-schemas.js';

export const protocolVersion = 1;
/** The trained parameters of a finished run, inside its run folder. */
export const trainedFileName = 'trained.safetensors';

const count = z.number().min(0);

export const hostMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('job'), id: z.string().min(1), job: trainerJobSchema }),
  z.strictObject({ kind: z.literal('cancel'), id: z.string() }),
  /** Training only: a checkpoint is written, then the job ends with status "paused". */
  z.strictObject({ kind: z.literal('pause'), id: z.string() }),
  /** Training only: that many of its metrics events are stored, from the first on without a gap. */
  z.strictObject({ kind: z.literal('stored'), id: z.string(), events: z.int().min(0) }),
  /** Ends the process at once; a running training loses what it did since its last checkpoint. */
  z.strictObject({ kind: z.literal('exit') }),
]);
export type HostMessage = z.input<typeof hostMessageSchema>;

/** `label`: the answer as a text: a label, several with commas, a number. */
const answered = {
  label: z.string(),
  probabilities: z.array(z.number()),
  value: z.number().nullable(),
  spans: z.array(markedSpanSchema).optional(),
};
export const answerSchema = z.object({ row: z.int().min(0), ...answered });
export type Answer = z.infer<typeof answerSchema>;

export const trainerEventSchema = z.discriminatedUnion('type', [
  /** Training: the engine stands. Metrics of steps above `step` that were stored before are sent again, with equal losses. */
  z.object({
    type: z.literal('started'),
    device: deviceIdSchema,
    resumed: z.boolean(),
    step: count,
    totalSteps: count,
    trainableParameters: count,
    totalParameters: count,
    optimizerBytes: count,
    /** Resident memory of the process before the engine was loaded. */
    baselineMemoryBytes: count,
  }),
  /** Training: at most about ten a second. */
  z.object({
    type: z.literal('metrics'),
    steps: z.array(stepMetricSchema),
    validations: z.array(validationMetricSchema),
    /** Stages that began or ended; a stage is told again as a whole. */
    stages: z.array(stageMetricSchema),
    log: z.array(logLineSchema),
    secondsLeft: z.number().min(0).nullable(),
  }),
  /** Training: what goes on besides steps. `total` is null where it is not known. */
  z.object({
    type: z.literal('phase'),
    phase: z.enum(['preparing', 'training', 'validating', 'testing', 'saving']),
    done: count,
    total: count.nullable(),
    /** Of testing, once all that is left has a known pace. */
    secondsLeft: z.number().min(0).nullish(),
  }),
  /** Training and test: the test rows, in pieces, before the job is done. A resumed run may send a row again. */
  z.object({ type: z.literal('outcomes'), rows: z.array(testOutcomeSchema) }),
  /** predict-file, prove-export, device-test, probe, profile. */
  z.object({ type: z.literal('progress'), done: count, total: count.nullable(), message: z.string() }),
  z.object({ type: z.literal('answers'), rows: z.array(answerSchema) }),
  /** generate: what has been written since the last, at most about sixteen a second. */
  z.object({ type: z.literal('pieces'), pieces: z.array(pieceSchema) }),
]);
export type TrainerEvent = z.infer<typeof trainerEventSchema>;

const scoredRow = z.object({ ...answered, logits: z.array(z.number()) });
export const jobResultSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('train'),
    status: z.enum(['finished', 'paused']),
    step: count,
    /** null while paused. */
    result: runResultSchema.nullable(),
    baselineMemoryBytes: count,
  }),
  z.object({ type: z.literal('test'), scores: scoresSchema }),
  z.object({
    type: z.literal('probe'),
    estimate: estimateSchema,
    baselineMemoryBytes: count,
    /** False where the longest batch was left out because smaller ones showed it cannot fit. */ measured: z.boolean(),
  }),
  /** One entry a model, in order; `rows` in the order asked. A model that fails says why and the others still answer. */
  z.object({
    type: z.literal('predict'),
    models: z.array(
      z.object({ key: z.string(), milliseconds: count, rows: z.array(scoredRow), problem: problemSchema.nullable() }),
    ),
  }),
  answeredFileSchema.extend({ type: z.literal('predict-file') }),
  mergeCheckSchema.extend({ type: z.literal('merge-check') }),
  servedTogetherSchema.extend({ type: z.literal('serve-together') }),
  /** `line` of an example is its row's id: split files do not tell lines. */
  z.object({ type: z.literal('profile'), profile: profileSchema }),
  z.object({
    type: z.literal('prove-export'),
    rows: count,
    largestDifference: z.number().min(0),
    sameLabels: z.boolean(),
  }),
  /** One answer a writer, in order. A writer that fails says why and the others go on. */
  z.object({ type: z.literal('generate'), answers: z.array(answerTextSchema) }),
  /** The nearest words of each virtual token; null where the run has no soft prompt. */
  z.object({ type: z.literal('virtual-words'), tokens: z.array(z.array(nearWordSchema)).nullable() }),
  z.object({
    type: z.literal('score-wording'),
    scores: scoresSchema,
    rows: count,
    /** Of the wording. */
    tokens: count,
  }),
  pretrainedSchema.extend({ type: z.literal('pretrain') }),
  z.object({
    type: z.literal('device-test'),
    report: testedDeviceSchema.omit({ testedAt: true }),
  }),
]);
export type JobResult = z.infer<typeof jobResultSchema>;
export type ResultOf<T extends JobType> = Extract<JobResult, { type: T }>;

export const trainerMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), version: z.literal(protocolVersion), pid: z.number() }),
  z.object({ kind: z.literal('event'), id: z.string(), event: trainerEventSchema }),
  z.object({ kind: z.literal('done'), id: z.string(), result: jobResultSchema }),
  z.object({ kind: z.literal('failed'), id: z.string(), problem: problemSchema }),
]);
export type TrainerMessage = z.infer<typeof trainerMessageSchema>;
