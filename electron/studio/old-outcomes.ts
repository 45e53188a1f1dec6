/** Test rows as project files had them before there was one form for all objectives. */
import { z } from 'zod';
import type { TestOutcome } from '../contract/outcomes.js';

/** Of classes and of language models. */
export const oldOutcomes = {
  predictions: z
    .array(
      z
        .object({ row: z.number(), label: z.number(), predicted: z.number(), probabilities: z.array(z.number()) })
        .transform(({ row: id, label, predicted, probabilities }): TestOutcome => ({
          id,
          outcome: { label, predicted },
          details: { probabilities },
        })),
    )
    .default([]),
  losses: z
    .array(
      z
        .object({
          id: z.number(),
          loss: z.number(),
          tokens: z.number(),
          answer: z.string().nullable(),
          exact: z.boolean().nullable(),
        })
        .transform(({ id, answer, ...outcome }): TestOutcome => ({
          id,
          outcome,
          details: answer === null ? null : { answer },
        })),
    )
    .default([]),
};
