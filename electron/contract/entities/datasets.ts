/** Data sets: how a file reads, how it is imported, its rows and profile. */
import { z } from 'zod';
import { count, id, interval, nullable, splitNameSchema } from './common.js';
import { taskSchema } from '../objectives.js';
import { generationColumnsSchema, messageSchema, textFormSchema } from './generation.js';

/** An answer in its context: it stands at `start`, counted in UTF-16 units. */
export const markedAnswerSchema = z.object({ text: z.string(), start: z.int().min(0) });
export type MarkedAnswer = z.infer<typeof markedAnswerSchema>;

/** Where the labels of a row stand, of which it may have any number. */
export const multiLabelColumnsSchema = z.discriminatedUnion('form', [
  /** "a;b" in one column; an empty cell has none. */
  z.strictObject({ form: z.literal('separated'), column: z.string(), separator: z.string().min(1).max(8) }),
  /** A list in one column: ["a", "b"]. */
  z.strictObject({ form: z.literal('list'), column: z.string() }),
  /** A column a label, 1 or 0 in each. */
  z.strictObject({ form: z.literal('columns'), columns: z.array(z.string()).min(1) }),
]);
export type MultiLabelColumns = z.infer<typeof multiLabelColumnsSchema>;
export const labelCountSchema = z.object({ label: z.string(), train: count, validation: count, test: count });
export const datasetSchema = z.object({
  id,
  projectId: id,
  name: z.string(),
  task: taskSchema,
  /** Of data to write text from; null for classes. */
  form: nullable(textFormSchema),
  source: z.string(),
  /** Column of the text, of the words, of the question, of the prompt, or of the messages. */
  textColumn: z.string(),
  /** Column of a pair's second text, of the context, or of the completion. */
  pairColumn: nullable(z.string()),
  /** Column of the label, or of the number; several with commas. */
  labelColumn: nullable(z.string()),
  rows: z.object({ train: count, validation: count, test: count }),
  /** Of words their tags (BIO); of questions whether they can be answered; empty for numbers and for data to write text from. */
  labels: z.array(z.string()),
  /** What the import found or changed, as sentences. */
  notes: z.array(z.string()).optional(),
  /** The lowest and the highest number of a regression; null for others. */
  range: nullable(interval).default(null),
  splitNote: z.string(),
  skippedRows: count,
  bytes: count,
  createdAt: z.string(),
  contentHash: z.string(),
});
export type Dataset = z.infer<typeof datasetSchema>;

export const datasetRowSchema = z.object({
  id,
  split: splitNameSchema,
  position: count,
  /** Of a conversation what comes before its last answer, for reading and searching; the last answer is `pair`. Of words joined by blanks. */
  text: z.string(),
  pair: nullable(z.string()),
  /** Of a regression the number; of several labels a JSON array, sorted; a tag a word between blanks; "answerable" or "unanswerable"; empty for data to write text from. */
  label: z.string(),
  /** The line, or of SQuAD's JSON the number of the question. */
  line: count,
  /** Of prompts with completions and of conversations; null for others. */
  messages: nullable(z.array(messageSchema)).default(null),
  /** Of questions, none where the context does not answer it; null for others. */
  answers: nullable(z.array(markedAnswerSchema)).default(null),
});
export type DatasetRow = z.infer<typeof datasetRowSchema>;

export const profileSchema = z.object({
  rows: z.object({ train: count, validation: count, test: count }),
  /** Rows of each label, entities of each type, or questions with and without an answer. */
  labels: z.array(labelCountSchema),
  /** Other lengths, in words: of questions and answers, of sentences and entities. */
  facts: z.array(z.object({ name: z.string(), median: count, max: count })).optional(),
  /** Of a regression; `bins[i]` counts rows with a number in [edges[i], edges[i+1]), the last edge included. */
  numbers: nullable(
    z.object({ edges: z.array(z.number()), bins: z.array(count), mean: z.number(), deviation: z.number() }),
  ).default(null),
  /** Of several labels a row: how many rows have so many, from none on. */
  labelsARow: z.array(count).default([]),
  /** Token lengths by the tokenizer of `tokenizer`; `bins[i]` counts rows with length in [edges[i], edges[i+1]). */
  lengths: z.object({
    tokenizer: z.string(),
    edges: z.array(z.number()),
    bins: z.array(z.number()),
    median: count,
    p95: count,
    max: count,
    /** For some maximum lengths: the share of rows (0 to 1) that lose text. */
    cut: z.array(z.object({ maxLength: count, share: z.number(), rows: count })),
  }),
  warnings: z.array(
    z.object({
      kind: z.enum(['empty-text', 'duplicate', 'conflicting-labels', 'leak', 'rare-label', 'long-text']),
      severity: z.enum(['bad', 'warn', 'info']),
      rows: count,
      message: z.string(),
      willHappen: z.string(),
      examples: z.array(z.object({ split: splitNameSchema, line: count, label: z.string(), text: z.string() })),
    }),
  ),
});
export type Profile = z.infer<typeof profileSchema>;

