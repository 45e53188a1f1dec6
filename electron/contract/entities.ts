/** What the window, the command and the studio talk about. Times are ISO 8601 in UTC; sizes are bytes; rates are per second. */
import { z } from 'zod';
import { problemSchema } from './errors.js';
import { deviceIdSchema, deviceSchema, methodSchema, planSchema } from './plan.js';

const id = z.int().positive();
const count = z.number().min(0);
const interval = z.object({ low: z.number(), high: z.number() });
const nullable = <T extends z.ZodType>(type: T) => type.nullable();
export const splitNames = ['train', 'validation', 'test'] as const;
export const splitNameSchema = z.enum(splitNames);
export type SplitName = z.infer<typeof splitNameSchema>;

export const projectSchema = z.object({
  id,
  name: z.string(),
  description: z.string(),
  createdAt: z.string(),
  archivedAt: nullable(z.string()),
  datasets: count,
  runs: count,
  runsActive: count,
  runsFailed: count,
  bytes: count,
  /** Best test score of a finished run, over seeds of its method. */
  best: nullable(
    z.object({
      method: methodSchema,
      label: z.string(),
      macroF1: z.number(),
      low: nullable(z.number()),
      high: nullable(z.number()),
      seeds: count,
    }),
  ),
});
export type Project = z.infer<typeof projectSchema>;

export const baseModelSchema = z.object({
  id,
  name: z.string(),
  folder: z.string(),
  architecture: z.string(),
  parameters: count,
  layers: count,
  hiddenSize: count,
  vocabularySize: count,
  maxLength: count,
  bytes: count,
  builtIn: z.boolean(),
  addedAt: z.string(),
  license: nullable(z.string()),
});
export type BaseModel = z.infer<typeof baseModelSchema>;

export const labelCountSchema = z.object({ label: z.string(), train: count, validation: count, test: count });
export const datasetSchema = z.object({
  id,
  projectId: id,
  name: z.string(),
  task: z.enum(['classification']),
  source: z.string(),
  textColumn: z.string(),
  pairColumn: nullable(z.string()),
  labelColumn: z.string(),
  rows: z.object({ train: count, validation: count, test: count }),
  labels: z.array(z.string()),
  splitNote: z.string(),
  skippedRows: count,
  bytes: count,
  createdAt: z.string(),
  contentHash: z.string(),
});
export type Dataset = z.infer<typeof datasetSchema>;

export const datasetRowSchema = z.object({
  id,
  split: splitNameSchema,
  position: count,
  text: z.string(),
  pair: nullable(z.string()),
  label: z.string(),
  line: count,
});
export type DatasetRow = z.infer<typeof datasetRowSchema>;

export const profileSchema = z.object({
  rows: z.object({ train: count, validation: count, test: count }),
  labels: z.array(labelCountSchema),
  /** Token lengths by the tokenizer of `tokenizer`; `bins[i]` counts rows with length in [edges[i], edges[i+1]). */
  lengths: z.object({
    tokenizer: z.string(),
    edges: z.array(z.number()),
    bins: z.array(z.number()),
    median: count,
    p95: count,
    max: count,
    /** For some maximum lengths: the share of rows (0 to 1) that lose text. */
    cut: z.array(z.object({ maxLength: count, share: z.number(), rows: count })),
  }),
  warnings: z.array(
    z.object({
      kind: z.enum(['empty-text', 'duplicate', 'conflicting-labels', 'leak', 'rare-label', 'long-text']),
      severity: z.enum(['bad', 'warn', 'info']),
      rows: count,
      message: z.string(),
      willHappen: z.string(),
      examples: z.array(z.object({ split: splitNameSchema, line: count, label: z.string(), text: z.string() })),
    }),
  ),
});
export type Profile = z.infer<typeof profileSchema>;

/** How a file reads before it is imported: real rows, detected options, suggested roles. */
export const readingOptionsSchema = z.strictObject({
  format: z.enum(['csv', 'tsv', 'json', 'jsonl', 'parquet', 'text']).optional(),
  encoding: z.string().optional(),
  delimiter: z.string().optional(),
  header: z.boolean().optional(),
});
export type ReadingOptions = z.infer<typeof readingOptionsSchema>;
export const filePreviewSchema = z.object({
  path: z.string(),
  bytes: count,
  format: z.enum(['csv', 'tsv', 'json', 'jsonl', 'parquet', 'text']),
  encoding: nullable(z.string()),
  delimiter: nullable(z.string()),
  header: z.boolean(),
  columns: z.array(
    z.object({
      name: z.string(),
      distinct: count,
      empty: count,
      meanLength: count,
      suggestedRole: z.enum(['text', 'pair', 'label', 'split', 'ignore']),
    }),
  ),
  rows: z.array(z.array(z.string())),
  rowsSampled: count,
  problems: z.array(z.object({ line: count, message: z.string() })),
});
export type FilePreview = z.infer<typeof filePreviewSchema>;

