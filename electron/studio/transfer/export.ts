/** A project as one file. */
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import type { DatasetRow } from '../../contract/entities.js';
import { namingFile } from '../../contract/problem-of.js';
import { hashFile } from '../../interchange/index.js';
import { datasets, metrics, models, projects, runs } from '../../storage/index.js';
import { trainedFileName } from '../../trainer/protocol.js';
import { runFolder, type Context } from '../context.js';
import { isThere, replaceFile } from '../files.js';
import { throwIfAborted, type JobHandle } from '../jobs.js';
import { FORMAT, weightHashes, type Manifest } from './format.js';
import { storedStudies } from './studies.js';

/** Writes the project's file; it takes its name only when it is whole. Finished runs go along with their trained parameters. */
export async function exportProject(
  context: Context,
  projectId: number,
  path: string,
  handle: JobHandle,
): Promise<{ path: string; bytes: number }> {
  const { database, home, presence } = context;
  const work = await mkdtemp(join(await presence.workFolder(), 'export-'));
  try {
    const project = await projects.getProject(database, projectId);
    const members = new Map<string, string>();
    const sets = await datasets.listDatasets(database, projectId);
    const list = (await runs.listRuns(database, projectId)).filter((run) => run.state === 'finished').reverse();
    const total = sets.length + list.length + 1;
    const hashOf = weightHashes();
    const manifest: Manifest = {
      format: FORMAT,
      version: 1,
      project: { name: project.name, description: project.description },
      datasets: [],
      runs: [],
      studies: await storedStudies(database, projectId),
      hashes: {},
    };
    for (const [i, set] of sets.entries()) {
      throwIfAborted(handle.signal);
      handle.progress(i, total, `Data set ${set.name}`);
      const file = `datasets/${i}.jsonl`;
      const target = join(work, `data-${i}`);
      await pipeline(jsonLines(datasets.eachRow(database, set.id)), createWriteStream(target)).catch(
        namingFile(target),
      );
      members.set(file, target);
      manifest.datasets.push({ set, request: await datasets.getImportRequest(database, set.id), file });
    }
    for (const [i, run] of list.entries()) {
      throwIfAborted(handle.signal);
      handle.progress(sets.length + i, total, `Run ${run.id}`);
      const history = `runs/${i}/history.json`;
      await writeFile(
        join(work, `run-${i}`),
        JSON.stringify({
          history: await metrics.readHistory(database, run.id, 0),
          outcomes: await metrics.listOutcomes(database, run.id),
        }),
      );
      members.set(history, join(work, `run-${i}`));
      const trained = join(runFolder(home, run.id), trainedFileName);
      const there = await isThere(trained);
      if (there) members.set(`runs/${i}/${trainedFileName}`, trained);
      manifest.runs.push({
        run,
        dataset: run.datasetName,
        model: run.modelName,
        weights: await hashOf(await models.getModel(database, run.modelId)),
        history,
        trained: there,
      });
    }
    for (const [name, file] of members) manifest.hashes[name] = await hashFile(file);
    handle.progress(total - 1, total, 'Packing');
    const zip = new yazl.ZipFile();
    zip.addBuffer(Buffer.from(JSON.stringify(manifest)), 'manifest.json');
    for (const [name, file] of members) zip.addFile(file, name);
    zip.end();
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(presence, path, (part) =>
      pipeline(zip.outputStream, createWriteStream(part, { flush: true })).catch(namingFile(path)),
    );
    return { path, bytes: (await stat(path)).size };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function* jsonLines(rows: AsyncIterable<DatasetRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}
