/** Tables studies, study_runs and study_measurements: plans, how far they are, the runs that they made, what was measured of these, reports. */
import { z } from 'zod';
import { reportSchema, studyRowSchema, type Report, type Study } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { StudyPlan } from '../contract/study.js';
import type { Parameter, Sql } from './database.js';

const rowSchema = z.object({
  id: z.number(),
  project_id: z.number(),
  name: z.string(),
  plan: z.string(),
  state: z.string(),
  progress: z.string(),
  created_at: z.string(),
  ended_at: z.string().nullable(),
  problem: z.string().nullable(),
});

function record(row: unknown): Study {
  const r = rowSchema.parse(row);
  const plan: unknown = JSON.parse(r.plan);
  return studyRowSchema.parse({
    id: r.id,
    projectId: r.project_id,
    kind: z.object({ kind: z.string() }).parse(plan).kind,
    name: r.name,
    plan,
    state: r.state,
    progress: JSON.parse(r.progress),
    createdAt: r.created_at,
    endedAt: r.ended_at,
    problem: r.problem === null ? null : JSON.parse(r.problem),
  });
}

// The report stays out: it may be large, and lists do not show it.
const select = 'SELECT id, project_id, name, plan, state, progress, created_at, ended_at, problem FROM studies';

/** The newest first. */
export async function listStudies(sql: Sql, projectId: number): Promise<Study[]> {
  return (await sql.all(`${select} WHERE project_id = ? ORDER BY id DESC`, [projectId])).map(record);
}

/** Throws StudioError 'not-found'. */
export async function getStudy(sql: Sql, id: number): Promise<Study> {
  const [row] = await sql.all(`${select} WHERE id = ?`, [id]);
  if (!row) throw new StudioError('not-found', `There is no study ${id}.`, 'It may have been deleted.', { id });
  return record(row);
}

export interface NewStudy {
  readonly projectId: number;
  readonly name: string;
  readonly plan: StudyPlan;
  readonly progress: Study['progress'];
  readonly createdAt: string;
  readonly worker: string;
}

export async function insertStudy(sql: Sql, study: NewStudy): Promise<number> {
  const { projectId, name, plan, progress, createdAt, worker } = study;
  return (
    await sql.run(
      `INSERT INTO studies (project_id, name, plan, state, progress, created_at, worker) VALUES (?, ?, ?, 'running', ?, ?, ?)`,
      [projectId, name, JSON.stringify(plan), JSON.stringify(progress), createdAt, worker],
    )
  ).lastId;
}

const plain = { name: 'name', state: 'state', endedAt: 'ended_at', worker: 'worker' } as const;
const asJson = { progress: 'progress', problem: 'problem', report: 'report' } as const;
export type StudyChange = Partial<
  Pick<Study, 'name' | 'state' | 'endedAt' | 'progress' | 'problem'> & { worker: string; report: Report }
>;

export async function updateStudy(sql: Sql, id: number, change: StudyChange): Promise<void> {
  const sets: [string, Parameter][] = [];
  for (const [key, column] of Object.entries(plain)) {
    const value = change[key as keyof typeof plain];
    if (value !== undefined) sets.push([column, value]);
  }
  for (const [key, column] of Object.entries(asJson)) {
    const value = change[key as keyof typeof asJson];
    if (value !== undefined) sets.push([column, value === null ? null : JSON.stringify(value)]);
  }
  if (sets.length > 0)
    await sql.run(`UPDATE studies SET ${sets.map(([column]) => `${column} = ?`).join(', ')} WHERE id = ?`, [
      ...sets.map(([, value]) => value),
      id,
    ]);
}

export async function deleteStudy(sql: Sql, id: number): Promise<void> {
  await sql.run('DELETE FROM studies WHERE id = ?', [id]);
}

/** The report of a finished study; null before. */
export async function readReport(sql: Sql, id: number): Promise<Report | null> {
  const [row] = await sql.all('SELECT report FROM studies WHERE id = ?', [id]);
  const { report } = z.object({ report: z.string().nullable() }).parse(row);
  return report === null ? null : reportSchema.parse(JSON.parse(report));
}

/** What the study's plan calls a run, and the run. */
export interface StudyRunRow {
  readonly key: string;
  readonly runId: number;
  readonly role: string;
}

const runRow = z.object({ key: z.string(), run_id: z.number(), role: z.string() });

export async function runsOfStudy(sql: Sql, id: number): Promise<StudyRunRow[]> {
  const rows = await sql.all('SELECT key, run_id, role FROM study_runs WHERE study_id = ? ORDER BY run_id', [id]);
  return rows.map((row) => {
    const { key, run_id: runId, role } = runRow.parse(row);
    return { key, runId, role };
  });
}

export async function insertStudyRun(sql: Sql, studyId: number, { key, runId, role }: StudyRunRow): Promise<void> {
  await sql.run('INSERT INTO study_runs (study_id, key, run_id, role) VALUES (?, ?, ?, ?)', [
    studyId,
    key,
    runId,
    role,
  ]);
}

export async function changeRole(sql: Sql, runId: number, role: string): Promise<void> {
  await sql.run('UPDATE study_runs SET role = ? WHERE run_id = ?', [role, runId]);
}

const workerSchema = z.object({ worker: z.string().nullable() });

export async function workerOf(sql: Sql, id: number): Promise<string | null> {
  return workerSchema.parse((await sql.all('SELECT worker FROM studies WHERE id = ?', [id]))[0]).worker;
}

/** Processes that have studies under way. */
export async function workers(sql: Sql): Promise<(string | null)[]> {
  const rows = await sql.all(`SELECT DISTINCT worker FROM studies WHERE state = 'running'`);
  return rows.map((row) => workerSchema.parse(row).worker);
}

/** What a process that has ended had under way; returns the studies' numbers. */
export async function markInterrupted(sql: Sql, worker: string | null): Promise<number[]> {
  const rows = await sql.all(
    `UPDATE studies SET state = 'interrupted' WHERE state = 'running' AND worker IS ? RETURNING id`,
    [worker],
  );
  return rows.map((row) => Number(row['id']));
}

/** What was measured of the study's runs, by key. */
export async function measurementsOf(sql: Sql, id: number): Promise<Map<string, unknown>> {
  const rows = await sql.all('SELECT key, value FROM study_measurements WHERE study_id = ?', [id]);
  return new Map(
    rows.map((row) => {
      const { key, value } = z.object({ key: z.string(), value: z.string() }).parse(row);
      return [key, JSON.parse(value) as unknown];
    }),
  );
}

/** Keeps a measurement, in the place of one that was kept before. */
export async function keepMeasurement(sql: Sql, studyId: number, key: string, value: unknown): Promise<void> {
  await sql.run('INSERT OR REPLACE INTO study_measurements (study_id, key, value) VALUES (?, ?, ?)', [
    studyId,
    key,
    JSON.stringify(value),
  ]);
}
