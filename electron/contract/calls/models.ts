/** Base models, methods on them, and plans from files. */
import { z } from 'zod';
import * as e from '../entities.js';
import { objectiveSchema } from '../objectives.js';
import { askedPlanSchema, matrixSchema } from '../plan.js';
import { pretrainingSchema } from '../pretraining.js';
import { studySchema } from '../study.js';
import { call, done, id, job, none } from './call.js';

export const modelsCalls = {
  'models.list': call(none, z.array(e.baseModelSchema)),
  'models.inspect': call(
    z.strictObject({ folder: z.string() }),
    e.baseModelSchema.omit({ id: true, addedAt: true, builtIn: true }),
  ),
  'models.add': call(
    z.strictObject({ folder: z.string(), name: z.string().min(1).max(200).optional() }),
    e.baseModelSchema,
  ),
  /**
   * Makes a new encoder from text files in a new or empty folder and adds it; the job's result is a `Pretrained` with the base model. Cut
   * off, it goes on where it was when it is asked for again.
   */
  'models.pretrain': call(
    z.strictObject({
      texts: z.array(z.string()).min(1).max(10_000),
      folder: z.string(),
      name: z.string().min(1).max(200).optional(),
      settings: pretrainingSchema.prefault({}),
    }),
    job,
  ),
  'models.remove': call(z.strictObject({ id }), done),
  /** Every parameter tensor of the base with the method's additions, for counts before training. */
  'models.count': call(
    z.strictObject({
      modelId: id,
      datasetId: id.nullable(),
      method: z.looseObject({ type: z.string() }),
      /** Answers by label words instead of a head. */
      verbalizer: z.boolean().default(false),
      /** Of a further round on this run. */
      refines: id.nullable().default(null),
    }),
    z.object({
      trainable: z.number(),
      total: z.number(),
      head: z.number(),
      groups: z.array(z.object({ name: z.string(), frozen: z.number(), trainable: z.number() })),
      /** Of a method that trains in stages. */
      stages: z.array(z.object({ trains: z.string(), trainable: z.number() })),
      /** What would be learned on the data set; without one, classes. */
      objective: objectiveSchema,
    }),
  ),
  /** Every module of the base with the method's additions, from the bottom of the model to its top. */
  'models.map': call(
    z.strictObject({
      modelId: id,
      datasetId: id.nullable(),
      method: z.looseObject({ type: z.string() }),
      verbalizer: z.boolean().default(false),
      /** One of its stages, from 0; null for what any of them trains. */
      stage: z.int().min(0).nullable().default(null),
      refines: id.nullable().default(null),
    }),
    z.array(e.mapGroupSchema),
  ),
  'methods.list': call(none, z.array(e.methodInfoSchema)),
  /** What a file that the command takes asks for; null for one that is no plan and no study. */
  'plans.read': call(
    z.strictObject({ path: z.string() }),
    z.object({
      asked: z
        .discriminatedUnion('kind', [
          z.object({ kind: z.literal('plan'), plan: askedPlanSchema }),
          z.object({ kind: z.literal('matrix'), matrix: matrixSchema }),
          z.object({ kind: z.literal('study'), study: studySchema }),
        ])
        .nullable(),
    }),
  ),
} as const;
