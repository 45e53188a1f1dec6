/** Table projects. Counts and best scores are put together from the other tables. */
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import type { Sql } from './database.js';

const rowSchema = z.object({
  id: z.number(),
  name: z.string(),
  description: z.string(),
  created_at: z.string(),
  archived_at: z.string().nullable(),
  datasets: z.number(),
  runs: z.number(),
  runs_active: z.number(),
  runs_failed: z.number(),
});
export interface ProjectRecord {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly createdAt: string;
  readonly archivedAt: string | null;
  readonly datasets: number;
  readonly runs: number;
  readonly runsActive: number;
  readonly runsFailed: number;
}

const select = `SELECT p.*, (SELECT COUNT(*) FROM datasets d WHERE d.project_id = p.id AND d.ready = 1) AS datasets,
  (SELECT COUNT(*) FROM runs r WHERE r.project_id = p.id) AS runs,
  (SELECT COUNT(*) FROM runs r WHERE r.project_id = p.id AND r.state IN ('queued', 'preparing', 'running')) AS runs_active,
  (SELECT COUNT(*) FROM runs r WHERE r.project_id = p.id AND r.state = 'failed') AS runs_failed FROM projects p`;

function record(row: unknown): ProjectRecord {
  const r = rowSchema.parse(row);
  return {
    id: r.id,
    name: r.name,
    description: r.description,
    createdAt: r.created_at,
    archivedAt: r.archived_at,
    datasets: r.datasets,
    runs: r.runs,
    runsActive: r.runs_active,
    runsFailed: r.runs_failed,
  };
}

export async function listProjects(sql: Sql, archived: boolean): Promise<ProjectRecord[]> {
  return (await sql.all(`${select} WHERE p.archived_at IS ${archived ? 'NOT ' : ''}NULL ORDER BY p.id DESC`)).map(
    record,
  );
}

/** Throws StudioError 'not-found'. */
export async function getProject(sql: Sql, id: number): Promise<ProjectRecord> {
  const [row] = await sql.all(`${select} WHERE p.id = ?`, [id]);
  if (!row) throw new StudioError('not-found', `There is no project ${id}.`, 'It may have been deleted.', { id });
  return record(row);
}

export async function findProject(sql: Sql, name: string): Promise<ProjectRecord | null> {
  const [row] = await sql.all(`${select} WHERE p.name = ?`, [name]);
  return row ? record(row) : null;
}

export async function insertProject(
  sql: Sql,
  project: { name: string; description: string; createdAt: string },
): Promise<number> {
  return (
    await sql.run('INSERT INTO projects (name, description, created_at) VALUES (?, ?, ?)', [
      project.name,
      project.description,
      project.createdAt,
    ])
  ).lastId;
}

export async function updateProject(
  sql: Sql,
  id: number,
  change: { name?: string; description?: string; archivedAt?: string | null },
): Promise<void> {
  if (change.name !== undefined) await sql.run('UPDATE projects SET name = ? WHERE id = ?', [change.name, id]);
  if (change.description !== undefined)
    await sql.run('UPDATE projects SET description = ? WHERE id = ?', [change.description, id]);
  if (change.archivedAt !== undefined)
    await sql.run('UPDATE projects SET archived_at = ? WHERE id = ?', [change.archivedAt, id]);
}

/** Runs go first: they refer to data sets without a cascade, so that no data set is deleted under a run by itself. */
export async function deleteProject(sql: Sql, id: number): Promise<void> {
  await sql.run('DELETE FROM runs WHERE project_id = ?', [id]);
  await sql.run('DELETE FROM projects WHERE id = ?', [id]);
}
