/** What older apps wrote, as this one reads it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Database } from '../../../electron/storage/database.js';
import * as metrics from '../../../electron/storage/metrics.js';
import { migrate } from '../../../electron/storage/migrations.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'migrations-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('test rows of classes and of language models become outcomes with their details', async () => {
  const database = await Database.open(join(folder, 'old.sqlite'));
  await migrate(database, 5);
  await database.run('PRAGMA foreign_keys = OFF');
  await database.run('INSERT INTO test_predictions VALUES (1, 9, 1, 0, ?)', ['[0.75,0.25]']);
  await database.run(
    'INSERT INTO test_losses VALUES (2, 4, 1.25, 3, 1, ?), (2, 5, 0.1, 2, 0, ?), (2, 6, 7, 1, NULL, NULL)',
    ['a "quoted" answer', ''],
  );
  await migrate(database);
  expect(await metrics.listOutcomes(database, 1)).toEqual([
    { id: 9, outcome: { label: 1, predicted: 0 }, details: { probabilities: [0.75, 0.25] } },
  ]);
  expect(await metrics.listOutcomes(database, 2)).toEqual([
    { id: 4, outcome: { loss: 1.25, tokens: 3, exact: true }, details: { answer: 'a "quoted" answer' } },
    { id: 5, outcome: { loss: 0.1, tokens: 2, exact: false }, details: { answer: '' } },
    { id: 6, outcome: { loss: 7, tokens: 1, exact: null }, details: null },
  ]);
  expect((await metrics.readOutcomes(database, 2, 'causal-lm')).rowIds).toEqual([4, 5, 6]);
  const old = await database.all("SELECT name FROM sqlite_master WHERE name IN ('test_predictions', 'test_losses')");
  expect(old).toEqual([]);
  await database.close();
});
