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
import type { Objective } from '../contract/objectives.js';
import { outcomeSchemas, testOutcomeSchema, type OutcomeOf, type TestOutcome } from '../contract/outcomes.js';
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

const stepColumns =
  'step, loss, learning_rate AS learningRate, gradient_norm AS gradientNorm, tokens_per_second AS tokensPerSecond, memory_bytes AS memoryBytes, seconds';
const spanSchema = z.object({ first: z.number().nullable(), last: z.number().nullable() });

/** How many neighbouring steps become one, so that at most `points` are left. */
async function stepsTogether(sql: Sql, runId: number, afterStep: number, points: number | null) {
  if (points === null) return 1;
  const rows = await sql.all(
    'SELECT MIN(step) AS first, MAX(step) AS last FROM run_steps WHERE run_id = ? AND step > ?',
    [runId, afterStep],
  );
  const { last } = spanSchema.parse(rows[0]);
  return last === null ? 1 : Math.max(1, Math.ceil((last - afterStep) / points));
}

/** At most `points` records, null for all: means of what fluctuates, the largest of memory, step and learning rate of the last. */
async function readSteps(sql: Sql, runId: number, afterStep: number, points: number | null): Promise<StepMetric[]> {
  const together = await stepsTogether(sql, runId, afterStep, points);
  // Counted in the database: a million steps take no time of this process.
  const rows =
    together === 1
      ? await sql.all(`SELECT ${stepColumns} FROM run_steps WHERE run_id = ? AND step > ? ORDER BY step`, [
          runId,
          afterStep,
        ])
      : await sql.all(
          `SELECT m.step, m.loss, s.learning_rate AS learningRate, m.gradientNorm, m.tokensPerSecond, m.memoryBytes, m.seconds FROM
             (SELECT MAX(step) AS step, AVG(loss) AS loss, AVG(gradient_norm) AS gradientNorm, AVG(tokens_per_second) AS tokensPerSecond,
                MAX(memory_bytes) AS memoryBytes, AVG(seconds) AS seconds
              FROM run_steps WHERE run_id = ? AND step > ? GROUP BY (step - ? - 1) / ?) m
           JOIN run_steps s ON s.run_id = ? AND s.step = m.step ORDER BY m.step`,
          [runId, afterStep, afterStep, together, runId],
        );
  return rows.map((row) => stepMetricSchema.parse(row));
}

/** At most about `points` validations after a step, null for all; the last and the last best are among them. */
export async function readValidations(
  sql: Sql,
  runId: number,
  points: number | null,
  afterStep = -1,
): Promise<ValidationMetric[]> {
  const own = 'FROM run_validations WHERE run_id = ? AND step > ?';
  const [count] = await sql.all(`SELECT COUNT(*) AS total ${own}`, [runId, afterStep]);
  const each = points === null ? 1 : Math.ceil(Number(count?.['total']) / points);
  const rows =
    each <= 1
      ? await sql.all(`SELECT data ${own} ORDER BY step`, [runId, afterStep])
      : await sql.all(
          `SELECT data FROM (SELECT step, data, ROW_NUMBER() OVER (ORDER BY step DESC) AS place ${own})
           WHERE place % ? = 1 OR step = (SELECT MAX(step) ${own} AND json_extract(data, '$.best')) ORDER BY step`,
          [runId, afterStep, each, runId, afterStep],
        );
  return rows.map((row) => validationMetricSchema.parse(dataOf(row)));
}

/** @param points at most about so many steps and validations each; null for all */
export async function readHistory(
  sql: Sql,
  runId: number,
  afterStep: number,
  points: number | null = null,
): Promise<RunHistory> {
  const steps = await readSteps(sql, runId, afterStep, points);
  // A run without steps was validated after step 0: whoever asks for all wants that too.
  const validations = await readValidations(sql, runId, points, afterStep === 0 ? -1 : afterStep);
  const stages = await sql.all('SELECT data FROM run_stages WHERE run_id = ? ORDER BY stage', [runId]);
  const log = await sql.all('SELECT time, level, message FROM run_log WHERE run_id = ? ORDER BY id DESC LIMIT 1000', [
    runId,
  ]);
  return {
    steps,
    validations,
    stages: stages.map((row) => stageMetricSchema.parse(dataOf(row))),
    log: log.reverse().map((row) => logLineSchema.parse(row)),
  };
}

const dataOf = (row: unknown): unknown => JSON.parse(z.object({ data: z.string() }).parse(row).data);

/** What a run measured is forgotten: it starts again. */
export async function clearMetrics(sql: Sql, runId: number): Promise<void> {
  for (const table of ['run_steps', 'run_validations', 'run_stages', 'run_log', 'checkpoints', 'test_outcomes'])
    await sql.run(`DELETE FROM ${table} WHERE run_id = ?`, [runId]);
}

export async function insertOutcomes(sql: Sql, runId: number, rows: readonly TestOutcome[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 400) {
    const part = rows.slice(from, from + 400);
    const values = part.flatMap<Parameter>(({ id, outcome, details }) => [
      runId,
      id,
      JSON.stringify(outcome),
      details === null ? null : JSON.stringify(details),
    ]);
    await sql.run(
      `INSERT OR REPLACE INTO test_outcomes (run_id, row_id, outcome, details) VALUES ${part.map(() => '(?, ?, ?, ?)').join(', ')}`,
      values,
    );
  }
}

const outcomeSchema = z.object({ id: z.number(), outcome: z.string() });

/** What became of the test rows under an objective, two parallel lists by row id; empty where the run has none. */
export async function readOutcomes<O extends Objective>(
  sql: Sql,
  runId: number,
  objective: O,
): Promise<{ objective: O; rowIds: number[]; outcomes: OutcomeOf<O>[] }> {
  const rows = (
    await sql.all('SELECT row_id AS id, outcome FROM test_outcomes WHERE run_id = ? ORDER BY row_id', [runId])
  ).map((row) => outcomeSchema.parse(row));
  const schema: z.ZodType = outcomeSchemas[objective];
  return {
    objective,
    rowIds: rows.map(({ id }) => id),
    outcomes: rows.map(({ outcome }) => schema.parse(JSON.parse(outcome)) as OutcomeOf<O>),
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

const fullSchema = outcomeSchema.extend({ details: z.string().nullable() });

/** Every outcome with its details, for a project's file. */
export async function listOutcomes(sql: Sql, runId: number): Promise<TestOutcome[]> {
  const rows = await sql.all(
    'SELECT row_id AS id, outcome, details FROM test_outcomes WHERE run_id = ? ORDER BY row_id',
    [runId],
  );
  return rows.map((row) => {
    const { id, outcome, details } = fullSchema.parse(row);
    return testOutcomeSchema.parse({
      id,
      outcome: JSON.parse(outcome) as unknown,
      details: details === null ? null : (JSON.parse(details) as unknown),
    });
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
