/** A data folder as the first schema left it (test/fixtures/first-version: a project, a data set, a finished LoRA run) opens in today's studio. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { schemaVersion } from '../../../electron/storage/migrations.js';
import { openStudio, type Studio } from '../../../electron/studio/index.js';

let home: string;
let studio: Studio;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'peft-studio-first-version-'));
  await cp('test/fixtures/first-version', home, { recursive: true });
  studio = await openStudio({
    home,
    spawnTrainer: () => {
      throw new Error('nothing is trained here');
    },
    emit: () => undefined,
    startQueued: false,
  });
});
afterAll(async () => {
  await studio.close();
  await rm(home, { recursive: true });
});

it('keeps its project, rows and run, and a copy of the old database', async () => {
  const { handlers } = studio;
  const [project] = await handlers['projects.list']({ archived: false });
  expect(project).toMatchObject({ name: 'Command line', datasets: 1, runs: 1 });
  const run = await handlers['runs.get']({ id: 1 });
  expect(run).toMatchObject({ state: 'finished', methodName: 'LoRA', totalSteps: 3 });
  expect(run.result?.test).toMatchObject({ macroF1: 0 });
  expect((await handlers['runs.history']({ id: 1, afterStep: 0 })).steps.map(({ step }) => step)).toEqual([1, 2, 3]);
  expect(await handlers['datasets.rows']({ id: 1, offset: 0, limit: 1 })).toMatchObject({ total: 40 });
  expect(await readdir(home)).toContain(`studio.db.before-version-${schemaVersion}`);
});

it('finds the starter model where the app is now', async () => {
  const starter = (await studio.handlers['models.list']({})).find(({ builtIn }) => builtIn);
  expect(starter?.folder).not.toContain('/opt/older');
});
