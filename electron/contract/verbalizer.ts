/** Classification by words in a prompt instead of a head: what a plan says of it. */
import { z } from 'zod';
import type { ExportFormat } from './entities.js';

export const verbalizerSchema = z.strictObject({
  template: z
    .string()
    .min(1)
    .max(4000)
    .nullable()
    .default(null)
    .describe(
      'The prompt: {text}, {pair} where rows have a second text, {mask} where a label\'s word belongs (decoders: at the end), {prompt} where prompt-search puts its wording (else it stands first); null: "{text} It was {mask}." for encoders, "{text}\\nLabel: {mask}" for decoders',
    ),
  words: z
    .record(z.string(), z.string().trim().min(1).max(200))
    .default({})
    .describe('The word of each label; labels left out are their own words, with spaces for underscores'),
  score: z
    .enum(['mean', 'sum'])
    .default('mean')
    .describe("How the log-probabilities of a word's tokens become a label's score"),
});
export type VerbalizerPlan = z.infer<typeof verbalizerSchema>;

/** With nothing left to fill in. */
export const fullVerbalizerSchema = verbalizerSchema.extend({ template: z.string().min(1).max(4000) });
export type FullVerbalizer = z.infer<typeof fullVerbalizerSchema>;

/** Formats that hold an adapter or a model without a head. */
export const answeringByWords: ReadonlySet<ExportFormat> = new Set(['peft', 'studio', 'merged'] as const);
