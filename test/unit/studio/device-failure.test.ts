/** A device that is lost in the middle of a run. Real database, real trainer process; the device is the CPU under another name (losing-device.ts). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { planSchema, type DeviceChoice } from '../../../electron/contract/plan.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

/** As in the self-test (engine/runtime/self-test.ts). */
const TOLERANCE = 1e-3;
const STEPS = 60;
let home: string;
let studio: TestStudio;
let projectId: number;

const plan = (device: DeviceChoice) =>
  planSchema.parse({
    model: 'tiny',
    data: 'rows',
    method: { type: 'lora', dropout: 0.1 },
    training: { batchSize: 8, maxLength: 16, maxSteps: STEPS, checkpointEverySteps: 10, modelDropout: 0.1 },
    device,
  });
async function train(device: DeviceChoice) {
  const [run] = await studio.handlers['runs.start']({ projectId, plans: [plan(device)], initFolder: null });
  return studio.ended(run?.id ?? 0);
}
const history = (id: number) => studio.handlers['runs.history']({ id, afterStep: 0 });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'device-failure-'));
  studio = await openTestStudio(home, { trainer: 'test/unit/trainer/losing-device.ts' });
  projectId = (await studio.handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await studio.handlers['models.add']({ folder: await makeTinyModel(join(home, 'tiny')), name: 'tiny' });
  const rows = tinyRows(120).map(({ text, label }) => ({ text, topic: label }));
  await studio.importRows(projectId, 'rows', rows);
}, 60_000);
afterAll(async () => {
  await studio.close();
  await rm(home, { recursive: true, force: true });
  await removeBundles();
});

it(
  'a run whose device is lost waits at its last checkpoint, goes on only where it is told to, and names both devices',
  { timeout: 300_000 },
  async () => {
    const cut = await train('webgpu');
    expect(cut).toMatchObject({ state: 'interrupted', device: 'webgpu', problem: { code: 'device-failed' } });
    const { step, checkpoint, device } = z
      .object({ device: z.string(), step: z.number(), checkpoint: z.number() })
      .parse(cut.problem?.context);
    expect(device).toBe('webgpu');
    expect(cut.problem?.message).toContain(`Step ${step}: The device webgpu failed: WebGPU device lost`);
    expect(checkpoint % 10).toBe(0);
    expect(checkpoint).toBeGreaterThan(0);
    expect(step).toBeGreaterThan(checkpoint);
    expect(cut.step).toBe(step - 1);

    // Nothing goes on by itself, and a device that is not there is refused while the run stays as it is.
    await expect(studio.handlers['runs.resume']({ id: cut.id, device: 'cuda' })).rejects.toMatchObject({
      code: 'device-failed',
    });
    expect(await studio.handlers['runs.get']({ id: cut.id })).toMatchObject({ state: 'interrupted' });

    await studio.handlers['runs.resume']({ id: cut.id, device: 'cpu' });
    const ended = await studio.ended(cut.id);
    expect(ended).toMatchObject({
      state: 'finished',
      device: 'cpu',
      plan: { device: 'webgpu' },
      devices: [
        { device: 'webgpu', afterStep: 0 },
        { device: 'cpu', afterStep: checkpoint },
      ],
      problem: null,
    });
    const whole = await train('cpu');
    expect(whole.devices ?? null).toBeNull();
    const [own, reference] = [await history(cut.id), await history(whole.id)];
    expect(own.steps.map((metric) => metric.step)).toEqual(reference.steps.map((metric) => metric.step));
    own.steps.forEach(({ loss }, i) => {
      const expected = reference.steps[i]?.loss ?? NaN;
      expect(Math.abs((loss ?? NaN) - expected) / expected, `step ${i + 1}`).toBeLessThan(TOLERANCE);
    });
    expect(ended.result?.test?.loss).toBeCloseTo(whole.result?.test?.loss ?? NaN, 3);
    const comparison = await studio.handlers['compare.runs']({
      projectId,
      datasetId: whole.datasetId,
      modelId: whole.modelId,
      runIds: [cut.id],
      measure: null,
      zone: 1,
    });
    expect(comparison.notes).toContainEqual(
      expect.stringContaining(`trained on webgpu, cpu from step ${checkpoint + 1}`),
    );
  },
);

it('a run that was left goes on where it was, and fails there again', { timeout: 300_000 }, async () => {
  const cut = await train('webgpu');
  const before = z.number().parse(cut.problem?.context['checkpoint']);
  await studio.handlers['runs.resume']({ id: cut.id });
  const again = await studio.ended(cut.id);
  // The fresh process has a device that holds as long again.
  expect(again).toMatchObject({ state: 'interrupted', device: 'webgpu', problem: { code: 'device-failed' } });
  expect(again.devices ?? null).toBeNull();
  expect(again.problem?.context['checkpoint']).toBeGreaterThan(before);
});
