/** Data sets: import, rows, profiles. */
import { z } from 'zod';
import * as e from '../entities.js';
import { generationColumnsSchema, templateSourceSchema, tokenizedExampleSchema } from '../entities/generation.js';
import { call, done, id, job, removal } from './call.js';

export const datasetsCalls = {
  'datasets.list': call(z.strictObject({ projectId: id }), z.array(e.datasetSchema)),
  'datasets.get': call(z.strictObject({ id }), e.datasetSchema),
  'datasets.inspect': call(
    z.strictObject({ path: z.string(), reading: e.readingOptionsSchema.default({}) }),
    e.filePreviewSchema,
  ),
  'datasets.import': call(e.importRequestSchema, job),
  /**
   * Rows of a file or of a data set as they will be trained on by a base model; without one by the studio's plain template, and
   * nothing is cut.
   */
  'datasets.tokens': call(
    z.strictObject({
      source: z.union([
        z.strictObject({
          path: z.string(),
          reading: e.readingOptionsSchema.default({}),
          columns: generationColumnsSchema,
        }),
        z.strictObject({ datasetId: id }),
      ]),
      modelId: id.nullable().default(null),
      maxLength: z.int().min(4).max(8192),
      completionOnlyLoss: z.boolean().default(true),
      limit: z.int().min(1).max(50).default(8),
    }),
    z.object({ template: templateSourceSchema, examples: z.array(tokenizedExampleSchema) }),
  ),
  'datasets.rows': call(
    z.strictObject({
      id,
      offset: z.int().min(0),
      limit: z.int().min(1).max(500),
      split: e.splitNameSchema.optional(),
      label: z.string().optional(),
      /** Of rows with several labels: those that have it. */
      amongLabels: z.string().optional(),
      /** Of tagged words: rows with an entity of this type. */
      entity: z.string().optional(),
      search: z.string().max(500).optional(),
      /** How many fit, as another page told: they are not counted again, for which a search looks at every row. */
      total: z.int().min(0).optional(),
    }),
    z.object({ total: z.number(), rows: z.array(e.datasetRowSchema) }),
  ),
  /** Its result is a profile; what was counted before is not counted again. */
  'datasets.profile': call(z.strictObject({ id, modelId: id.nullable().default(null) }), job),
  'datasets.removal': call(z.strictObject({ id }), removal),
  'datasets.remove': call(z.strictObject({ id }), done),
} as const;
