/** The data layer's door: see README.md. */
export * from './types.js';
export { detectReading } from './detect.js';
export { cellOf } from './cells.js';
export { readRows } from './rows.js';
export { previewFile } from './preview.js';
export { importRows, type ImportHooks } from './import.js';
export type { RowSink } from './sink.js';
export { profileRows, type ProfileHooks, type ProfileRow, type ProfileTools } from './profile.js';
export { openTokenizer, TextTokenizer, type TextOrPair, type TokenizerFit } from './tokenizer.js';
export { tokenizerIdentity } from './tokenizer-files.js';
export { EncodedRows, encodeRows, type EncodeOptions, type RowEncoder, type RowTargets } from './encoded.js';
export { completeVerbalizer } from './template.js';
export { wordingDoor } from './wording.js';
export { openVerbalizer, type RowReading, type Verbalizer } from './verbalizer.js';
export {
  classBatches,
  evaluationBatches,
  evaluationOrder,
  TrainingBatches,
  type EvaluationBatch,
  type RowBatches,
  type RowPadding,
  type TrainingBatchOptions,
} from './batches.js';
export { openChatTemplate, type ChatTemplate } from './chat-template.js';
export { firstExamples, tokenizedExamples, type PlacedRow } from './examples.js';
export {
  encodeLanguage,
  languageBatches,
  LanguageRows,
  openLanguageTools,
  type LanguageExample,
  type LanguageTools,
} from './language.js';
export { ExampleDraw } from './draw.js';
export {
  encodeMasked,
  maskedBatch,
  maskedIdsOf,
  MaskedTexts,
  maskTokens,
  type MaskedIds,
  type Masking,
} from './masked.js';
export { CharacterCounts, learnWordPiece, specialTokens, writeWordPiece, type WordPieceOptions } from './wordpiece.js';
export { classWeights, sortLabels } from './labels.js';
export { StopWords, TextStream, type Decode } from './text-stream.js';
export { stopTokens } from './stop-tokens.js';
export { encodeWords, wordBatches, WordRows, wordsOf } from './words.js';
export { encodeQuestions, windowBatches, WindowRows, type AskedQuestion } from './windows.js';
export { answerable } from './questions.js';
export { spreadOf, type Spread } from './numbers.js';
