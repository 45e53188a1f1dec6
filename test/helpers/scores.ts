/** Scores of a kind that a test knows they are of. */
import { z } from 'zod';
import { scoresSchema } from '../../electron/contract/index.js';

const classSchema = scoresSchema.extend({ macroF1: z.number(), accuracy: z.number() });
const languageSchema = scoresSchema.extend({ perplexity: z.number(), exactMatch: z.number().nullable() });

/** Throws where they are no classifier's. */
export const classScores = (scores: unknown): z.infer<typeof classSchema> => classSchema.parse(scores);
/** Throws where they are no language model's. */
export const languageScores = (scores: unknown): z.infer<typeof languageSchema> => languageSchema.parse(scores);
