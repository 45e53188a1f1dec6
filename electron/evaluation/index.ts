/** The evaluation layer's door: see README.md. */
export * from './types.js';
export { accuracy, macroF1, predictedClasses, softmax } from './scores.js';
export { scoresFromLogits } from './tasks/classification.js';
export { meanWithInterval, type Interval } from './intervals.js';
export { buildComparison } from './comparison.js';
export { testGain, validationGain } from './gain.js';
export { maskedScores } from './tasks/masked-lm.js';
export { languageScores, type AnswerMatch, type RowLosses } from './tasks/causal-lm.js';
export { measureKinds, sampleOf, type MeasureKind } from './measures.js';
export { taskOf } from './tasks/index.js';
export type { RowScore } from './tasks/task.js';
export { validationScore, type ComparedRun } from './groups.js';
export { hierarchicalMeans, intervalAt, type SeedMean, type SeedScore } from './hierarchical.js';
export { judgeGaps, type GapDecision, type JudgedGap } from './gap.js';
export { judgeRatios, medianOf, timesInWords, type JudgedRatio } from './ratios.js';
export { entitiesOf, type Entity } from './entities.js';
export { entitySplitScores, typeScores } from './tasks/token-classification.js';
export { answerSplitScores } from './tasks/question-answering.js';
