/** Table runs: plans and how far they are. */
import { z } from 'zod';
import { runResultSchema, runSchema, runStates, scoresSchema, type Run } from '../contract/entities.js';
import { problemSchema, StudioError } from '../contract/errors.js';
import { deviceIdSchema, planSchema, type DeviceId, type Plan } from '../contract/plan.js';
import type { Parameter, Sql } from './database.js';

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : (JSON.parse(text) as unknown)))
    .pipe(schema.nullable());
const rowSchema = z.object({
  id: z.number(),
  project_id: z.number(),
  model_id: z.number(),
  dataset_id: z.number(),
  model_name: z.string(),
  dataset_name: z.string(),
  plan: z.string(),
  method_name: z.string(),
  setting: z.string(),
  state: z.enum(runStates),
  step: z.number(),
  total_steps: z.number(),
  device: z.string().nullable(),
  devices: json(runSchema.shape.devices.unwrap().unwrap()),
  created_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  validation: json(scoresSchema),
  result: json(runResultSchema),
  problem: json(problemSchema),
  study_id: z.number().nullable(),
  study_name: z.string().nullable(),
  study_role: z.string().nullable(),
});

/** Runs by number with the row that each was read from. */
const known = new Map<number, { readonly row: Row; readonly run: Run }>();
const mostKnown = 10_000;
type Row = Readonly<Record<string, unknown>>;

/** Most of a list stands as it did when it was read last, and to check a thousand plans takes a tenth of a second. */
function record(row: Row): Run {
  const id = Number(row['id']);
  const before = known.get(id);
  // A run of that number in another data folder has another row.
  if (before && isSame(before.row, row)) return before.run;
  const run = checked(row);
  if (known.size >= mostKnown) known.clear();
  known.set(id, { row, run });
  return run;
}

function isSame(one: Row, other: Row): boolean {
  for (const column in other) if (one[column] !== other[column]) return false;
  return true;
}

function checked(row: Row): Run {
  const r = rowSchema.parse(row);
  const plan = planSchema.parse(JSON.parse(r.plan));
  return runSchema.parse({
    id: r.id,
    projectId: r.project_id,
    modelId: r.model_id,
    datasetId: r.dataset_id,
    modelName: r.model_name,
    datasetName: r.dataset_name,
    methodName: r.method_name,
    setting: r.setting,
    seed: plan.training.seed,
    plan,
    ...(r.study_id === null ? {} : { study: { id: r.study_id, name: r.study_name, role: r.study_role } }),
    state: r.state,
    step: r.step,
    totalSteps: r.total_steps,
    secondsLeft: null,
    device: r.device,
    ...(r.devices === null ? {} : { devices: r.devices }),
    createdAt: r.created_at,
    startedAt: r.started_at,
    endedAt: r.ended_at,
    validation: r.validation,
    result: r.result,
    problem: r.problem,
  });
}

const workerSchema = z.object({ worker: z.string().nullable() });
const select = `SELECT r.*, m.name AS model_name, d.name AS dataset_name, s.id AS study_id, s.name AS study_name, o.role AS study_role
   FROM runs r JOIN base_models m ON m.id = r.model_id JOIN datasets d ON d.id = r.dataset_id
   LEFT JOIN study_runs o ON o.run_id = r.id LEFT JOIN studies s ON s.id = o.study_id`;

export async function listRuns(sql: Sql, projectId: number | null): Promise<Run[]> {
  const rows =
    projectId === null
      ? await sql.all(`${select} ORDER BY r.id DESC`)
      : await sql.all(`${select} WHERE r.project_id = ? ORDER BY r.id DESC`, [projectId]);
  return rows.map(record);
}

/** Throws StudioError 'not-found'. */
export async function getRun(sql: Sql, id: number): Promise<Run> {
  const [row] = await sql.all(`${select} WHERE r.id = ?`, [id]);
  if (!row) throw new StudioError('not-found', `There is no run ${id}.`, 'It may have been deleted.', { id });
  return record(row);
}

export const isThere = async (sql: Sql, id: number): Promise<boolean> =>
  (await sql.all('SELECT 1 FROM runs WHERE id = ?', [id])).length > 0;

export async function initFolderOf(sql: Sql, id: number): Promise<string | null> {
  return z
    .object({ init_folder: z.string().nullable() })
    .parse((await sql.all('SELECT init_folder FROM runs WHERE id = ?', [id]))[0]).init_folder;
}

/** The device that was chosen for the rest of a run instead of its plan's; null where none was. */
export async function chosenDeviceOf(sql: Sql, id: number): Promise<DeviceId | null> {
  const [row] = await sql.all('SELECT device_chosen AS device FROM runs WHERE id = ?', [id]);
  return z.object({ device: deviceIdSchema.nullable() }).parse(row).device;
}

