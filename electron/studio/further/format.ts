/** The files of a project for transformers, peft and accelerate, and of its result. The Python side is native-assets/further. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Dataset, DatasetRow, SplitName } from '../../contract/entities.js';
import { planSchema, trainingSchema } from '../../contract/plan.js';
import { ExampleDraw } from '../../data/index.js';
import { datasets } from '../../storage/index.js';
import type { Context } from '../context.js';

const count = z.number().min(0);

/** What a head on whole texts learns: all that goes to Python. */
export const furtherObjectives = ['classification', 'multi-label', 'regression'] as const;
export const furtherObjectiveSchema = z.enum(furtherObjectives);

const splitSchema = z.object({ file: z.string(), rows: count, hash: z.string() }).nullable();

/** setup.json: all that the plan does not say. */
export const setupSchema = z.object({
  format: z.literal('peft-studio-further'),
  version: z.literal(1),
  objective: furtherObjectiveSchema,
  labels: z.array(z.string()).nullable(),
  method: planSchema.shape.method,
  trains: z.object({
    peft: z.record(z.string(), z.unknown()).nullable(),
    weights: z.array(z.string()).nullable(),
    loraPlusRatio: z.number(),
  }),
  /** Of each label, in their order. */
  classWeights: z.array(z.number()).nullable(),
  /** number = center + scale · output of the head while it trains */
  standard: z.object({ center: z.number(), scale: z.number() }).nullable(),
  model: z.object({ name: z.string(), architecture: z.string(), weights: z.string() }),
  data: z.object({ name: z.string(), train: splitSchema, validation: splitSchema, test: splitSchema }),
  /** Where train.jsonl holds a few examples of each class only. */
  drawn: trainingSchema.pick({ examplesPerClass: true, seed: true }).nullable(),
});
export type Setup = z.infer<typeof setupSchema>;

const scoresShape = z.record(z.string(), z.union([z.number(), z.boolean()]).nullable());

/** result.json, as train.py writes it. */
export const resultSchema = z.object({
  format: z.literal('peft-studio-result'),
  version: z.literal(1),
  /** SHA-256 of the setup.json beside it. */
  setup: z.string(),
  plan: z.unknown(),
  versions: z.record(z.string(), z.string()),
  device: z.string(),
  processes: count,
  precision: z.string(),
  secondsPerStep: count.nullable(),
  trainingSeconds: count,
  peakMemoryBytes: count.nullable(),
  steps: z.array(
    z.object({ step: count, loss: z.number(), learningRate: z.number(), gradientNorm: z.number(), seconds: count }),
  ),
  validations: z.array(scoresShape),
  bestStep: count,
  stoppedEarly: z.boolean(),
  test: z
    .object({ scores: z.record(z.string(), z.number().nullable()), logits: z.array(z.array(z.number())) })
    .nullable(),
});

/** A row as it is written, without the number that it has in this database. */
export const lineOf = ({ text, pair, label }: DatasetRow): string => JSON.stringify({ text, pair, label });

/** Rows of a split as a run uses them: all, or of the training split those that are drawn of each class. */
export async function* usedRows(
  { database }: Pick<Context, 'database'>,
  dataset: Dataset,
  split: SplitName,
  drawn: Setup['drawn'],
): AsyncGenerator<DatasetRow> {
  let places: ReadonlySet<number> | null = null;
  if (split === 'train' && drawn?.examplesPerClass != null) {
    const draw = new ExampleDraw(drawn.seed);
    for await (const row of datasets.eachRow(database, dataset.id, split))
      draw.addRow(row, dataset.task === 'classification');
    ({ places } = draw.take(drawn.examplesPerClass));
  }
  let place = 0;
  for await (const row of datasets.eachRow(database, dataset.id, split)) {
    if (places === null || places.has(place)) yield row;
    place += 1;
  }
}

/** SHA-256 over lines, each taken as it comes. */
export class LinesHash {
  readonly #hash = createHash('sha256');
  rows = 0;

  add(line: string): void {
    this.#hash.update(`${line}\n`);
    this.rows += 1;
  }

  get hex(): string {
    return this.#hash.copy().digest('hex');
  }
}
