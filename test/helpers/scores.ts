/** Scores of a kind that a test knows they are of. */
import { classScoresSchema, type ClassScores } from '../../electron/contract/index.js';

/** Throws where they are no classifier's. */
export const classScores = (scores: unknown): ClassScores => classScoresSchema.parse(scores);
