/** Rounds: runs that go on from one another, and what each brought. */
import { z } from 'zod';
import { refineBySchema } from '../plan.js';
import { id, interval, nullable } from './common.js';

/** What a round gained on the one before, on the same rows; below 0 it lost. */
export const gainSchema = z.object({
  /** "macro F1" */
  measure: z.string(),
  /** Behind the number: "points", or of perplexities "%" of the former one, above 0 where the new one is lower. */
  unit: z.string(),
  mean: z.number(),
  /** 95 %, by the bootstrap over test rows, paired; null on validation, whose answers are not kept. */
  interval: nullable(interval),
});
export type Gain = z.infer<typeof gainSchema>;

/** A run among those that go on from one another. */
export const roundSchema = z.object({
  id,
  /** Null of the first. */
  refines: nullable(id),
  how: nullable(refineBySchema),
  validation: nullable(gainSchema),
  test: nullable(gainSchema),
  /** Why there is nothing to hold against the round before. */
  reason: nullable(z.string()),
});
export type Round = z.infer<typeof roundSchema>;
