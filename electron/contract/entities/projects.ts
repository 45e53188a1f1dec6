/** Projects and what they hold: base models, what an export left. */
import { z } from 'zod';
import { methodSchema } from '../plan.js';
import { count, id, nullable } from './common.js';
import { exportFormatSchema } from './results.js';

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
