/** What a run tells while it trains: steps, validations, log, checkpoints, and its answers on the test rows. A resumed run may tell a thing again. */
import { z } from 'zod';
import {
  logLineSchema,
  stageMetricSchema,
  stepMetricSchema,
  validationMetricSchema,
  type LogLine,
  type RunHistory,
  type StageMetric,
  type StepMetric,
  type ValidationMetric,
} from '../contract/entities.js';
import type { Parameter, Sql } from './database.js';

export async function insertMetrics(
  sql: Sql,
  runId: number,
  steps: readonly StepMetric[],
  validations: readonly ValidationMetric[],
  log: readonly LogLine[],
  stages: readonly StageMetric[] = [],
): Promise<void> {
  for (let from = 0; from < steps.length; from += 400) {
    const part = steps.slice(from, from + 400);
    const values = part.flatMap<Parameter>((s) => [
      runId,
      s.step,
      s.loss,
      s.learningRate,
      s.gradientNorm,
      s.tokensPerSecond,
      s.memoryBytes,
      s.seconds,
    ]);
    await sql.run(
      `INSERT OR REPLACE INTO run_steps VALUES ${part.map(() => '(?, ?, ?, ?, ?, ?, ?, ?)').join(', ')}`,
      values,
    );
  }
  for (const validation of validations)
    await sql.run('INSERT OR REPLACE INTO run_validations VALUES (?, ?, ?)', [
      runId,
      validation.step,
      JSON.stringify(validation),
    ]);
  for (const stage of stages)
    await sql.run('INSERT OR REPLACE INTO run_stages VALUES (?, ?, ?)', [runId, stage.stage, JSON.stringify(stage)]);
  for (const { time, level, message } of log)
    await sql.run('INSERT INTO run_log (run_id, time, level, message) VALUES (?, ?, ?, ?)', [
      runId,
      time,
      level,
      message,
    ]);
}

export async function readHistory(sql: Sql, runId: number, afterStep: number): Promise<RunHistory> {
  const steps = await sql.all(
    `SELECT step, loss, learning_rate AS learningRate, gradient_norm AS gradientNorm, tokens_per_second AS tokensPerSecond, memory_bytes AS memoryBytes, seconds
     FROM run_steps WHERE run_id = ? AND step > ? ORDER BY step`,
    [runId, afterStep],
  );
  // A run without steps was validated after step 0: whoever asks for all wants that too.
  const validations = await sql.all('SELECT data FROM run_validations WHERE run_id = ? AND step > ? ORDER BY step', [
    runId,
    afterStep === 0 ? -1 : afterStep,
  ]);
  const stages = await sql.all('SELECT data FROM run_stages WHERE run_id = ? ORDER BY stage', [runId]);
  const log = await sql.all('SELECT time, level, message FROM run_log WHERE run_id = ? ORDER BY id DESC LIMIT 1000', [
    runId,
  ]);
  return {
    steps: steps.map((row) => stepMetricSchema.parse(row)),
    validations: validations.map((row) => validationMetricSchema.parse(dataOf(row))),
    stages: stages.map((row) => stageMetricSchema.parse(dataOf(row))),
    log: log.reverse().map((row) => logLineSchema.parse(row)),
  };
}

const dataOf = (row: unknown): unknown => JSON.parse(z.object({ data: z.string() }).parse(row).data);

/** What a run measured is forgotten: it starts again. */
export async function clearMetrics(sql: Sql, runId: number): Promise<void> {
  for (const table of [
    'run_steps',
    'run_validations',
    'run_stages',
    'run_log',
    'checkpoints',
    'test_predictions',
    'test_losses',
  ])
    await sql.run(`DELETE FROM ${table} WHERE run_id = ?`, [runId]);
}

export interface StoredPrediction {
  readonly id: number;
  readonly label: number;
  readonly predicted: number;
  readonly probabilities: readonly number[];
}

export async function insertPredictions(sql: Sql, runId: number, rows: readonly StoredPrediction[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 400) {
    const part = rows.slice(from, from + 400);
    const values = part.flatMap<Parameter>((row) => [
      runId,
      row.id,
      row.label,
      row.predicted,
      JSON.stringify(row.probabilities),
    ]);
    await sql.run(
      `INSERT OR REPLACE INTO test_predictions VALUES ${part.map(() => '(?, ?, ?, ?, ?)').join(', ')}`,
      values,
    );
  }
}

