/** Advice: what to ship under limits, from studies that have finished. */
import { z } from 'zod';
import { measureSchema } from '../measures.js';
import { studyKindSchema } from '../study.js';
import { count, id, interval, nullable } from './common.js';

/** What a method costs, in the order in which it is shown. */
export const adviceCosts = ['memory', 'disk', 'latency', 'step', 'training'] as const;
export const adviceCostSchema = z.enum(adviceCosts);
export type AdviceCost = z.infer<typeof adviceCostSchema>;

const most = z.number().positive().nullable().default(null);
export const adviceLimitsSchema = z.strictObject({
  memory: most.describe('Peak memory of training, in bytes'),
  disk: most.describe('To store all tasks, in bytes'),
  latency: most.describe('Of a text, in milliseconds'),
  step: most.describe('Of a training step, in seconds'),
  training: most.describe('Of a training, in seconds'),
  /** As the measure is shown: percent of a share; of perplexity the most. */
  score: z.number().min(0).nullable().default(null),
  /** Points below full fine-tuning at most; of perplexity percent. */
  loss: z.number().min(0).max(100).nullable().default(null),
});
export type AdviceLimits = z.infer<typeof adviceLimitsSchema>;

export const adviceLimitSchema = z.enum([...adviceCosts, 'score', 'loss']);
export type AdviceLimit = z.infer<typeof adviceLimitSchema>;

export const adviceRequestSchema = z.strictObject({
  /** Key of a place; null for the one of the newest study. */
  place: nullable(z.string()).default(null),
  limits: adviceLimitsSchema.default(adviceLimitsSchema.parse({})),
  /** Tasks whose files are stored. */
  tasks: z.int().min(1).max(100_000).default(1),
  /** Does the base count as stored, or is it there anyway? A fully fine-tuned model stands without it. */
  withBase: z.boolean().default(false),
  /** What "cheapest" means among methods that are not told apart. */
  cheapestBy: adviceCostSchema.default('disk'),
});
export type AdviceRequest = z.infer<typeof adviceRequestSchema>;

/** Where methods were held against each other: one model, data, number of examples and training. */
export const advicePlaceSchema = z.object({
  key: z.string(),
  label: z.string(),
  model: z.string(),
  data: z.string(),
  examplesPerClass: nullable(count),
});
export type AdvicePlace = z.infer<typeof advicePlaceSchema>;

/** The study and the runs that a fact rests on. */
const evidence = { study: id, runs: z.array(id) };
const costFactSchema = z.object({ value: z.number(), ...evidence });

/** `open`: the interval lies on both sides of the limit. */
export const adviceOutcomes = ['kept', 'open', 'unmeasured', 'broken'] as const;
export const adviceCandidateSchema = z.object({
  label: z.string(),
  type: z.string(),
  /** The test score as its measure has it, and its seeds. */
  score: z.object({ mean: z.number(), interval: nullable(interval), seeds: count, ...evidence }),
  /** From full fine-tuning in points or percent, as its study judged it; null for full fine-tuning and without a pair. */
  difference: nullable(z.object({ mean: z.number(), interval: nullable(interval), text: z.string() })),
  costs: z.object({
    memory: nullable(costFactSchema),
    disk: nullable(costFactSchema),
    latency: nullable(costFactSchema),
    step: nullable(costFactSchema),
    training: nullable(costFactSchema),
  }),
  /** Of the limits that are set. */
  limits: z.array(z.object({ limit: adviceLimitSchema, outcome: z.enum(adviceOutcomes), text: z.string() })),
  /** The worst of its limits; `kept` without any. */
  outcome: z.enum(adviceOutcomes),
  /** Of those that keep all limits: how it stands beside the best of them. */
  beside: nullable(z.object({ kind: z.enum(['best', 'together', 'apart', 'unpaired']), text: z.string() })),
});
export type AdviceCandidate = z.infer<typeof adviceCandidateSchema>;

export const adviceSchema = z.object({
  places: z.array(advicePlaceSchema),
  /** Null where no finished study says anything yet. */
  place: nullable(advicePlaceSchema),
  measure: nullable(measureSchema),
  /** That facts rest on. */
  studies: z.array(z.object({ id, name: z.string(), kind: studyKindSchema, device: z.string() })),
  candidates: z.array(adviceCandidateSchema),
  /** Label of the candidate to ship; null for none. */
  recommended: nullable(z.string()),
  verdict: z.string(),
  /** Why, one sentence each. */
  reasons: z.array(z.string()),
  /** Limits that no study has evidence on, and the kind of study that would give it. */
  missing: z.array(z.object({ limit: adviceLimitSchema, kind: studyKindSchema, text: z.string() })),
  notes: z.array(z.string()),
});
export type Advice = z.infer<typeof adviceSchema>;
