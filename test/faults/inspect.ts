/** What must hold of a data folder once the app was started and closed again, whatever had happened before. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Database } from '../../electron/storage/database.js';
import { readHashed } from '../../electron/trainer/checkpoint.js';
import { filesBelow } from './stage.js';

const temporary = /(\.part|\.tmp)(\/|$)|(^|\/)\.[^/]+\.part|-journal$/;

/** @throws Error that names all that is not as it must be */
export async function requireWhole(home: string, outside: string): Promise<void> {
  await requireIntact(home);
  const wrong: string[] = [];
  // The window's cache is Chromium's own.
  const files = (await filesBelow(home)).filter((name) => !name.startsWith('window/'));
  for (const name of files) {
    if (temporary.test(name)) wrong.push(`a temporary file was left: ${name}`);
    if (name.includes('.damaged-')) wrong.push(`it was taken for damaged: ${name}`);
    if (name.startsWith('processes/')) wrong.push(`a process left ${name}`);
  }
  for (const name of await readdir(outside))
    if (name.endsWith('.part')) wrong.push(`a temporary was left outside: ${name}`);
  const database = await Database.open(join(home, 'studio.db'));
  try {
    const sets = await database.all(
      `SELECT id, ready, summary, (SELECT count(*) FROM dataset_rows WHERE dataset_id = datasets.id) AS count FROM datasets`,
    );
    for (const { id, ready, summary, count } of sets) {
      if (ready !== 1) wrong.push(`data set ${String(id)} is half imported`);
      const { rows } = JSON.parse(String(summary)) as { rows: Record<string, number> };
      const told = Object.values(rows).reduce((sum, number) => sum + number, 0);
      if (told !== count) wrong.push(`data set ${String(id)} has ${String(count)} rows of ${told}`);
      for (const [split, number] of Object.entries(rows)) {
        const lines = await readFile(join(home, 'datasets', String(id), `${split}.jsonl`), 'utf8').catch(() => null);
        if (lines !== null && lines.split('\n').length - 1 !== number)
          wrong.push(`the ${split} file of data set ${String(id)} is torn`);
      }
    }
    const runs = new Map(
      (await database.all('SELECT id, state FROM runs')).map(({ id, state }) => [String(id), state]),
    );
    for (const name of await readdir(join(home, 'runs')).catch(() => []))
      if (!runs.has(name)) wrong.push(`the folder runs/${name} belongs to no run`);
    for (const [id, state] of runs)
      if (state === 'finished' && !files.includes(`runs/${id}/trained.safetensors`))
        wrong.push(`run ${id} is finished without its parameters`);
    if (await left(database, 'runs', `state IN ('preparing', 'running')`)) wrong.push('a run counts as under way');
    if (await left(database, 'studies', `state = 'running'`)) wrong.push('a study counts as under way');
  } finally {
    await database.close();
  }
  for (const name of files)
    if (/^runs\/\d+\/(trained|checkpoints\/(step|best)-\d+)\.safetensors$/.test(name))
      await readHashed(join(home, name)).catch((error: unknown) => wrong.push(`${name}: ${String(error)}`));
  if (wrong.length > 0) throw new Error(wrong.join('; '));
}

const left = async (database: Database, table: string, where: string) =>
  (await database.all(`SELECT 1 FROM ${table} WHERE ${where}`)).length > 0;

/** The database alone, also while an app has it open. @throws Error */
export async function requireIntact(home: string): Promise<void> {
  const database = await Database.open(join(home, 'studio.db'));
  try {
    await database.run('PRAGMA busy_timeout = 10000');
    const check = (await database.all('PRAGMA integrity_check')).map((row) => row['integrity_check']);
    if (check.join() !== 'ok') throw new Error(`integrity_check: ${check.join('; ')}`);
    if ((await database.all('PRAGMA foreign_key_check')).length > 0) throw new Error('Foreign keys point nowhere.');
  } finally {
    await database.close();
  }
}
