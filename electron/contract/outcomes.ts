/**
 * What becomes of a test row, by objective: `outcome` is what its measures are counted from, so that comparisons can draw rows
 * anew; `details` is what is only shown. Both are stored as JSON, so they hold what JSON holds.
 */
import { z } from 'zod';
import type { Objective } from './objectives.js';

const entity = z.tuple([z.int().min(0), z.int().min(1), z.string()]);

export const outcomeSchemas = {
  /** Class indices. */
  classification: z.strictObject({ label: z.int().min(0), predicted: z.int().min(0) }),
  /** Entities that are there and that were found: from word to word (the end not included), and what they are. */
  'token-classification': z.strictObject({ entities: z.array(entity), found: z.array(entity) }),
  /** Answers that are right (none: there is none in the context), and the one that was given. */
  'question-answering': z.strictObject({ right: z.array(z.string()), given: z.string() }),
  regression: z.strictObject({ target: z.number(), value: z.number() }),
  /** Class indices, ascending, and how many classes there are. */
  'multi-label': z.strictObject({
    labels: z.array(z.int().min(0)),
    predicted: z.array(z.int().min(0)),
    of: z.int().min(1),
  }),
  'causal-lm': z.strictObject({
    /** Sum of the losses of the row's trained tokens, in nats. */
    loss: z.number(),
    tokens: z.number().min(0),
    /** Whether the generated answer was the row's; null where none was generated. */
    exact: z.boolean().nullable(),
  }),
  'masked-lm': z.strictObject({
    /** Sum of the losses of the text's masked tokens, in nats. */
    lossSum: z.number(),
    masked: z.number().min(0),
    /** Of these, those that were guessed. */
    correct: z.number().min(0),
  }),
} as const satisfies Record<Objective, z.ZodType>;

export type OutcomeOf<O extends Objective> = z.infer<(typeof outcomeSchemas)[O]>;

const [first, ...others] = Object.values(outcomeSchemas);
/** One row of the test split. */
export const testOutcomeSchema = z.object({
  id: z.int().min(0),
  outcome: z.union([first as z.ZodType<OutcomeOf<Objective>>, ...others]),
  /** Probabilities of all classes, a generated answer. */
  details: z.record(z.string(), z.json()).nullable(),
});
export type TestOutcome = z.infer<typeof testOutcomeSchema>;
