/**
 * The run plan: the one schema that the window, the command and the help share.
 * Method options are validated by the method's own schema (engine/peft), looked up by `method.type`.
 */
import { z } from 'zod';
import { objectiveSchema } from './objectives.js';
import { verbalizerSchema } from './verbalizer.js';

export const scheduleSchema = z.enum(['linear', 'cosine', 'constant']);
export const optimizerSchema = z.enum(['adamw', 'sgd']);
export const deviceIdSchema = z.enum(['cpu', 'webgpu', 'cuda', 'dml', 'coreml']);
export const deviceSchema = z.enum(['auto', ...deviceIdSchema.options]);

export const trainingSchema = z.strictObject({
  epochs: z.number().positive().max(1000).default(3).describe('Passes over the training split'),
  maxSteps: z
    .int()
    .min(0)
    .max(10_000_000)
    .nullable()
    .default(null)
    .describe('Optimizer steps; overrides epochs when set'),
  examplesPerClass: z
    .int()
    .min(1)
    .max(10_000_000)
    .nullable()
    .default(null)
    .describe(
      'Training examples drawn of each class by the seed, the same for every method; of data without classes, of the split. null takes all',
    ),
  batchSize: z.int().min(1).max(4096).default(16).describe('Examples an optimizer step'),
  accumulationSteps: z
    .int()
    .min(1)
    .max(1024)
    .default(1)
    .describe('Micro-batches that make one optimizer step; batchSize is split over them'),
  maxLength: z.int().min(4).max(8192).default(128).describe('Tokens kept of a row, special tokens included'),
  optimizer: optimizerSchema.default('adamw'),
  learningRate: z.number().positive().max(10).default(0.001),
  schedule: scheduleSchema.default('linear'),
  warmupRatio: z.number().min(0).max(1).default(0.06).describe('Share of all steps in which the rate rises from 0'),
  weightDecay: z.number().min(0).max(1).default(0.01).describe('Decoupled; none on biases and LayerNorm'),
  gradientClip: z
    .number()
    .positive()
    .nullable()
    .default(1.0)
    .describe('Largest global gradient norm; null switches clipping off'),
  shuffle: z.boolean().default(true),
  seed: z.int().min(0).max(4_294_967_295).default(1),
  modelDropout: z
    .number()
    .min(0)
    .max(0.9)
    .nullable()
    .default(null)
    .describe("null keeps the base model's own rates, 0 switches them off"),
  packWeights: z
    .boolean()
    .default(true)
    .describe(
      'On the CPU: frozen weights are also held in the order that its kernels like; false holds them once, for steps that take longer',
    ),
  loadIn8bit: z
    .boolean()
    .default(false)
    .describe(
      'On the CPU: training steps compute the products with the frozen matrices in 8 bits, which is quicker and not exact; what trains, and validation and test, stay float32',
    ),
  gradientCheckpointing: z
    .boolean()
    .default(false)
    .describe(
      'What a layer computes on its way is computed anew for the backward pass instead of kept: the same result for less memory, steps take about half as long again',
    ),
  validateEverySteps: z.int().min(1).nullable().default(null).describe('null validates at the end of each epoch'),
  earlyStoppingPatience: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'Validations without gain (the first measure of the objective; where it is equal, the unweighted loss) before the run stops; null never stops early',
    ),
  classWeights: z
    .union([z.literal('balanced'), z.record(z.string(), z.number().positive())])
    .nullable()
    .default(null)
    .describe(
      'Weights of the classes in the loss that training minimizes, the loss of each step; the losses of validation and test stay unweighted',
    ),
  packing: z
    .boolean()
    .default(true)
    .describe(
      'Causal LM: short examples of a step share a row no longer than its longest, none seeing another; the result is the same, steps are quicker. Masked LM: all texts are one stream, cut into rows of maxLength tokens; false gives each text rows of its own',
    ),
  completionOnlyLoss: z
    .boolean()
    .default(true)
    .describe(
      "Causal LM on prompts or conversations: loss on the assistant's answers with the token that ends them; false trains on all tokens",
    ),
  mlmProbability: z
    .number()
    .gt(0)
    .max(1)
    .default(0.15)
    .describe('Masked LM: share of the tokens that are to be guessed; drawn anew for each training batch'),
  maskReplaceProb: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe('Masked LM: of these, the share that becomes the mask token'),
  randomReplaceProb: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Masked LM: and the share that becomes a random token; the others stay as they are'),
  windowStride: z
    .int()
    .min(0)
    .max(8192)
    .default(64)
    .describe(
      'Question answering: tokens that neighbouring windows of a context share, where it is longer than maxLength',
    ),
  maxAnswerTokens: z
    .int()
    .min(1)
    .max(8192)
    .default(30)
    .describe('Question answering: the longest answer that is given'),
  exactMatchRows: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(100)
    .describe('Causal LM: how many test rows have their last answer generated and compared with theirs; 0 for none'),
  checkpointEverySteps: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('null saves about once a minute and at each validation'),
});

