/** Fills a data folder through the app's own storage layer: a long run among many, and a large data set. */
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  importRequestSchema,
  scoresSchema,
  type StepMetric,
  type ValidationMetric,
} from '../../electron/contract/entities.js';
import { planSchema, type Plan } from '../../electron/contract/plan.js';
import {
  datasets,
  metrics,
  models,
  openDatabase,
  projects,
  runs,
  type Database,
} from '../../electron/storage/index.js';

export interface Sizes {
  /** Metric points of the long run; three others of its setting have a tenth each. */
  readonly points: number;
  readonly runs: number;
  readonly rows: number;
}
export interface Filled {
  readonly projectId: number;
  readonly datasetId: number;
  readonly runId: number;
}

const createdAt = '2026-11-24T21:13:00.000Z';
const worker = 'the filler';
const labels = ['animal', 'food', 'place', 'tool', 'weather'];
const words = 'the old small near with and was seen very good on table in house today not far from here again'.split(
  ' ',
);
/** Statements are gathered in transactions of so many records. */
const TOGETHER = 20_000;
const others = 3;

/** Numbers in [0, 1) from an index alone. */
const noise = (i: number) => ((Math.imul(i + 1, 0x9e3779b1) ^ (Math.imul(i + 7, 0x85ebca6b) >>> 13)) >>> 0) / 2 ** 32;

const stepAt = (step: number, steps: number): StepMetric => ({
  step,
  loss: 0.3 + 1.4 * Math.exp((-4 * step) / steps) + 0.3 * (noise(step) - 0.5),
  learningRate: 1e-3 * (1 - step / (steps + 1)),
  gradientNorm: 1 + noise(step * 3),
  tokensPerSecond: 4000 + 400 * noise(step * 5),
  memoryBytes: 4e8 + 5e7 * noise(step * 7),
  seconds: 0.2 + 0.05 * noise(step * 11),
});

const scoresOf = (loss: number) =>
  scoresSchema.parse({ objective: 'classification', loss, accuracy: 1 - loss / 2, macroF1: 1 - loss / 2 });

const rowAt = (i: number) => ({
  split: i % 10 === 0 ? ('test' as const) : i % 10 === 1 ? ('validation' as const) : ('train' as const),
  position: i,
  line: i + 2,
  text: Array.from({ length: 8 + (i % 17) }, (_, at) => words[Math.floor(noise(i * 31 + at) * words.length)]).join(' '),
  pair: null,
  label: labels[i % labels.length] ?? '',
  messages: null,
});

async function fillRows(database: Database, datasetId: number, rows: number) {
  for (let from = 0; from < rows; from += TOGETHER) {
    const part = Array.from({ length: Math.min(TOGETHER, rows - from) }, (_, i) => rowAt(from + i));
    await database.transaction((sql) => datasets.insertRows(sql, datasetId, part));
  }
}

async function fillRun(database: Database, runId: number, steps: number, checks: number) {
  for (let from = 0; from < steps; from += TOGETHER) {
    const part = Array.from({ length: Math.min(TOGETHER, steps - from) }, (_, i) => stepAt(from + i + 1, steps));
    await database.transaction((sql) => metrics.insertMetrics(sql, runId, part, [], []));
  }
  const every = Math.max(1, Math.floor(steps / checks));
  const validations = Array.from({ length: Math.floor(steps / every) }, (_, i): ValidationMetric => {
    const step = (i + 1) * every;
    return { step, best: true, ...scoresOf(0.3 + 1.2 * Math.exp((-4 * step) / steps)) };
  });
  const log = validations.map(({ step }) => ({
    time: createdAt,
    level: 'check' as const,
    message: `Validation, step ${step}.`,
  }));
  await database.transaction((sql) => metrics.insertMetrics(sql, runId, [], validations, log));
}

/** The plan of the i-th run: settings differ every ten runs, seeds within. */
const planAt = (i: number, steps: number): Plan =>
  planSchema.parse({
    model: 'starter of frames',
    data: 'rows',
    method: i < 10 ? { type: 'lora', rank: 8 } : { type: 'lora', rank: 1 + (Math.floor(i / 10) % 60) },
    training: { seed: 1 + (i % 10), maxSteps: steps, learningRate: 0.001 + 1e-6 * Math.floor(i / 600) },
    device: 'cpu',
  });

/** Fills a folder unless it is filled already. Answers where things are. */
export async function fill(home: string, { points, runs: count, rows }: Sizes): Promise<Filled> {
  const filled = { projectId: 1, datasetId: 1, runId: 1 };
  const done = await access(join(home, 'studio.db')).then(
    () => true,
    () => false,
  );
  // What was counted of the data is kept there; it is to be counted anew.
  await rm(join(home, 'datasets'), { recursive: true, force: true });
  if (done) return filled;
  const { database } = await openDatabase(home);
  const projectId = await projects.insertProject(database, { name: 'Large', description: '', createdAt });
  const modelId = await models.insertModel(database, {
    name: 'starter of frames',
    folder: join(process.cwd(), 'native-assets', 'starter-model'),
    architecture: 'bert',
    parameters: 1_000_000,
    layers: 2,
    hiddenSize: 128,
    vocabularySize: 8000,
    maxLength: 128,
    bytes: 4_000_000,
    license: null,
    builtIn: false,
    addedAt: createdAt,
  });
  const request = importRequestSchema.parse({
    projectId,
    name: 'rows',
    path: '/rows.csv',
    textColumn: 'text',
    labelColumn: 'label',
  });
  const datasetId = await datasets.beginDataset(database, request, createdAt, worker);
  await fillRows(database, datasetId, rows);
  const tenth = Math.ceil(rows / 10);
  await datasets.finishDataset(database, datasetId, {
    rows: { train: rows - 2 * tenth, validation: tenth, test: tenth },
    labels,
    range: null,
    splitNote: 'drawn',
    skippedRows: 0,
    bytes: rows * 80,
    contentHash: `frames-${rows}`,
  });
  for (let i = 0; i < count; i += 1) {
    const steps = i === 0 ? points : i <= others ? Math.ceil(points / 10) : 20;
    const plan = planAt(i, i <= others ? points : 20);
    const test = scoresOf(0.4);
    const runId = await runs.insertRun(database, {
      projectId,
      modelId,
      datasetId,
      plan,
      initFolder: null,
      methodName: 'LoRA',
      setting: `r ${plan.method.type === 'lora' ? plan.method.rank : 0}, query value`,
      createdAt,
      worker: null,
    });
    await runs.updateRun(database, runId, {
      state: 'finished',
      step: steps,
      totalSteps: steps,
      device: 'cpu',
      startedAt: createdAt,
      endedAt: createdAt,
      validation: test,
      result: {
        test,
        validation: test,
        bestStep: steps,
        trainableParameters: 10_000,
        totalParameters: 1_000_000,
        secondsPerStep: 0.2,
        tokensPerSecond: 4000,
        peakMemoryBytes: 4e8,
        optimizerBytes: 8e4,
        checkpointBytes: 4e4,
        trainingSeconds: 0.2 * steps,
        steps,
        stoppedEarly: false,
      },
    });
    await fillRun(database, runId, steps, i === 0 ? 1000 : 20);
  }
  await database.close();
  return filled;
}