/** How a file reads before it is imported: real rows, detected options, suggested roles. */
export const readingOptionsSchema = z.strictObject({
  format: z.enum(['csv', 'tsv', 'json', 'jsonl', 'parquet', 'text', 'conll', 'squad']).optional(),
  encoding: z.string().optional(),
  delimiter: z.string().optional(),
  header: z.boolean().optional(),
});
export type ReadingOptions = z.infer<typeof readingOptionsSchema>;
export const filePreviewSchema = z.object({
  path: z.string(),
  bytes: count,
  format: z.enum(['csv', 'tsv', 'json', 'jsonl', 'parquet', 'text', 'conll', 'squad']),
  encoding: nullable(z.string()),
  delimiter: nullable(z.string()),
  header: z.boolean(),
  columns: z.array(
    z.object({
      name: z.string(),
      distinct: count,
      empty: count,
      meanLength: count,
      /** Lowest and highest where every filled cell looked at is a number; null for others. */
      numbers: nullable(interval).default(null),
      suggestedRole: z.enum(['text', 'pair', 'label', 'split', 'ignore']),
    }),
  ),
  rows: z.array(z.array(z.string())),
  rowsSampled: count,
  problems: z.array(z.object({ line: count, message: z.string() })),
  suggestedTask: taskSchema,
  /** How the file would be read as tagged words, and as questions; null where it has no columns for it. */
  tagging: nullable(
    z.object({
      words: z.string(),
      tags: z.string(),
      scheme: z.string().nullable(),
      tagNames: nullable(z.array(z.string())),
    }),
  ),
  questions: nullable(
    z.object({ question: z.string(), context: z.string(), answers: z.string(), group: nullable(z.string()) }),
  ),
  /** How the file would be read as data to write text from; null where it has no column for it. */
  generation: nullable(generationColumnsSchema),
  /** How it would be read as rows of several labels; null where no column looks like it. */
  multiLabel: nullable(multiLabelColumnsSchema).default(null),
});
export type FilePreview = z.infer<typeof filePreviewSchema>;

/** Data that comes with the app. */
export const sampleSchema = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  task: taskSchema,
  rows: z.object({ train: count, validation: count, test: count }),
  /** A base model that can learn from it is there. */
  ready: z.boolean(),
});
export type Sample = z.infer<typeof sampleSchema>;

const importedFile = {
  projectId: id,
  name: z.string().min(1).max(200),
  path: z.string(),
  reading: readingOptionsSchema.default({}),
  /** A file, a share of the training rows (0 to 0.9), or null for none; `splitColumn` names the split in each row instead. */
  validation: z
    .union([z.string(), z.number().min(0).max(0.9)])
    .nullable()
    .default(0.15),
  test: z
    .union([z.string(), z.number().min(0).max(0.9)])
    .nullable()
    .default(0.15),
  splitColumn: nullable(z.string()).default(null),
  seed: z.int().min(0).default(1),
  badRows: z.enum(['skip', 'stop']).default('stop'),
};
/** The text that is read, or the two of a pair. */
const readColumns = { textColumn: z.string(), pairColumn: nullable(z.string()).default(null) };
export const importRequestSchema = z.discriminatedUnion('task', [
  z.strictObject({
    task: z.literal('classification').default('classification'),
    ...importedFile,
    ...readColumns,
    labelColumn: z.string(),
  }),
  z.strictObject({
    task: z.literal('tagging'),
    ...importedFile,
    /** Lists of the same length. */
    wordsColumn: z.string(),
    tagsColumn: z.string(),
    /** Names of the tags by their numbers, where the file has numbers. */
    tagNames: nullable(z.array(z.string().min(1)).min(2)).default(null),
  }),
  z.strictObject({
    task: z.literal('questions'),
    ...importedFile,
    questionColumn: z.string(),
    contextColumn: z.string(),
    answersColumn: z.string(),
    /** Rows that have it in common stay in one split, as those of the same context always do: an article's title. */
    groupColumn: nullable(z.string()).default(null),
  }),
  z.strictObject({
    task: z.literal('regression'),
    ...importedFile,
    ...readColumns,
    /** Column of the number. */
    labelColumn: z.string(),
  }),
  z.strictObject({
    task: z.literal('multi-label'),
    ...importedFile,
    ...readColumns,
    labels: multiLabelColumnsSchema,
  }),
  z.strictObject({ task: z.literal('generation'), ...importedFile, columns: generationColumnsSchema }),
]);
export type ImportRequest = z.infer<typeof importRequestSchema>;
