/** Data sets: how a file reads, how it is imported, its rows and profile. */
import { z } from 'zod';
import { count, id, nullable, splitNameSchema } from './common.js';
import { taskSchema } from '../objectives.js';
import { generationColumnsSchema, messageSchema, textFormSchema } from './generation.js';

export const labelCountSchema = z.object({ label: z.string(), train: count, validation: count, test: count });
export const datasetSchema = z.object({
  id,
  projectId: id,
  name: z.string(),
  task: taskSchema,
  /** Of data to write text from; null for classes. */
  form: nullable(textFormSchema),
  source: z.string(),
  /** Column of the text, of the prompt, or of the messages. */
  textColumn: z.string(),
  /** Column of a pair's second text, or of the completion. */
  pairColumn: nullable(z.string()),
  labelColumn: nullable(z.string()),
  rows: z.object({ train: count, validation: count, test: count }),
  /** Empty for data to write text from. */
  labels: z.array(z.string()),
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
  /** Of a conversation what comes before its last answer, for reading and searching; the last answer is `pair`. */
  text: z.string(),
  pair: nullable(z.string()),
  /** Empty for data to write text from. */
  label: z.string(),
  line: count,
  /** Of prompts with completions and of conversations; null for others. */
  messages: nullable(z.array(messageSchema)).default(null),
});
export type DatasetRow = z.infer<typeof datasetRowSchema>;

export const profileSchema = z.object({
  rows: z.object({ train: count, validation: count, test: count }),
  labels: z.array(labelCountSchema),
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
  format: z.enum(['csv', 'tsv', 'json', 'jsonl', 'parquet', 'text']).optional(),
  encoding: z.string().optional(),
  delimiter: z.string().optional(),
  header: z.boolean().optional(),
});
export type ReadingOptions = z.infer<typeof readingOptionsSchema>;
export const filePreviewSchema = z.object({
  path: z.string(),
  bytes: count,
  format: z.enum(['csv', 'tsv', 'json', 'jsonl', 'parquet', 'text']),
  encoding: nullable(z.string()),
  delimiter: nullable(z.string()),
  header: z.boolean(),
  columns: z.array(
    z.object({
      name: z.string(),
      distinct: count,
      empty: count,
      meanLength: count,
      suggestedRole: z.enum(['text', 'pair', 'label', 'split', 'ignore']),
    }),
  ),
  rows: z.array(z.array(z.string())),
  rowsSampled: count,
  problems: z.array(z.object({ line: count, message: z.string() })),
  suggestedTask: taskSchema,
  /** How the file would be read as data to write text from; null where it has no column for it. */
  generation: nullable(generationColumnsSchema),
});
export type FilePreview = z.infer<typeof filePreviewSchema>;

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
export const importRequestSchema = z.discriminatedUnion('task', [
  z.strictObject({
    task: z.literal('classification').default('classification'),
    ...importedFile,
    textColumn: z.string(),
    pairColumn: nullable(z.string()).default(null),
    labelColumn: z.string(),
  }),
  z.strictObject({ task: z.literal('generation'), ...importedFile, columns: generationColumnsSchema }),
]);
export type ImportRequest = z.infer<typeof importRequestSchema>;