type WithoutDefaults<S extends z.ZodRawShape> = {
  [K in keyof S]: z.ZodOptional<S[K] extends z.ZodDefault<infer Inner> ? Inner : S[K]>;
};

/** The same keys, each optional and without its default: a change holds only what it names (`partial()` alone would fill in the rest). */
export function changeOf<S extends z.ZodRawShape>(schema: z.ZodObject<S>) {
  const shape = Object.fromEntries(
    Object.entries(schema.shape).map(([key, type]) => [
      key,
      z.optional(type instanceof z.ZodDefault ? type.removeDefault() : type),
    ]),
  );
  return z.strictObject(shape as WithoutDefaults<S>); // built key by key from that very shape
}

export const methodSchema = z.looseObject({ type: z.string().min(1) });

/** How finished adapters are made into one: what a run starts from, and its lineage. */
export const compositionSchema = z.strictObject({
  kind: z
    .enum(['average', 'add', 'stack', 'fusion'])
    .describe(
      'average: weighted mean; add: LoRAs added or, below 0, subtracted; stack: one on another; fusion: attention',
    ),
  how: z
    .enum(['cat', 'linear'])
    .default('cat')
    .describe(
      'Of add: cat is exact and as wide as all together; linear keeps the rank and is not the sum of the updates',
    ),
  head: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe('Which part the head comes from, counted from 0; null: the mean of all heads, or a new one for a fusion'),
  parts: z
    .array(
      z.strictObject({
        from: z
          .union([z.int().positive(), z.string().min(1)])
          .describe('Number of a finished run, or an exported folder'),
        weight: z.number().default(1),
        /** What it was when the composition was made: "LoRA, r 8, query value, seed 1". */
        name: z.string().default(''),
      }),
    )
    .min(1)
    .max(16),
});

export const refineBySchema = z.enum(['merge', 'continue', 'stack']);

export const planSchema = z.strictObject({
  model: z.string().min(1).describe('Name of an added base model, or a folder'),
  data: z.string().min(1).describe('Name of a data set'),
  objective: objectiveSchema.default('classification'),
  verbalizer: verbalizerSchema
    .nullable()
    .default(null)
    .describe('Classify by label words in a prompt instead of a head, {} for the defaults; null: by a head'),
  method: methodSchema,
  /** Finished adapters that the run is made of; its method follows from them. */
  composition: compositionSchema.optional(),
  refines: z
    .int()
    .positive()
    .optional()
    .describe('Number of a finished run that this one goes on from, as a further round'),
  refineBy: refineBySchema
    .optional()
    .describe(
      "How that run's result stays: merge puts it into the base's weights, continue goes on from its values by the same method, stack leaves it frozen below; left out: the first of these that is possible",
    ),
  training: trainingSchema.prefault({}),
  readTest: z
    .boolean()
    .default(true)
    .describe('Whether the test split is read at the end; false for runs that settings are chosen by, on validation'),
  watch: z
    .strictObject({
      text: z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe('A file with a text on each line; null for the bundled sample'),
    })
    .optional()
    .describe("Measures the base's own loss on general text at each validation; left out: it is not measured"),
  device: deviceSchema.default('auto'),
});

/** A plan as it is asked for: what may follow from the data set may be left out. */
export const askedPlanSchema = planSchema.extend({
  objective: objectiveSchema
    .optional()
    .describe(
      'What is learned; where it is left out, what the data set is for: a class of a row, a text token by token',
    ),
});

/** Methods × seeds as one file: each method is run once per seed. */
export const matrixSchema = z.strictObject({
  ...askedPlanSchema.shape,
  method: methodSchema.optional(),
  methods: z.array(methodSchema).min(1),
  seeds: z.array(z.int().min(0)).min(1),
  /** Per-method overrides of the training section, by method type (rates differ between methods). */
  overrides: z.record(z.string(), changeOf(trainingSchema)).optional(),
});

export type Schedule = z.infer<typeof scheduleSchema>;
export type OptimizerName = z.infer<typeof optimizerSchema>;
export type DeviceId = z.infer<typeof deviceIdSchema>;
export type DeviceChoice = z.infer<typeof deviceSchema>;
export type Training = z.infer<typeof trainingSchema>;
export type MethodOptions = z.infer<typeof methodSchema>;
export type RefineBy = z.infer<typeof refineBySchema>;
export type Composition = z.infer<typeof compositionSchema>;
export type Plan = z.infer<typeof planSchema>;
export type AskedPlan = z.infer<typeof askedPlanSchema>;
export type Matrix = z.infer<typeof matrixSchema>;
