/**
 * Every message between the studio and the trainer process, both ways, as schemas.
 * A process works its jobs off one after another; `cancel` and `pause` reach a job while it runs.
 * All messages survive JSON: a number that is not finite travels as null.
 */
import { z } from 'zod';
import {
  answeredFileSchema,
  answerTextSchema,
  askedSchema,
  estimateSchema,
  exportFormatSchema,
  logLineSchema,
  mergeCheckSchema,
  servedTogetherSchema,
  markedAnswerSchema,
  markedSpanSchema,
  messageSchema,
  nearWordSchema,
  pieceSchema,
  runResultSchema,
  samplingSchema,
  scoresSchema,
  stageMetricSchema,
  stepMetricSchema,
  testedDeviceSchema,
  validationMetricSchema,
} from '../contract/entities.js';
import { problemSchema } from '../contract/errors.js';
import { testOutcomeSchema } from '../contract/outcomes.js';
import { compositionSchema, deviceIdSchema, methodSchema, refineBySchema, trainingSchema } from '../contract/plan.js';
import { pretrainedSchema, pretrainingSchema } from '../contract/pretraining.js';
import { learnedSchema, type LearnedObjective } from '../contract/learned.js';

export const protocolVersion = 1;
/** The trained parameters of a finished run, inside its run folder. */
export const trainedFileName = 'trained.safetensors';

/** Tokens of a general text that are read; more would need models that take them. */
const generalLength = 128;

/** How general text is read by a run whose own texts have so many tokens. */
export const generalTraining = (maxLength: number) =>
  trainingSchema.parse({ maxLength: Math.min(maxLength, generalLength), exactMatchRows: 0 });

const count = z.number().min(0);
const path = z.string().min(1);
const threads = z.int().min(1).max(256).nullable().default(null);

/** One line of a split file (JSON Lines, UTF-8). `label` is the label's text; of conversations there are `messages`, of questions `answers`. */
export const splitRowSchema = z.object({
  id: z.int().min(0),
  text: z.string(),
  pair: z.string().nullable().default(null),
  label: z.string(),
  messages: z.array(messageSchema).nullable().default(null),
  answers: z.array(markedAnswerSchema).nullable().default(null),
});
/** Finished adapters that a run is made of. */
export const taskCompositionSchema = z.strictObject({
  kind: compositionSchema.shape.kind,
  how: compositionSchema.shape.how,
  head: compositionSchema.shape.head,
  parts: z.array(
    z.strictObject({
      /** How messages call it: "run 12". */
      name: z.string(),
      /** A finished run's folder, or an exported adapter's. */
      folder: path,
      /** Of a run, what it trained; of an exported adapter null, since its folder says. */
      method: methodSchema.nullable(),
      weight: z.number(),
    }),
  ),
});
export type TaskComposition = z.infer<typeof taskCompositionSchema>;

/** A finished run that another one goes on from. */
export const taskRefinementSchema = z.strictObject({
  /** How messages call it: "run 12". */
  name: z.string(),
  /** Its folder. */
  folder: path,
  how: refineBySchema,
  /** The method that reads what it kept. */
  method: methodSchema,
});
export type TaskRefinement = z.infer<typeof taskRefinementSchema>;

export type SplitRow = z.infer<typeof splitRowSchema>;

/** What training needs to know; the studio has checked the plan and resolved names and the device already. */
export const trainTaskSchema = z.strictObject({
  training: trainingSchema,
  method: methodSchema,
  modelFolder: path,
  /** Split files of `SplitRow` lines; null where the data set has no such split. */
  data: z.strictObject({ train: path, validation: path.nullable().default(null), test: path.nullable().default(null) }),
  objective: learnedSchema,
  device: deviceIdSchema,
  threads,
  /** An exported adapter or merged folder whose parameters the run starts from. */
  initFolder: path.nullable().default(null),
  /** Finished adapters that the run is made of, instead. */
  composition: taskCompositionSchema.optional(),
  /** Or the run that it goes on from; where that is merged, `modelFolder` holds its result already. */
  refinement: taskRefinementSchema.optional(),
  /** The base's own task is measured on general text (a split file) at each validation. */
  watch: z.strictObject({ file: path, objective: z.enum(['masked-lm', 'causal-lm']) }).optional(),
  /** False: the test split is not opened. */
  readTest: z.boolean().optional(),
});
export type TrainTask = z.infer<typeof trainTaskSchema>;

/** A model that answers: a run by its folder, or with `runFolder` null the untrained base with a fresh head. */
export const servedModelSchema = z.strictObject({
  key: z.string().min(1),
  modelFolder: path,
  runFolder: path.nullable(),
  method: methodSchema,
  objective: learnedSchema,
  maxLength: z.int().min(4).max(8192),
  /** How a question's context is cut and how long its answer may be, as the run was trained. */
  answers: trainingSchema.pick({ windowStride: true, maxAnswerTokens: true }).optional(),
  seed: z.int().min(0),
  device: deviceIdSchema.default('cpu'),
  threads,
});
export type ServedModel = z.infer<typeof servedModelSchema>;

/** Does it mark parts of a text? */
export const marks = ({ type }: Pick<LearnedObjective, 'type'>): boolean =>
  type === 'token-classification' || type === 'question-answering';