export const importRequestSchema = z.strictObject({
  projectId: id,
  name: z.string().min(1).max(200),
  path: z.string(),
  reading: readingOptionsSchema.default({}),
  task: z.literal('classification').default('classification'),
  textColumn: z.string(),
  pairColumn: nullable(z.string()).default(null),
  labelColumn: z.string(),
  /** A file, a share of the training rows (0 to 0.9), or null for none; `splitColumn` names the split in each row instead. */
  validation: z
    .union([z.string(), z.number().min(0).max(0.9)])
    .nullable()
    .default(0.15),
  test: z
    .union([z.string(), z.number().min(0).max(0.9)])
    .nullable()
    .default(0.15),
  splitColumn: nullable(z.string()).default(null),
  seed: z.int().min(0).default(1),
  badRows: z.enum(['skip', 'stop']).default('stop'),
});
export type ImportRequest = z.infer<typeof importRequestSchema>;

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
export const scoresSchema = z.object({
  accuracy: z.number(),
  macroF1: z.number(),
  loss: z.number(),
  /** 95 % intervals over the rows of the split (percentile bootstrap), where they were computed. */
  accuracyInterval: nullable(interval).optional(),
  macroF1Interval: nullable(interval).optional(),
  lossInterval: nullable(interval).optional(),
});
export type Scores = z.infer<typeof scoresSchema>;
export const runResultSchema = z.object({
  test: nullable(scoresSchema),
  validation: nullable(scoresSchema),
  bestStep: count,
  trainableParameters: count,
  totalParameters: count,
  secondsPerStep: count,
  tokensPerSecond: count,
  peakMemoryBytes: count,
  optimizerBytes: count,
  checkpointBytes: count,
  trainingSeconds: count,
  steps: count,
  stoppedEarly: z.boolean(),
  /** Stages that ran, of a method that trains in several: parameters and optimizer are then those of the largest. */
  stages: count.optional(),
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
  state: z.enum(runStates),
  step: count,
  totalSteps: count,
  secondsLeft: nullable(count),
  device: nullable(z.string()),
  createdAt: z.string(),
  startedAt: nullable(z.string()),
  endedAt: nullable(z.string()),
  validation: nullable(scoresSchema),
  result: nullable(runResultSchema),
  problem: nullable(problemSchema),
});
export type Run = z.infer<typeof runSchema>;

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
export const validationMetricSchema = z.object({ step: count, ...scoresSchema.shape, best: z.boolean() });
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

/** What a device's self-test found. */
export const testedDeviceSchema = z.object({
  id: deviceIdSchema,
  status: z.enum(['passed', 'failed', 'unavailable']),
  /** Largest relative difference of training steps' losses, gradient norms and logits from the CPU's. */
  difference: nullable(count),
  /** Of a LoRA step that is the same on every device; null where it was not measured to its end. */
  secondsPerStep: nullable(count),
  /** Why the device is not offered, or why it passed and was not timed. */
  reason: nullable(z.string()),
  testedAt: z.string(),
});
export type TestedDevice = z.infer<typeof testedDeviceSchema>;
export const deviceReportSchema = z.object({
  ...testedDeviceSchema.shape,
  title: z.string(),
  status: z.enum([...testedDeviceSchema.shape.status.options, 'untested', 'testing']),
  testedAt: nullable(z.string()),
  /** Whether a plan that leaves its device to the settings trains here. */
  inUse: z.boolean(),
});
export type DeviceReport = z.infer<typeof deviceReportSchema>;

export const exportFormatSchema = z.enum(['peft', 'adapterhub', 'studio', 'merged', 'onnx']);
export type ExportFormat = z.infer<typeof exportFormatSchema>;

export const methodInfoSchema = z.object({
  type: z.string(),
  title: z.string(),
  marker: z.enum([
    'diamond',
    'circle',
    'triangle',
    'square',
    'triangle-down',
    'plus',
    'hexagon',
    'hourglass',
    'cross',
    'star',
    'stairs',
    'frame',
    'bowtie',
    'ring',
    'pentagon',
    'triangle-left',
    'triangle-right',
    'trapezoid',
  ]),
  /** Token name of its colour in renderer/tokens.css: "cat-1". */
  colour: z.string(),
  summary: z.string(),
  help: z.string(),
  optionsSchema: z.record(z.string(), z.unknown()),
  defaults: methodSchema,
  /** Suggested learning rate for the method's default. */
  learningRate: z.number(),
  exports: z.array(exportFormatSchema),
});
export type MethodInfo = z.infer<typeof methodInfoSchema>;

