/** The data layer's door: see README.md. */
export * from './types.js';
export { detectReading } from './detect.js';
export { readRows } from './rows.js';
export { previewFile } from './preview.js';
export { importRows, type ImportHooks } from './import.js';
export type { RowSink } from './sink.js';
export { profileRows, type ProfileHooks, type ProfileRow } from './profile.js';
export { openTokenizer, TextTokenizer, type TextOrPair, type TokenizerFit } from './tokenizer.js';
export { tokenizerIdentity } from './tokenizer-files.js';
export { EncodedRows, encodeRows, type EncodeOptions, type RowEncoder } from './encoded.js';
export { completeVerbalizer } from './template.js';
export { openVerbalizer, type RowReading, type Verbalizer } from './verbalizer.js';
export { evaluationBatches, TrainingBatches, type EvaluationBatch, type TrainingBatchOptions } from './batches.js';
export { classWeights, sortLabels } from './labels.js';
