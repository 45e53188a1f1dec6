/** Runs, what they are composed of or go on from, and their comparison. */
import { z } from 'zod';
import * as e from '../entities.js';
import { measureSchema } from '../measures.js';
import {
  askedPlanSchema,
  changeOf,
  compositionSchema,
  deviceIdSchema,
  matrixSchema,
  methodSchema,
  refineBySchema,
  trainingSchema,
} from '../plan.js';
import { call, done, id, job, removal } from './call.js';

/** `head`: the run or folder whose head is taken; null: the mean of all heads, of a stack the last one's, of a sum the first one's. */
const compositionRequest = z.strictObject({
  projectId: id,
  kind: compositionSchema.shape.kind,
  how: compositionSchema.shape.how,
  parts: z
    .array(z.strictObject({ from: z.union([id, z.string().min(1)]), weight: z.number().min(-100).max(100).default(1) }))
    .min(1)
    .max(16),
  head: z
    .union([id, z.string().min(1)])
    .nullable()
    .default(null),
  /** An adapter that trains on top of a stack. */
  top: z.looseObject({ type: z.string() }).nullable().default(null),
  /** Name of the data set; null for the one of the run whose head is taken. */
  data: z.string().nullable().default(null),
  /** Changes of the training; a composition that is whole takes no steps unless `maxSteps` or `epochs` says so. */
  training: changeOf(trainingSchema).default({}),
});

export const runsCalls = {
  'runs.list': call(z.strictObject({ projectId: id.nullable().default(null) }), z.array(e.runSchema)),
  'runs.get': call(z.strictObject({ id }), e.runSchema),
  /**
   * `points`: at most so many steps and so many validations, as many as a chart can show; neighbouring steps become one, of validations
   * every so-and-so-many stands, the last and the last best among them. Left out: all of them.
   */
  'runs.history': call(
    z.strictObject({ id, afterStep: z.int().min(0).default(0), points: z.int().min(1).max(20_000).optional() }),
    e.runHistorySchema,
  ),
  /** Validations alone, thinned in the same way. */
  'runs.validations': call(
    z.strictObject({ id, points: z.int().min(1).max(20_000) }),
    z.array(e.validationMetricSchema),
  ),
  /** The words nearest to each virtual token of a finished run, the nearest first; null where its method has no soft prompt. */
  'runs.virtualWords': call(
    z.strictObject({ id, count: z.int().min(1).max(50).default(5) }),
    z.object({ tokens: z.array(z.array(e.nearWordSchema)).nullable() }),
  ),
  /** Validation scores of a text in the place of a finished search's wording; the test split is not read. */
  'runs.scoreWording': call(
    z.strictObject({ id, wording: z.string().trim().min(1).max(4000) }),
    z.object({ scores: e.scoresSchema, rows: z.number(), tokens: z.number() }),
  ),
  /** A measured probe: a few real steps at the longest batch in a process of its own. */
  'runs.estimate': call(z.strictObject({ projectId: id, plan: askedPlanSchema }), e.estimateSchema),
  /** `initFolder`: an exported adapter or merged folder whose values the runs start from. */
  'runs.start': call(
    z.strictObject({
      projectId: id,
      plans: z.array(askedPlanSchema).min(1).max(200),
      initFolder: z.string().nullable().default(null),
    }),
    z.array(e.runSchema),
  ),
  'runs.startMatrix': call(z.strictObject({ projectId: id, matrix: matrixSchema }), z.array(e.runSchema)),
  'runs.pause': call(z.strictObject({ id }), e.runSchema),
  /** `device`: where it goes on from its last checkpoint, once and for all; left out, on the device that it was on. */
  'runs.resume': call(z.strictObject({ id, device: deviceIdSchema.optional() }), e.runSchema),
  'runs.cancel': call(z.strictObject({ id }), e.runSchema),
  'runs.removal': call(z.strictObject({ id }), removal),
  'runs.remove': call(z.strictObject({ id }), done),
  /** What a composition of finished runs would be, or why it cannot be; nothing is computed. */
  'compositions.check': call(
    compositionRequest,
    z.object({
      possible: z.boolean(),
      /** Why not, and what helps. */
      reason: z.string().nullable(),
      hint: z.string().nullable(),
      /** Name and setting as tables show them. */
      methodName: z.string(),
      setting: z.string(),
      /** The data set that it answers for. */
      datasetName: z.string().nullable(),
      /** Numbers of the adapter and its head. */
      parameters: z.number(),
      /** Does something have to train before it can answer? */
      trains: z.boolean(),
    }),
  ),
  /** Makes a run of a composition: measured on validation, then read once on test, like any other. */
  'compositions.start': call(compositionRequest, e.runSchema),
  /** How a run would be gone on from by a method, or why it cannot be; nothing is computed. */
  'refinements.check': call(
    z.strictObject({
      id,
      method: methodSchema,
      /** Null for the data set of the run. */
      datasetId: id.nullable().default(null),
      verbalizer: z.boolean().default(false),
      by: refineBySchema.nullable().default(null),
    }),
    z.object({
      /** Null where it cannot. */
      how: refineBySchema.nullable(),
      reason: z.string().nullable(),
      hint: z.string().nullable(),
    }),
  ),
  /** All runs that go on from one another with this one among them, the first first, and what each brought. */
  'refinements.lineage': call(z.strictObject({ id }), z.array(e.roundSchema)),
  'compare.runs': call(
    z.strictObject({
      projectId: id,
      datasetId: id,
      modelId: id,
      runIds: z.array(id).nullable().default(null),
      /** Null for what the data set's task is measured by first: the first of its objective. */
      measure: measureSchema.nullable().default(null),
      zone: z.number().positive().max(50).default(1),
    }),
    e.comparisonSchema,
  ),
  /** Merges a run into its base and takes it out again, in a folder of its own that goes; the job's result is a `MergeCheck`. */
  'runs.checkMerge': call(z.strictObject({ id }), job),
} as const;
