/**
 * What a project's file is: a zip of `manifest.json` (project, data sets, runs, studies with their reports, hashes),
 * `datasets/<n>.jsonl` and `runs/<n>/…`.
 */
import { z } from 'zod';
import {
  datasetSchema,
  importRequestSchema,
  reportSchema,
  runSchema,
  studyRowSchema,
  type BaseModel,
} from '../../contract/entities.js';
import { StudioError } from '../../contract/errors.js';
import { testOutcomeSchema } from '../../contract/outcomes.js';
import { hashWeights } from '../../interchange/index.js';
import { oldOutcomes } from '../old-outcomes.js';

export const FORMAT = 'peft-studio-project';

/** `weights`: hash of the base model's weights; a model of the same name may be another one. */
const storedRun = z.object({
  run: runSchema,
  dataset: z.string(),
  model: z.string(),
  weights: z.string(),
  history: z.string(),
  trained: z.boolean(),
});
/** A finished study: its report, and which of the runs in the file it made. Run numbers are those of the exporting folder. */
const storedStudy = z.object({
  study: studyRowSchema,
  report: reportSchema,
  runs: z.array(z.object({ key: z.string(), runId: z.int().positive(), role: z.string() })),
});
export type StoredStudy = z.infer<typeof storedStudy>;

export const manifestSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  project: z.object({ name: z.string().min(1), description: z.string() }),
  datasets: z.array(z.object({ set: datasetSchema, request: importRequestSchema, file: z.string() })),
  runs: z.array(storedRun),
  // Files of before studies went along do not have them.
  studies: z.array(storedStudy).default([]),
  /** SHA-256 of every other member. */
  hashes: z.record(z.string(), z.string()),
});
export type Manifest = z.infer<typeof manifestSchema>;
export const historySchema = z.object({
  history: z.object({
    steps: z.array(z.unknown()),
    validations: z.array(z.unknown()),
    // Files of before there were stages do not have them.
    stages: z.array(z.unknown()).default([]),
    log: z.array(z.unknown()),
  }),
  outcomes: z.array(testOutcomeSchema).default([]),
  ...oldOutcomes,
});

/** Hashes each model's weights once, when first asked for. */
export function weightHashes(): (model: BaseModel) => Promise<string> {
  const hashes = new Map<number, Promise<string>>();
  return (model) => {
    const hash = hashes.get(model.id) ?? hashWeights(model.folder);
    hashes.set(model.id, hash);
    return hash;
  };
}

export const broken = (path: string, why: string) =>
  new StudioError(
    'bad-file',
    `${path} is not a whole project file: ${why}.`,
    'Export the project again and copy the file whole.',
    { file: path },
  );

export function parse<T extends z.ZodType>(path: string, name: string, schema: T, text: string): z.output<T> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new StudioError(
      'bad-file',
      `${path} is not a whole project file: ${name} does not read as it should.`,
      "Export the project again; an older app may not read a newer app's file.",
      { file: path },
      { cause: error },
    );
  }
}
