/** The evaluation layer's door: see README.md. */
export * from './types.js';
export { accuracy, macroF1, predictedClasses, softmax } from './scores.js';
export { scoresFromLogits } from './split-scores.js';
export { meanWithInterval, type Interval } from './intervals.js';
export { buildComparison } from './comparison.js';
export { languageScores, type AnswerMatch, type RowLosses } from './language.js';