export const trainJobSchema = z.strictObject({
  type: z.literal('train'),
  task: trainTaskSchema,
  /** Holds `checkpoints/` and at the end `trained.safetensors`; made if missing. */
  runFolder: path,
  /** Goes on from the newest whole checkpoint in `runFolder`; from the start if there is none. */
  resume: z.boolean().default(false),
  /** Alike runs follow in this process: what it has read and compiled stays for them. */
  keeps: z.boolean().optional(),
});

/** Reads the test split with what a finished run trained, where the run left it out. */
export const testJobSchema = z.strictObject({
  type: z.literal('test'),
  task: trainTaskSchema,
  /** Null: the base as it is. */
  runFolder: path.nullable(),
  /** Of a search for a wording: what it found. */
  wording: z.string().min(1).nullable().default(null),
  /** `other`: the task is not the one that the run learned, so its head is left out. */
  head: z.enum(['own', 'other']).default('own'),
  /** The run that the other head comes from; null: the task needs none. */
  headFolder: path.nullable().default(null),
  /** As of training. */
  keeps: z.boolean().optional(),
});

export const probeJobSchema = z.strictObject({
  type: z.literal('probe'),
  task: trainTaskSchema,
  /** The user's own limit; null for what the machine has free. */
  memoryLimitBytes: z.number().positive().nullable().default(null),
});

export const predictJobSchema = z.strictObject({
  type: z.literal('predict'),
  models: z.array(servedModelSchema).min(1).max(16),
  /** False: models that are not open yet are opened one after the other and let go again. */
  keep: z.boolean().default(true),
  rows: z
    .array(z.strictObject({ text: z.string(), pair: z.string().nullable().default(null) }))
    .min(1)
    .max(1000),
});

export const predictFileJobSchema = z.strictObject({
  type: z.literal('predict-file'),
  model: servedModelSchema,
  file: path,
  textColumn: z.string(),
  pairColumn: z.string().nullable().default(null),
  /** A CSV to write, atomically; null sends `answers` events only. */
  out: path.nullable().default(null),
  /** Sends each row's answer as `answers` events (the command prints them). */
  report: z.boolean().default(false),
});

export const proveExportJobSchema = z.strictObject({
  type: z.literal('prove-export'),
  format: exportFormatSchema,
  folder: path,
  /** The live run the export must agree with. */
  model: servedModelSchema,
  /** A split file; its first `limit` rows are run through both. */
  rowsFile: path,
  limit: z.int().min(1).max(1000).default(64),
});

/** Who writes: a run by its folder, or with `runFolder` null the base as it is. */
export const writerSchema = z.strictObject({
  modelFolder: path,
  runFolder: path.nullable(),
  method: methodSchema,
  asked: askedSchema,
});
export type Writer = z.infer<typeof writerSchema>;

/** Several models write in turns, token by token. Cancelled, the job is done with what was written so far. */
export const generateJobSchema = z.strictObject({
  type: z.literal('generate'),
  writers: z.array(writerSchema).min(1).max(16),
  sampling: samplingSchema,
  device: deviceIdSchema.default('cpu'),
  threads,
});

export const mergeCheckJobSchema = z.strictObject({
  type: z.literal('merge-check'),
  model: servedModelSchema,
  /** An empty folder for the merged model; its owner removes it. */
  workFolder: path,
  rowsFile: path,
  limit: z.int().min(1).max(10_000).default(200),
});

/** Several runs of one base answer rows: each by itself, then all of them rows of the same batches, on one copy of the base's weights. */
export const serveTogetherJobSchema = z.strictObject({
  type: z.literal('serve-together'),
  models: z.array(servedModelSchema).min(1).max(64),
  rowsFile: path,
  limit: z.int().min(1).max(10_000).default(200),
});

export const virtualWordsJobSchema = z.strictObject({
  type: z.literal('virtual-words'),
  modelFolder: path,
  /** A finished run's. */
  runFolder: path,
  /** Words a virtual token. */
  count: z.int().min(1).max(50),
});

export const scoreWordingJobSchema = z.strictObject({
  type: z.literal('score-wording'),
  /** Its `wording` is the text to score. */
  model: servedModelSchema,
  /** A split file. */
  rowsFile: path,
});

export const pretrainJobSchema = z.strictObject({
  type: z.literal('pretrain'),
  /** Text files. */
  texts: z.array(path).min(1).max(10_000),
  /** A whole model folder when the job is done; holds what a later job goes on from when it is cut off. */
  workFolder: path,
  settings: pretrainingSchema,
  threads,
});

export const deviceTestJobSchema = z.strictObject({
  type: z.literal('device-test'),
  device: deviceIdSchema,
  threads,
});

export const trainerJobSchema = z.discriminatedUnion('type', [
  trainJobSchema,
  testJobSchema,
  probeJobSchema,
  predictJobSchema,
  predictFileJobSchema,
  proveExportJobSchema,
  generateJobSchema,
  mergeCheckJobSchema,
  serveTogetherJobSchema,
  virtualWordsJobSchema,
  scoreWordingJobSchema,
  pretrainJobSchema,
  deviceTestJobSchema,
]);
/** A job as sent (defaults may be left out) and as the trainer sees it. */
export type TrainerJobInput = z.input<typeof trainerJobSchema>;
export type TrainerJob = z.output<typeof trainerJobSchema>;
export type JobType = TrainerJob['type'];
export type JobOf<T extends JobType> = Extract<TrainerJob, { type: T }>;

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
  /** predict-file, prove-export, device-test, probe. */
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
