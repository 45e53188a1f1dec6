/** What finished runs say: comparison, predictions, export formats. */
import { z } from 'zod';
import { problemSchema } from '../errors.js';
import { measures, measureSchema, type Measure } from '../measures.js';
import { objectiveSchema } from '../objectives.js';
import { count, id, interval, nullable } from './common.js';

export const exportFormatSchema = z.enum(['peft', 'adapterhub', 'studio', 'merged', 'onnx']);
export type ExportFormat = z.infer<typeof exportFormatSchema>;

const measured = z.object({ mean: z.number(), interval: nullable(interval) });
/** What a run of the row lacks (an answer was not generated) is null; what its objective does not have is left out. */
const ofMeasure = nullable(measured).optional();
const measuredShape = Object.fromEntries(measures.map((measure) => [measure, ofMeasure])) as {
  [M in Measure]: typeof ofMeasure;
};
export const comparisonRowSchema = z.object({
  key: z.string(),
  type: z.string(),
  methodName: z.string(),
  setting: z.string(),
  baseline: z.boolean(),
  runs: z.array(id),
  seeds: z.array(z.number()),
  ...measuredShape,
  loss: measured,
  /**
   * Difference from full fine-tuning, paired by seed and test row, in points (hundredths of the measure) or percent of the
   * baseline's, as the measure has it; null without a baseline.
   */
  difference: nullable(z.object({ mean: z.number(), interval: nullable(interval), pairedSeeds: count })),
  verdict: z.object({
    kind: z.enum(['baseline', 'within', 'worse', 'better', 'undecided', 'no-baseline']),
    text: z.string(),
    moreSeeds: nullable(count),
  }),
  trainableParameters: count,
  share: z.number(),
  /** Trained elsewhere: what was not measured on this computer is null. */
  elsewhere: z.boolean().optional(),
  secondsPerStep: nullable(measured),
  tokensPerSecond: nullable(measured),
  peakMemoryBytes: nullable(count),
  optimizerBytes: nullable(count),
  checkpointBytes: count,
  trainingSeconds: nullable(measured),
});
export const comparisonSchema = z.object({
  dataset: z.string(),
  model: z.string(),
  testRows: count,
  objective: objectiveSchema,
  measure: measureSchema,
  zone: z.number(),
  /** How the intervals were made, in words: kind, seeds, pairing, adjustment. */
  method: z.string(),
  sentences: z.array(z.object({ kind: z.string(), text: z.string() })),
  rows: z.array(comparisonRowSchema),
  notes: z.array(z.string()),
});
export type Comparison = z.infer<typeof comparisonSchema>;
export type ComparisonRow = z.infer<typeof comparisonRowSchema>;

/** A part of the text or of the context that a model marks, in UTF-16 units: an entity with its type, or one of the best answers. */
export const markedSpanSchema = z.object({
  from: count,
  to: count,
  /** Empty: the context has no answer. */
  text: z.string(),
  /** Type of an entity; empty for an answer. */
  type: z.string(),
  /** Of an entity the mean over its words. */
  probability: z.number(),
});
export type MarkedSpan = z.infer<typeof markedSpanSchema>;
/** What a model answers of a text. */
const answered = {
  kind: z.enum(['classes', 'number', 'labels', 'entities', 'span']),
  /** As a text: the label, several with commas, the number; of entities "person: Ann, place: Rome", of a question its answer. */
  label: z.string(),
  /** Of each label; empty for a number and where parts of a text are marked. */
  probabilities: z.record(z.string(), z.number()),
  /** Of a regression; null for others. */
  value: nullable(z.number()),
  /** Entities in their order, or the best answers, the likeliest first. */
  spans: z.array(markedSpanSchema).optional(),
};

export const predictionSchema = z.object({
  runId: nullable(id),
  title: z.string(),
  type: nullable(z.string()),
  ...answered,
  milliseconds: count,
  problem: nullable(problemSchema),
});
export type Prediction = z.infer<typeof predictionSchema>;

/** One row of a file; `row` counts the file's data rows from 0. */
export const answerSchema = z.object({ row: count, ...answered });
export type Answer = z.infer<typeof answerSchema>;

/** What became of a file that was answered. */
export const answeredFileSchema = z.object({
  rows: count,
  /** Rows that could not be read and have no answer. */
  skipped: count,
  /** Line and reason of the first of these: "line 42: cell 1 is longer than …". */
  firstSkipped: nullable(z.string()),
  out: nullable(z.string()),
});
/** The rows left out in words; null where there are none. */
export const skippedInWords = ({ skipped, firstSkipped }: z.infer<typeof answeredFileSchema>): string | null =>
  skipped === 0
    ? null
    : `${skipped.toLocaleString('en')} ${skipped === 1 ? 'row has' : 'rows have'} no answer, because of what is in the file; the first, ${firstSkipped}.`;