export async function chooseDevice(sql: Sql, id: number, device: DeviceId): Promise<void> {
  await sql.run('UPDATE runs SET device_chosen = ? WHERE id = ?', [device, id]);
}

export async function runsOf(sql: Sql, column: 'dataset_id' | 'model_id', id: number): Promise<Run[]> {
  return (await sql.all(`${select} WHERE r.${column} = ? ORDER BY r.id`, [id])).map(record);
}

export interface NewRun {
  readonly projectId: number;
  readonly modelId: number;
  readonly datasetId: number;
  readonly plan: Plan;
  readonly initFolder: string | null;
  readonly methodName: string;
  readonly setting: string;
  readonly createdAt: string;
  /** The process in whose queue it waits; null for a run that is finished already. */
  readonly worker: string | null;
}

export async function insertRun(sql: Sql, run: NewRun): Promise<number> {
  const result = await sql.run(
    'INSERT INTO runs (project_id, model_id, dataset_id, plan, init_folder, method_name, setting, state, step, total_steps, created_at, worker) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?)',
    [
      run.projectId,
      run.modelId,
      run.datasetId,
      JSON.stringify(run.plan),
      run.initFolder,
      run.methodName,
      run.setting,
      'queued',
      run.createdAt,
      run.worker,
    ],
  );
  return result.lastId;
}

/** A run that was made without its test has been tested since: its plan says so from then on. */
export async function replacePlan(sql: Sql, id: number, plan: Plan): Promise<void> {
  await sql.run('UPDATE runs SET plan = ? WHERE id = ?', [JSON.stringify(plan), id]);
}

const columns = {
  state: 'state',
  step: 'step',
  totalSteps: 'total_steps',
  device: 'device',
  startedAt: 'started_at',
  endedAt: 'ended_at',
} as const;
const jsonColumns = { validation: 'validation', result: 'result', problem: 'problem', devices: 'devices' } as const;
export type RunChange = Partial<Pick<Run, keyof typeof columns | keyof typeof jsonColumns>>;

export async function updateRun(sql: Sql, id: number, change: RunChange): Promise<void> {
  const sets: [string, Parameter][] = [];
  for (const [key, column] of Object.entries(columns)) {
    const value = change[key as keyof typeof columns];
    if (value !== undefined) sets.push([column, value]);
  }
  for (const [key, column] of Object.entries(jsonColumns)) {
    const value = change[key as keyof typeof jsonColumns];
    if (value !== undefined) sets.push([column, value === null ? null : JSON.stringify(value)]);
  }
  if (sets.length > 0)
    await sql.run(`UPDATE runs SET ${sets.map(([column]) => `${column} = ?`).join(', ')} WHERE id = ?`, [
      ...sets.map(([, value]) => value),
      id,
    ]);
}

export async function deleteRun(sql: Sql, id: number): Promise<void> {
  await sql.run('DELETE FROM runs WHERE id = ?', [id]);
}

/** Puts a run that waits into the queue of one process; false where it waits no more. */
export async function assignQueued(sql: Sql, id: number, worker: string): Promise<boolean> {
  return (await sql.run(`UPDATE runs SET worker = ? WHERE id = ? AND state = 'queued'`, [worker, id])).changes === 1;
}

/** Takes a waiting run for a process, at once or not at all: false where it waits no more. */
export async function claimQueued(sql: Sql, id: number, worker: string): Promise<boolean> {
  return (
    (await sql.run(`UPDATE runs SET state = 'preparing', worker = ? WHERE id = ? AND state = 'queued'`, [worker, id]))
      .changes === 1
  );
}

/** The process that trains a run or has it in its queue, or did so last. */
export async function workerOf(sql: Sql, id: number): Promise<string | null> {
  return workerSchema.parse((await sql.all('SELECT worker FROM runs WHERE id = ?', [id]))[0]).worker;
}

/** Processes that train runs or have them waiting; null for runs that name none. */
export async function workers(sql: Sql): Promise<(string | null)[]> {
  const rows = await sql.all(`SELECT DISTINCT worker FROM runs WHERE state IN ('queued', 'preparing', 'running')`);
  return rows.map((row) => workerSchema.parse(row).worker);
}

/** What a process that has ended left waiting, in order. */
export async function queuedOf(sql: Sql, worker: string | null): Promise<number[]> {
  const rows = await sql.all(`SELECT id FROM runs WHERE state = 'queued' AND worker IS ? ORDER BY id`, [worker]);
  return rows.map((row) => Number(row['id']));
}

/** What a process that has ended was training; returns the runs' numbers. */
export async function markInterrupted(sql: Sql, worker: string | null): Promise<number[]> {
  const rows = await sql.all(
    `UPDATE runs SET state = 'interrupted' WHERE state IN ('preparing', 'running') AND worker IS ? RETURNING id`,
    [worker],
  );
  return rows.map((row) => Number(row['id'])).sort((a, b) => a - b);
}