const columnSchema = z.object({ row_id: z.number(), label: z.number(), predicted: z.number() });

/** Three parallel lists by row id; null where the run has none. */
export async function readPredictions(
  sql: Sql,
  runId: number,
): Promise<{ rowIds: Int32Array; labels: Int32Array; predicted: Int32Array } | null> {
  const rows = (
    await sql.all('SELECT row_id, label, predicted FROM test_predictions WHERE run_id = ? ORDER BY row_id', [runId])
  ).map((row) => columnSchema.parse(row));
  if (rows.length === 0) return null;
  return {
    rowIds: Int32Array.from(rows, (row) => row.row_id),
    labels: Int32Array.from(rows, (row) => row.label),
    predicted: Int32Array.from(rows, (row) => row.predicted),
  };
}

export async function replaceCheckpoints(
  sql: Sql,
  runId: number,
  files: readonly { readonly file: string; readonly bytes: number }[],
): Promise<void> {
  await sql.run('DELETE FROM checkpoints WHERE run_id = ?', [runId]);
  for (const { file, bytes } of files) await sql.run('INSERT INTO checkpoints VALUES (?, ?, ?)', [runId, file, bytes]);
}

export interface StoredLoss {
  readonly id: number;
  /** Sum over the row's trained tokens, in nats. */
  readonly loss: number;
  readonly tokens: number;
  readonly exact: boolean | null;
  readonly answer: string | null;
}

export async function insertLosses(sql: Sql, runId: number, rows: readonly StoredLoss[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 400) {
    const part = rows.slice(from, from + 400);
    const values = part.flatMap<Parameter>(({ id, loss, tokens, exact, answer }) => [
      runId,
      id,
      loss,
      tokens,
      exact === null ? null : Number(exact),
      answer,
    ]);
    await sql.run(
      `INSERT OR REPLACE INTO test_losses (run_id, row_id, loss, tokens, exact, answer) VALUES ${part.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}`,
      values,
    );
  }
}

const lossSchema = z.object({
  id: z.number(),
  loss: z.number(),
  tokens: z.number(),
  exact: z
    .number()
    .nullable()
    .transform((exact) => (exact === null ? null : exact === 1)),
  answer: z.string().nullable(),
});

/** What a language model made of the test rows, by row id; empty where the run has none. */
export async function readLosses(sql: Sql, runId: number): Promise<StoredLoss[]> {
  return (
    await sql.all(
      'SELECT row_id AS id, loss, tokens, exact, answer FROM test_losses WHERE run_id = ? ORDER BY row_id',
      [runId],
    )
  ).map((row) => lossSchema.parse(row));
}

const fullSchema = columnSchema.extend({ probabilities: z.string() });

/** Every answer with its probabilities, for a project's file. */
export async function listPredictions(
  sql: Sql,
  runId: number,
): Promise<{ row: number; label: number; predicted: number; probabilities: number[] }[]> {
  const rows = await sql.all(
    'SELECT row_id, label, predicted, probabilities FROM test_predictions WHERE run_id = ? ORDER BY row_id',
    [runId],
  );
  return rows.map((row) => {
    const { row_id, label, predicted, probabilities } = fullSchema.parse(row);
    return { row: row_id, label, predicted, probabilities: z.array(z.number()).parse(JSON.parse(probabilities)) };
  });
}

/** A history from a project's file, checked line by line. */
export async function restoreHistory(
  sql: Sql,
  runId: number,
  history: {
    steps: readonly unknown[];
    validations: readonly unknown[];
    stages: readonly unknown[];
    log: readonly unknown[];
  },
): Promise<void> {
  await insertMetrics(
    sql,
    runId,
    history.steps.map((step) => stepMetricSchema.parse(step)),
    history.validations.map((validation) => validationMetricSchema.parse(validation)),
    history.log.map((line) => logLineSchema.parse(line)),
    history.stages.map((stage) => stageMetricSchema.parse(stage)),
  );
}
