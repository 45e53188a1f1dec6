/** Tables artefacts, tested_devices and settings. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import {
  artefactSchema,
  settingsSchema,
  testedDeviceSchema,
  type Artefact,
  type Settings,
  type TestedDevice,
} from '../contract/entities.js';
import type { Sql } from './database.js';

const artefactRow = z.object({
  id: z.number(),
  run_id: z.number(),
  format: z.string(),
  folder: z.string(),
  bytes: z.number(),
  created_at: z.string(),
  proof: z.string(),
});

export async function listArtefacts(sql: Sql, projectId: number): Promise<Artefact[]> {
  const rows = await sql.all(
    'SELECT a.* FROM artefacts a JOIN runs r ON r.id = a.run_id WHERE r.project_id = ? ORDER BY a.id DESC',
    [projectId],
  );
  return rows.map((row) => {
    const r = artefactRow.parse(row);
    return artefactSchema.parse({
      id: r.id,
      runId: r.run_id,
      format: r.format,
      folder: r.folder,
      bytes: r.bytes,
      createdAt: r.created_at,
      proof: JSON.parse(r.proof) as unknown,
    });
  });
}

export async function insertArtefact(sql: Sql, artefact: Omit<Artefact, 'id'>): Promise<number> {
  const { runId, format, folder, bytes, createdAt, proof } = artefact;
  return (
    await sql.run(
      'INSERT INTO artefacts (run_id, format, folder, bytes, created_at, proof) VALUES (?, ?, ?, ?, ?, ?)',
      [runId, format, folder, bytes, createdAt, JSON.stringify(proof)],
    )
  ).lastId;
}

/** What the self-tests found on a machine as it is now: its key changes with runtime, drivers and cards. */
export async function listTestedDevices(sql: Sql, machine: string): Promise<TestedDevice[]> {
  return (await sql.all('SELECT report FROM tested_devices WHERE machine = ?', [machine])).map((row) =>
    testedDeviceSchema.parse(JSON.parse(z.object({ report: z.string() }).parse(row).report)),
  );
}

export async function saveTestedDevice(sql: Sql, machine: string, report: TestedDevice): Promise<void> {
  await sql.run('INSERT OR REPLACE INTO tested_devices VALUES (?, ?, ?)', [machine, report.id, JSON.stringify(report)]);
}

/** Of threads no more than this computer has: beyond that they only wait for each other, and a data folder may come from a larger one. */
export async function readSettings(sql: Sql): Promise<Settings> {
  const [row] = await sql.all('SELECT value FROM settings');
  const settings = settingsSchema.parse(row ? JSON.parse(z.object({ value: z.string() }).parse(row).value) : {});
  return { ...settings, threads: settings.threads && Math.min(settings.threads, availableParallelism()) };
}

export async function writeSettings(sql: Sql, settings: Settings): Promise<void> {
  await sql.run('INSERT OR REPLACE INTO settings (id, value) VALUES (1, ?)', [JSON.stringify(settings)]);
}
