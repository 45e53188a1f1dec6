/** What finished runs are used for: playground, chat, exports, and the way to peft and back. */
import { z } from 'zod';
import * as e from '../entities.js';
import { askedPlanSchema } from '../plan.js';
import { call, id, job } from './call.js';

/** A run by its plan, or a plan. */
const furtherSource = z.union([z.strictObject({ runId: id }), z.strictObject({ plan: askedPlanSchema })]);

export const useCalls = {
  /** `untrained` adds the base with a fresh head; `keep` false lets models that were not open go again. */
  'playground.predict': call(
    z.strictObject({
      runIds: z.array(id).max(12),
      text: z.string().min(1).max(100_000),
      pair: z.string().max(100_000).nullable().default(null),
      untrained: z.boolean().default(false),
      keep: z.boolean().optional(),
    }),
    z.array(e.predictionSchema),
  ),
  /** Answers go to the CSV `out`, with `report` also as `answers` events. */
  'playground.predictFile': call(
    z.strictObject({
      runId: id,
      path: z.string(),
      textColumn: z.string(),
      pairColumn: z.string().nullable().default(null),
      out: z.string().nullable(),
      report: z.boolean().default(false),
    }),
    job,
  ),
  /**
   * Lets models write, token by token in turns; what they write comes as `pieces` events. The job's result is a list of answers, one
   * a speaker; cancelling it keeps what was written.
   */
  'chat.generate': call(
    z.strictObject({ speakers: z.array(e.speakerSchema).min(1).max(8), sampling: e.samplingSchema.prefault({}) }),
    job,
  ),
  /** The formats of a run's method, and why one is not possible with its options. */
  'exports.formats': call(
    z.strictObject({ runId: id }),
    z.array(z.object({ format: e.exportFormatSchema, reason: z.string().nullable() })),
  ),
  'exports.start': call(z.strictObject({ runId: id, format: e.exportFormatSchema, folder: z.string() }), job),
  'exports.list': call(z.strictObject({ projectId: id }), z.array(e.artefactSchema)),
  /** Why a run's plan, or a plan, cannot go to transformers, peft and accelerate; null: it can. */
  'further.check': call(
    z.strictObject({ projectId: id, from: furtherSource }),
    z.object({ reason: z.string().nullable() }),
  ),
  /** Writes a plan as a project of Python into a new or empty folder, with its data and, unless it is left out, the base model. */
  'further.write': call(
    z.strictObject({ projectId: id, from: furtherSource, folder: z.string(), model: z.boolean().default(true) }),
    job,
  ),
  /** Takes the result of such a project back as a finished run; the job's result is `{ runId }`. */
  'further.back': call(z.strictObject({ projectId: id, folder: z.string() }), job),
} as const;
