/** Runs on the sample for tests of what happens beside and to them. */
import type { CallOutput } from '../../electron/contract/index.js';
import { expect, type Studio } from './harness.js';

/** A project of the sample, whose rows are there; its id. */
export async function sampleProject(studio: Studio): Promise<number> {
  const { id } = await studio.call('projects.createSample', {});
  await expect
    .poll(async () => (await studio.call('datasets.list', { projectId: id }))[0]?.rows.train ?? 0, { timeout: 120_000 })
    .toBeGreaterThan(0);
  return id;
}

/** A LoRA run on the project's sample, with a checkpoint every few steps. */
export async function startRun(
  studio: Studio,
  projectId: number,
  maxSteps: number,
): Promise<CallOutput<'runs.start'>[number]> {
  const [dataset] = await studio.call('datasets.list', { projectId });
  const model = (await studio.call('models.list', {})).find((one) => one.builtIn);
  const [run] = await studio.call('runs.start', {
    projectId,
    plans: [
      {
        model: model?.name ?? '',
        data: dataset?.name ?? '',
        method: { type: 'lora', rank: 4, dropout: 0.1 },
        training: {
          maxSteps,
          batchSize: 8,
          maxLength: 32,
          validateEverySteps: maxSteps,
          checkpointEverySteps: 5,
          seed: 7,
        },
        device: 'cpu',
      },
    ],
  });
  if (!run) throw new Error('no run was started');
  return run;
}
