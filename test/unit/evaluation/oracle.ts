/** The committed answers of SciPy and scikit-learn (test/oracle/make_statistics.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const numbers = z.array(z.number());
const spread = z.object({ difference: z.number(), standardError: z.number() });
const schema = z.object({
  scores: z.array(
    z.object({
      classes: z.number(),
      labels: numbers,
      logits: numbers,
      accuracy: z.number(),
      macroF1: z.number(),
      loss: z.number(),
    }),
  ),
  tIntervals: z.array(z.object({ values: numbers, mean: z.number(), low: z.number(), high: z.number() })),
  paired: z.object({ method: numbers, baseline: numbers, low: z.number(), high: z.number() }),
  welch: z.object({ a: numbers, b: numbers, degrees: z.number(), low: z.number(), high: z.number() }),
  bootstrap: z.object({
    labels: numbers,
    method: z.array(numbers),
    baseline: z.array(numbers),
    macroF1: spread,
    accuracy: spread,
    macroF1Interval: z.object({ low: z.number(), high: z.number() }),
  }),
  classWeights: z.object({ counts: numbers, weights: numbers }),
});
export const statistics = schema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'data', 'statistics.json'), 'utf8')),
);