const measured = z.object({ mean: z.number(), interval: nullable(interval) });
export const comparisonRowSchema = z.object({
  key: z.string(),
  type: z.string(),
  methodName: z.string(),
  setting: z.string(),
  baseline: z.boolean(),
  runs: z.array(id),
  seeds: z.array(z.number()),
  accuracy: measured,
  macroF1: measured,
  loss: measured,
  /** Difference from full fine-tuning in points (percent), paired by seed and test row; null without a baseline. */
  difference: nullable(z.object({ mean: z.number(), interval: nullable(interval), pairedSeeds: count })),
  verdict: z.object({
    kind: z.enum(['baseline', 'within', 'worse', 'better', 'undecided', 'no-baseline']),
    text: z.string(),
    moreSeeds: nullable(count),
  }),
  trainableParameters: count,
  share: z.number(),
  secondsPerStep: measured,
  tokensPerSecond: measured,
  peakMemoryBytes: count,
  optimizerBytes: count,
  checkpointBytes: count,
  trainingSeconds: measured,
});
export const comparisonSchema = z.object({
  dataset: z.string(),
  model: z.string(),
  testRows: count,
  measure: z.enum(['macroF1', 'accuracy']),
  zone: z.number(),
  /** How the intervals were made, in words: kind, seeds, pairing, adjustment. */
  method: z.string(),
  sentences: z.array(z.object({ kind: z.string(), text: z.string() })),
  rows: z.array(comparisonRowSchema),
  notes: z.array(z.string()),
});
export type Comparison = z.infer<typeof comparisonSchema>;
export type ComparisonRow = z.infer<typeof comparisonRowSchema>;

export const predictionSchema = z.object({
  runId: nullable(id),
  title: z.string(),
  type: nullable(z.string()),
  label: z.string(),
  probabilities: z.record(z.string(), z.number()),
  milliseconds: count,
  problem: nullable(problemSchema),
});
export type Prediction = z.infer<typeof predictionSchema>;

/** One row of a file; `row` counts the file's data rows from 0. */
export const answerSchema = z.object({
  row: count,
  label: z.string(),
  probabilities: z.record(z.string(), z.number()),
});
export type Answer = z.infer<typeof answerSchema>;

/** A part of the model's map: embeddings, a layer, the head, or what stands outside them. */
export const mapGroupSchema = z.object({
  kind: z.enum(['embeddings', 'layer', 'head', 'other']),
  name: z.string(),
  modules: z.array(
    z.object({
      path: z.string(),
      label: z.string(),
      linear: z.boolean(),
      tensors: z.array(
        z.object({
          name: z.string(),
          shape: z.array(z.number()),
          state: z.enum(['frozen', 'trained', 'added', 'fixed']),
        }),
      ),
    }),
  ),
});
export type MapGroup = z.infer<typeof mapGroupSchema>;

/** What became of a file that was answered. */
export const answeredFileSchema = z.object({
  rows: count,
  /** Rows that could not be read and have no answer. */
  skipped: count,
  /** Line and reason of the first of these: "line 42: cell 1 is longer than …". */
  firstSkipped: nullable(z.string()),
  out: nullable(z.string()),
});
/** The rows left out in words; null where there are none. */
export const skippedInWords = ({ skipped, firstSkipped }: z.infer<typeof answeredFileSchema>): string | null =>
  skipped === 0
    ? null
    : `${skipped.toLocaleString('en')} ${skipped === 1 ? 'row has' : 'rows have'} no answer, because of what is in the file; the first, ${firstSkipped}.`;

export const artefactSchema = z.object({
  id,
  runId: id,
  format: exportFormatSchema,
  folder: z.string(),
  bytes: count,
  createdAt: z.string(),
  /** Proof: rows run through the reloaded export and the largest absolute difference of a logit from the live run. */
  proof: z.object({ rows: count, largestDifference: z.number(), sameLabels: z.boolean() }),
});
export type Artefact = z.infer<typeof artefactSchema>;

export const settingsSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  device: deviceSchema.default('auto'),
  threads: z.int().min(1).max(256).nullable().default(null),
  memoryLimitBytes: z.number().positive().nullable().default(null),
  density: z.enum(['compact', 'normal', 'comfortable']).default('normal'),
  onClose: z.enum(['ask', 'continue', 'pause']).default('ask'),
});
export type Settings = z.infer<typeof settingsSchema>;

export const jobSchema = z.object({
  id: z.string(),
  kind: z.enum([
    'import',
    'profile',
    'export',
    'predict-file',
    'device-test',
    'project-export',
    'project-import',
    'estimate',
  ]),
  title: z.string(),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  done: count,
  total: nullable(count),
  message: z.string(),
  secondsLeft: nullable(count),
  result: z.unknown().optional(),
  problem: nullable(problemSchema),
});
export type Job = z.infer<typeof jobSchema>;
