/** The evaluation layer's door: see README.md. */
export * from './types.js';
export { accuracy, crossEntropy, macroF1, predictedClasses, scoresFromLogits, softmax } from './scores.js';
export { meanWithInterval, type Interval } from './intervals.js';
export { buildComparison } from './comparison.js';
