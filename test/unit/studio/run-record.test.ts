/** Which failures interrupt a run, to go on from its last checkpoint, and which end it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { importRequestSchema } from '../../../electron/contract/entities.js';
import { StudioError, type ErrorCode } from '../../../electron/contract/errors.js';
import { planSchema } from '../../../electron/contract/plan.js';
import { RunRecord } from '../../../electron/studio/run-record.js';
import { Log } from '../../../electron/studio/log/index.js';
import { Unwritten } from '../../../electron/studio/unwritten.js';
import {
  datasets,
  models,
  openDatabase,
  Presence,
  projects,
  runs,
  type Database,
} from '../../../electron/storage/index.js';
import { storedModel } from '../../helpers/stored-model.js';

const createdAt = storedModel.addedAt;
let home: string;
let database: Database;
let presence: Presence;
let runId: number;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'run-record-'));
  ({ database } = await openDatabase(home));
  presence = await Presence.announce(home);
  const projectId = await projects.insertProject(database, { name: 'One', description: '', createdAt });
  const modelId = await models.insertModel(database, storedModel);
  const request = { projectId, name: 'rows', path: '/rows.csv', textColumn: 'text', labelColumn: 'label' };
  const datasetId = await datasets.beginDataset(database, importRequestSchema.parse(request), createdAt, presence.id);
  runId = await runs.insertRun(database, {
    projectId,
    modelId,
    datasetId,
    plan: planSchema.parse({ model: 'tiny', data: 'rows', method: { type: 'head' } }),
    initFolder: null,
    methodName: 'Head',
    setting: '',
    createdAt,
    worker: presence.id,
  });
});
afterEach(async () => {
  await database.close();
  await presence.release();
  await rm(home, { recursive: true, force: true });
});

it.each<[ErrorCode, number, 'interrupted' | 'failed']>([
  ['trainer-lost', 0, 'interrupted'],
  ['no-space', 5, 'interrupted'],
  ['no-access', 5, 'interrupted'],
  ['database', 5, 'interrupted'],
  ['device-failed', 5, 'interrupted'],
  ['device-failed', 0, 'failed'],
  ['out-of-memory', 5, 'interrupted'],
  ['out-of-memory', 0, 'failed'],
  ['diverged', 5, 'failed'],
  ['bad-file', 5, 'failed'],
])('%s after %i steps', async (code, step, state) => {
  await runs.updateRun(database, runId, { state: 'running', step });
  const run = await runs.getRun(database, runId);
  const record = new RunRecord(
    { database, home, presence, emit: () => undefined, unwritten: new Unwritten(new Log(home)) },
    () => null,
  );
  await record.fail({ runId, run, wish: null, secondsLeft: null }, new StudioError(code, 'It broke.', 'Mend it.'));
  expect(await runs.getRun(database, runId)).toMatchObject({ state, problem: { code } });
});
