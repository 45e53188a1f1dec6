/** A study: a question, the matrix of runs that answers it, and how they are run. The one schema of window, command and reports. */
import { z } from 'zod';
import { changeOf, deviceSchema, methodSchema, trainingSchema } from './plan.js';

export const studyKindSchema = z.enum(['cost', 'forgetting', 'little-data', 'portability', 'quality', 'inference']);

export const studySchema = z.strictObject({
  kind: studyKindSchema,
  name: z.string().max(200).default('').describe('Shown in lists; empty: kind, model and data'),
  model: z.string().min(1).describe('Name of an added base model, or a folder'),
  data: z
    .array(z.string().min(1))
    .min(1)
    .max(12)
    .describe('Names of data sets; in a sequence of tasks and in portability in this order'),
  methods: z
    .array(methodSchema)
    .min(1)
    .max(40)
    .describe('What is held against full fine-tuning, which joins by itself'),
  seeds: z
    .array(z.int().min(0).max(4_294_967_295))
    .min(1)
    .max(50)
    .default([1, 2, 3])
    .describe('Each method runs once a seed; runs of one seed are paired'),
  examplesPerClass: z
    .array(z.union([z.int().min(1), z.literal('all')]))
    .min(1)
    .max(20)
    .default(['all'])
    .describe('Training examples drawn of each class, by the seed; of data without classes, of the split'),
  learningRates: z
    .array(z.number().positive().max(10))
    .min(1)
    .max(12)
    .nullable()
    .default(null)
    .describe(
      "Candidates of every method, full fine-tuning included; the best on validation is taken. null: a third, one and three times the method's own",
    ),
  training: changeOf(trainingSchema).default({}).describe('Changes of the training section, the same for all'),
  generalText: z
    .string()
    .nullable()
    .default(null)
    .describe('Of forgetting: a file of general text; null for the bundled sample'),
  zone: z
    .number()
    .positive()
    .max(50)
    .default(1)
    .describe('Half-width of what counts as equal to full fine-tuning, in points'),
  device: deviceSchema.default('auto'),
});

export type StudyKind = z.infer<typeof studyKindSchema>;
export type StudyPlan = z.infer<typeof studySchema>;

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && key in value ? Reflect.get(value, key) : undefined;
/** The study that a file holds: its own, or that of a report to be repeated. What it is has still to be checked. */
export const studyWithin = (value: unknown): unknown =>
  field(field(field(value, 'report') ?? value, 'provenance'), 'study') ?? value;
