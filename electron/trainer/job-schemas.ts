/** What the trainer process is asked to do: a job of each type, and the tasks, models and writers that jobs name. */
import { z } from 'zod';
import {
  askedSchema,
  exportFormatSchema,
  markedAnswerSchema,
  messageSchema,
  samplingSchema,
} from '../contract/entities.js';
import { learnedSchema, type LearnedObjective } from '../contract/learned.js';
import { taskSchema } from '../contract/objectives.js';
import { compositionSchema, deviceIdSchema, methodSchema, refineBySchema, trainingSchema } from '../contract/plan.js';
import { pretrainingSchema } from '../contract/pretraining.js';

/** Tokens of a general text that are read; more would need models that take them. */
const generalLength = 128;

/** How general text is read by a run whose own texts have so many tokens. */
export const generalTraining = (maxLength: number) =>
  trainingSchema.parse({ maxLength: Math.min(maxLength, generalLength), exactMatchRows: 0 });

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

/** What a data set is like; `model` counts lengths in its tokens, null in words. */
export const profileJobSchema = z.strictObject({
  type: z.literal('profile'),
  task: taskSchema,
  model: z.strictObject({ folder: path, vocabularySize: z.int().min(1), architecture: z.string() }).nullable(),
  /** Split files; null for a split without rows. */
  data: z.strictObject({ train: path.nullable(), validation: path.nullable(), test: path.nullable() }),
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
  /** Empty, for made-up models. */
  folder: path,
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
  profileJobSchema,
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
