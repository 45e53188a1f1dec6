/** Projects and what they hold: base models, what an export left. */
import { z } from 'zod';
import { measureSchema } from '../measures.js';
import { methodSchema } from '../plan.js';
import { count, id, nullable, interval } from './common.js';
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
  /** Best test score of a finished run, over seeds of its method, in the first measure of the objective that was learned last. */
  best: nullable(
    z.object({
      method: methodSchema,
      label: z.string(),
      measure: measureSchema,
      value: z.number(),
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

/** Two ways to the same end, timed in turns. */
export const timedInTurnsSchema = z.object({
  /** Medians over the turns, in milliseconds. */
  first: z.number(),
  second: z.number(),
  turns: count,
  /** The second's time as a multiple of the first's: geometric mean over the turns, 95 % interval by their logarithms. */
  times: z.number(),
  interval: nullable(interval),
  /** What the interval shows of the second: less time, more, or neither. */
  decision: z.enum(['less', 'more', 'undecided']),
});
export type TimedInTurns = z.infer<typeof timedInTurnsSchema>;

/** A run merged into the base's weights and taken out again. Differences are the largest absolute ones. */
export const mergeCheckSchema = z.object({
  rows: count,
  /** Logits of the merged model against those of the adapter on its base; of models that write, losses of tokens and generated tokens. */
  merged: z.object({ largestDifference: z.number(), sameLabels: z.boolean() }),
  /** Of one row, answered together with the others, with the adapter and then merged; tokenizing included, but for texts, which are only read. */
  time: timedInTurnsSchema,
  /** With the adapter taken out of the merged weights again; null where that cannot be. */
  unmerged: nullable(
    z.object({
      /** Tensors that the adapter had changed. */
      tensors: count,
      /** Of a weight from the base's own, and the largest weight among these tensors. */
      weightDifference: z.number(),
      largestWeight: z.number(),
      /** Logits against those of the base with the same head. */
      largestDifference: z.number(),
      sameLabels: z.boolean(),
    }),
  ),
  /** Why it cannot be taken out. */
  reason: nullable(z.string()),
});
export type MergeCheck = z.infer<typeof mergeCheckSchema>;

/** Several runs on one copy of their base's weights. Milliseconds are of one row, tokenizing included. */
export const servedTogetherSchema = z.object({
  rows: count,
  /** Each run by itself, in the order asked, once. */
  alone: z.array(z.number()),
  /** Each row by its own run: batches of one run's rows, and then batches with the rows of all. */
  time: timedInTurnsSchema,
  /** Answers of the latter against the former. */
  largestDifference: z.number(),
  sameLabels: z.boolean(),
  /** To open a further run on the open base. */
  openMilliseconds: z.array(z.number()),
  /** Of the process with the first open, and with all. */
  memoryBytes: z.object({ one: count, all: count }),
});
export type ServedTogether = z.infer<typeof servedTogetherSchema>;

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
