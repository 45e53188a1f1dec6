/** A data folder that is moved away under an open studio: what the trainer keeps by name is then not beside the database, so no run may count as finished. */
import { renameSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { planSchema } from '../../../electron/contract/plan.js';
import { studioWithRows } from '../../helpers/study.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let projectId: number;
beforeAll(async () => {
  ({ studio, projectId } = await studioWithRows());
}, 60_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

it.skipIf(process.platform === 'win32')(
  'a run is interrupted, says why, and goes on when the folder is back',
  { timeout: 120_000 },
  async () => {
    const plan = planSchema.parse({
      model: 'tiny',
      data: 'rows',
      method: { type: 'head' },
      training: { batchSize: 8, maxLength: 16, maxSteps: 300, checkpointEverySteps: 5 },
      device: 'cpu',
    });
    const { home } = studio;
    // At once, in the middle of the run.
    const moved = studio.waitFor('metrics', ({ log }) => {
      const saved = log.some(({ level }) => level === 'save');
      if (saved) renameSync(home, `${home}-moved`);
      return saved;
    });
    const [run] = await studio.handlers['runs.start']({ projectId, plans: [plan], initFolder: null });
    const id = run?.id ?? 0;
    await moved;
    expect(await studio.ended(id)).toMatchObject({
      state: 'interrupted',
      problem: { code: 'no-access', message: `The data folder ${home} is no longer where it was.` },
    });
    // Nor does one begin.
    await studio.handlers['runs.resume']({ id });
    expect(await studio.ended(id)).toMatchObject({ state: 'interrupted', problem: { code: 'no-access' } });
    await studio.close();
    await rm(home, { recursive: true, force: true });
    await rename(`${home}-moved`, home);

    studio = await openTestStudio(home);
    // The model lies in the folder too.
    await studio.handlers['runs.resume']({ id });
    expect(await studio.ended(id)).toMatchObject({ state: 'finished', problem: null });
    const { steps } = await studio.handlers['runs.history']({ id, afterStep: 0 });
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
  },
);
