/**
 * A CSV of short texts into a new database, as the app imports it: rows a second, on the clock and of the processor's time, and memory.
 *
 * Options: --rows 1000000
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { importRequestSchema } from '../../electron/contract/entities.js';
import { importRows } from '../../electron/data/index.js';
import { datasets, openDatabase, projects } from '../../electron/storage/index.js';
import { machineLines, start } from './report.js';

/** Texts of 5 to 20 words and one of 20 labels, from a generator of its own. */
async function writeRows(path: string, rows: number): Promise<void> {
  let state = 1;
  const next = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const words = Array.from({ length: 5000 }, () =>
    Array.from({ length: 2 + next(8) }, () => letters[next(26)]).join(''),
  );
  const file = createWriteStream(path);
  file.write('text,label\n');
  for (let row = 0; row < rows; row += 1) {
    const text = Array.from({ length: 5 + next(16) }, () => words[next(words.length)]).join(' ');
    if (!file.write(`${text},label ${next(20)}\n`)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } });
  const rows = Number(values.rows);
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-import-'));
  try {
    const path = join(folder, 'rows.csv');
    await writeRows(path, rows);
    const { database } = await openDatabase(join(folder, 'home'));
    const createdAt = new Date().toISOString();
    const projectId = await projects.insertProject(database, { name: 'Import', description: '', createdAt });
    const request = importRequestSchema.parse({
      task: 'classification',
      projectId,
      name: 'rows',
      path,
      textColumn: 'text',
      labelColumn: 'label',
      validation: 0.1,
      test: 0.1,
    });
    const id = await datasets.beginDataset(database, request, createdAt, 'bench');
    const before = process.cpuUsage();
    const began = performance.now();
    const summary = await importRows(request, {
      write: (part) => datasets.insertRows(database, id, part),
    });
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(before);
    const imported = Object.values(summary.rows).reduce((sum, count) => sum + count, 0);
    await database.close();
    console.log(await machineLines(1, {}));
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
    console.log(
      `${imported.toLocaleString('en')} rows (${megabytes((await stat(path)).size)} MB) in ${seconds.toFixed(1)} s: ` +
        `${Math.round(imported / seconds).toLocaleString('en')} rows a second; ` +
        `${((user + system) / 1e6).toFixed(1)} s of the processor's time; peak memory ${megabytes(process.resourceUsage().maxRSS * 1024)} MB`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await start(main);
