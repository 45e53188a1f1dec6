/** What a run learns with nothing left out: as the trainer takes it and exports tell it. */
import { z } from 'zod';
import { StudioError } from './errors.js';
import { fullVerbalizerSchema } from './verbalizer.js';

/** Labels are sorted; a row's class index is its label's place. */
export const learnedSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('classification'),
    labels: z.array(z.string()).min(2),
    /** Classifies by label words in a prompt; null: by a head. */
    verbalizer: fullVerbalizerSchema.nullish(),
    /** What stands for {prompt} in its template: all that a finished search has to load. */
    wording: z.string().min(1).optional(),
  }),
  z.strictObject({ type: z.literal('regression') }),
  z.strictObject({ type: z.literal('multi-label'), labels: z.array(z.string()).min(1) }),
  /** Tags in BIO, sorted. */
  z.strictObject({ type: z.literal('token-classification'), labels: z.array(z.string()).min(2) }),
  /** `unanswerable`: the data have questions without an answer, so none may be given. */
  z.strictObject({ type: z.literal('question-answering'), unanswerable: z.boolean() }),
  z.strictObject({ type: z.literal('causal-lm') }),
  z.strictObject({ type: z.literal('masked-lm') }),
]);
export type LearnedObjective = z.infer<typeof learnedSchema>;

/** The names of a head's outputs; null where they have none. */
export const labelsIn = (learned: LearnedObjective): readonly string[] | null =>
  'labels' in learned ? learned.labels : null;

/** How it answers without a head; null: by its head. */
export const verbalizerIn = (learned: LearnedObjective) =>
  learned.type === 'classification' ? (learned.verbalizer ?? null) : null;

/** What stands for {prompt} in a verbalizer's template. */
export const wordingIn = (learned: LearnedObjective): string | undefined =>
  learned.type === 'classification' ? learned.wording : undefined;

/** What a classifier tells apart, and how. @throws StudioError `bad-input` for one that sorts nothing */
export function classesIn(
  learned: LearnedObjective,
  key: string,
): Extract<LearnedObjective, { type: 'classification' }> {
  if (learned.type === 'classification') return learned;
  throw new StudioError(
    'bad-input',
    `The ${key} does not sort texts into classes.`,
    'Choose a run that learned one label a text.',
  );
}
