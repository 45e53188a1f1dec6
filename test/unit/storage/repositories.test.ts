/** The tables of projects, data sets and records against a real file. */
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../../electron/contract/entities.js';
import { datasets, metrics, models, projects, records, runs } from '../../../electron/storage/index.js';
import { database, time, worker, requestFor, rowsOf, world, summary } from './world.js';

describe('projects', () => {
  it('counts what is in them and archives them', async () => {
    const { projectId, runId } = await world();
    expect(await projects.getProject(database, projectId)).toEqual({
      id: projectId,
      name: 'One',
      description: 'first',
      createdAt: time,
      archivedAt: null,
      datasets: 1,
      runs: 1,
      runsActive: 1,
      runsFailed: 0,
    });
    await runs.updateRun(database, runId, { state: 'failed' });
    expect(await projects.getProject(database, projectId)).toMatchObject({ runsActive: 0, runsFailed: 1 });
    await projects.updateProject(database, projectId, { archivedAt: time });
    expect(await projects.listProjects(database, false)).toEqual([]);
    expect(await projects.listProjects(database, true)).toHaveLength(1);
    await expect(projects.getProject(database, 99)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('take everything of theirs along, and their numbers are not given again', async () => {
    const { projectId, runId, datasetId } = await world();
    await metrics.insertOutcomes(database, runId, [
      { id: 1, outcome: { label: 0, predicted: 1 }, details: { probabilities: [0.5, 0.5] } },
    ]);
    await database.transaction((sql) => projects.deleteProject(sql, projectId));
    for (const table of ['datasets', 'dataset_rows', 'runs', 'test_outcomes'])
      expect(await database.all(`SELECT COUNT(*) AS n FROM ${table}`)).toEqual([{ n: 0 }]);
    const again = await projects.insertProject(database, { name: 'One', description: '', createdAt: time });
    expect(again).toBeGreaterThan(projectId);
    expect(await datasets.beginDataset(database, requestFor(again, 'rows'), time, worker)).toBeGreaterThan(datasetId);
  });
});

describe('data sets', () => {
  it('are seen only when they are whole', async () => {
    const { projectId, datasetId } = await world();
    await datasets.beginDataset(database, requestFor(projectId, 'half'), time, worker);
    expect((await datasets.listDatasets(database, projectId)).map(({ name }) => name)).toEqual(['rows']);
    expect(await datasets.isBeingFilled(database, projectId, 'half')).toBe(true);
    expect(await datasets.isBeingFilled(database, projectId, 'rows')).toBe(false);
    expect(await datasets.workers(database)).toEqual([worker]);
    expect(await datasets.deleteUnfinishedDatasets(database, 'another process')).toBe(0);
    expect(await datasets.deleteUnfinishedDatasets(database, worker)).toBe(1);
    expect(await datasets.getDataset(database, datasetId)).toMatchObject({
      name: 'rows',
      source: '/rows.csv',
      ...summary,
    });
  });

  it('give their rows by page, split, label and text', async () => {
    const { datasetId } = await world();
    const page = (filter: datasets.RowFilter, offset = 0, limit = 100) =>
      datasets.pageRows(database, datasetId, filter, offset, limit);
    // What another page has told is not counted again.
    expect((await datasets.pageRows(database, datasetId, {}, 0, 3, 99)).total).toBe(99);
    expect((await page({}, 4, 3)).rows.map(({ text }) => text)).toEqual(['text 4', 'text 5', 'text 6']);
    expect((await page({}, 4, 3)).total).toBe(10);
    expect((await page({ split: 'test' })).rows.map(({ line }) => line)).toEqual([2, 7]);
    expect((await page({ split: 'train', label: 'odd' })).total).toBe(4);
    // What SQL takes for a wildcard is text here.
    expect((await page({ search: '100%_S' })).rows.map(({ text }) => text)).toEqual(['text 7 100%_sure']);
    expect((await page({ search: '%' })).total).toBe(1);
    expect((await page({ search: 'the PAIR' })).rows.map(({ pair }) => pair)).toEqual(['the pair']);
    expect((await page({ search: `'; DROP TABLE runs; --` })).total).toBe(0);
  });

  it('come back as they were, whatever signs they hold', async () => {
    const { projectId } = await world();
    const id = await datasets.beginDataset(database, requestFor(projectId, 'signs'), time, worker);
    const [first] = rowsOf(1);
    const texts = ['a \u0000 b', '\\u0000 \\ "q" \n\t', '\u{1F600} é \u2028', 'null', '1.50'];
    const rows = texts.map((text, i) => ({
      ...first,
      split: 'train' as const,
      position: i,
      text,
      pair: i ? text : null,
    }));
    const alone = rows.slice(1);
    const messages = [{ role: 'user' as const, content: 'a "b" \\ \n' }];
    for (const part of [rows, alone, [{ ...rows[0], messages, answers: [{ text: 'a', start: 0 }] }]])
      await datasets.insertRows(
        database,
        id,
        part.map((row) => ({
          messages: null,
          label: 'x',
          line: 2,
          position: 0,
          text: '',
          pair: null,
          split: 'train',
          ...row,
        })),
      );
    const found = (await datasets.pageRows(database, id, {}, 0, 100)).rows;
    expect(found.map(({ text }) => text)).toEqual([...texts, ...texts.slice(1), texts[0]]);
    expect(found.map(({ pair }) => pair)).toEqual([null, ...texts.slice(1), ...texts.slice(1), null]);
    expect(found.at(-1)).toMatchObject({ messages, answers: [{ text: 'a', start: 0 }] });
    const asLines = [];
    for await (const some of datasets.eachLine(database, id, 'train'))
      asLines.push(
        ...some
          .trimEnd()
          .split('\n')
          .map((line): unknown => JSON.parse(line)),
      );
    expect(asLines).toEqual(
      found.map(({ id, text, pair, label, messages, answers }) =>
        messages === null && answers === null
          ? { id, text, pair, label }
          : { id, text, pair, label, messages, answers },
      ),
    );
  });

  it('stream in order over many pages, one split or all', async () => {
    const { projectId } = await world();
    const id = await datasets.beginDataset(database, requestFor(projectId, 'long'), time, worker);
    await database.transaction((sql) => datasets.insertRows(sql, id, rowsOf(4500)));
    const lines: number[] = [];
    for await (const row of datasets.eachRow(database, id)) lines.push(row.line);
    expect(lines).toEqual(Array.from({ length: 4500 }, (_, i) => i + 2));
    let tests = 0;
    for await (const row of datasets.eachRow(database, id, 'test')) tests += row.split === 'test' ? 1 : Number.NaN;
    expect(tests).toBe(900);
    const ids: number[] = [];
    for await (const some of datasets.eachLine(database, id, 'train'))
      for (const line of some.trimEnd().split('\n')) ids.push((JSON.parse(line) as { id: number }).id);
    expect(ids).toHaveLength(3600);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(await datasets.linesOf(database, [...ids.slice(0, 2), 99_999])).toEqual(
      new Map([
        [ids[0], 3],
        [ids[1], 4],
      ]),
    );
  });

  it('cannot be deleted under a run', async () => {
    const { datasetId, modelId } = await world();
    await expect(datasets.deleteDataset(database, datasetId)).rejects.toMatchObject({ code: 'conflict' });
    await expect(models.deleteModel(database, modelId)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('records', () => {
  it('keep exports with their proof, settings and what devices were found to do', async () => {
    const { runId, projectId } = await world();
    const artefact = {
      runId,
      format: 'peft' as const,
      folder: '/out',
      bytes: 5,
      createdAt: time,
      proof: { rows: 64, largestDifference: 1e-6, sameLabels: true },
    };
    const id = await records.insertArtefact(database, artefact);
    expect(await records.listArtefacts(database, projectId)).toEqual([{ id, ...artefact }]);
    expect(await records.readSettings(database)).toEqual(settingsSchema.parse({}));
    await records.writeSettings(database, { ...settingsSchema.parse({}), theme: 'dark', threads: 1 });
    expect(await records.readSettings(database)).toMatchObject({ theme: 'dark', threads: 1 });
    // As of a data folder from a larger computer.
    await records.writeSettings(database, { ...settingsSchema.parse({}), threads: 256 });
    expect((await records.readSettings(database)).threads).toBe(Math.min(256, availableParallelism()));
    const report = {
      id: 'cpu' as const,
      status: 'passed' as const,
      difference: 0,
      secondsPerStep: 0.5,
      reason: null,
      testedAt: time,
    };
    await records.saveTestedDevice(database, 'this machine', { ...report, secondsPerStep: 9 });
    await records.saveTestedDevice(database, 'this machine', report);
    await records.saveTestedDevice(database, 'with another driver', { ...report, secondsPerStep: 2 });
    expect(await records.listTestedDevices(database, 'this machine')).toEqual([report]);
    expect(await records.listTestedDevices(database, 'another')).toEqual([]);
  });
});
