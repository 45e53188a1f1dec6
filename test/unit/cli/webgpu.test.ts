/**
 * The WebGPU path without a graphics card: the real command and its real trainer over SwiftShader. macOS and Windows have no Vulkan
 * for it; there Metal and Direct3D are tried by the studio's own self-test.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildCommand, removeCommand, runCommand, type Ended } from '../../helpers/command.js';
import { softwareGpu } from '../../helpers/software-gpu.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';

/** As in the self-test (engine/runtime/self-test.ts). */
const TOLERANCE = 1e-3;
const STEPS = 3;
const stepSchema = z.object({ event: z.literal('step'), step: z.number(), loss: z.number() });
const testSchema = z.object({
  event: z.literal('result'),
  test: z.object({ loss: z.number(), accuracy: z.number() }),
  trainableParameters: z.number(),
  secondsPerStep: z.number(),
});

let folder: string;
let gpu: Record<string, string>;
type OnEvent = Parameters<typeof runCommand>[1];
const commandWith = (onEvent: OnEvent, ...words: string[]) =>
  runCommand([...words, '--home', join(folder, 'home')], onEvent, gpu);
const command = (...words: string[]) => commandWith(undefined, ...words);

async function train(device: string, method: object, training: object = {}, onEvent?: OnEvent): Promise<Ended> {
  const file = join(folder, `${device}.json`);
  const plan = {
    model: 'tiny',
    data: 'topics',
    method,
    training: { batchSize: 8, maxLength: 16, learningRate: 0.002, maxSteps: STEPS, modelDropout: 0.1, ...training },
    device,
  };
  await writeFile(file, JSON.stringify(plan));
  return commandWith(onEvent, 'run', file);
}

describe.runIf(process.platform === 'linux')('over a graphics card in software', { timeout: 600_000 }, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webgpu-'));
    const rows = tinyRows(48).map(({ text, label }) => `${text},${label}`);
    await writeFile(join(folder, 'topics.csv'), ['text,label', ...rows].join('\n'));
    [gpu] = await Promise.all([softwareGpu(), buildCommand(), makeTinyModel(join(folder, 'tiny'))]);
    const added = await command('model', 'add', join(folder, 'tiny'), '--name', 'tiny');
    expect(added.code, added.stderr).toBe(0);
    const words = ['--name', 'topics', '--text', 'text', '--label', 'label', '--test', '0.3'];
    const data = await command('data', 'add', join(folder, 'topics.csv'), ...words);
    expect(data.code, data.stderr).toBe(0);
  }, 1_500_000);
  afterAll(async () => {
    await removeCommand();
    await rm(folder, { recursive: true, force: true });
    await rm(gpu['XDG_RUNTIME_DIR'] ?? '', { recursive: true, force: true });
  });

  it('the self-test passes WebGPU, names CUDA with its reason, and "auto" stays with the faster CPU', async () => {
    const { code, events, stderr } = await command('devices');
    expect(code, stderr).toBe(0);
    const device = (id: string) => events.find((event) => event['id'] === id);
    expect(device('cpu')).toMatchObject({ event: 'device', status: 'passed', difference: 0, inUse: true });
    expect(device('webgpu')).toMatchObject({ event: 'device', status: 'passed', inUse: false });
    const difference = z.number().parse(device('webgpu')?.['difference']);
    expect(difference).toBeLessThan(TOLERANCE);
    // Two processors never round alike: none would mean that the CPU was compared with itself.
    expect(difference).toBeGreaterThan(0);
    expect(device('webgpu')?.['reason']).toContain('slower than the CPU');
    expect(device('cuda')).toMatchObject({
      status: 'unavailable',
      reason: expect.stringContaining('libraries that ONNX Runtime needs for CUDA are not installed'),
    });
  });

  it('a run of full fine-tuning with dropout takes the steps that it takes on the CPU, read between them or not', async () => {
    const method = { type: 'full' };
    // Values and moments stay on the card; a checkpoint and a validation bring them back, sums over parts of a batch stay too.
    const training = { accumulationSteps: 2, checkpointEverySteps: 1, validateEverySteps: 2 };
    const [here, there] = [await train('cpu', method, training), await train('webgpu', method, training)];
    for (const { code, stderr } of [here, there]) expect(code, stderr).toBe(0);
    const losses = ({ events }: Ended) =>
      events.filter(({ event }) => event === 'step').map((event) => stepSchema.parse(event).loss);
    expect(losses(there)).toHaveLength(STEPS);
    losses(there).forEach((loss, step) => {
      const reference = losses(here)[step] ?? NaN;
      expect(Math.abs(loss - reference) / reference, `step ${step + 1}`).toBeLessThan(TOLERANCE);
    });
    const [own, reference] = [there, here].map(({ events }) => testSchema.parse(events.at(-1)));
    expect(Math.abs((own?.test.loss ?? NaN) / (reference?.test.loss ?? NaN) - 1)).toBeLessThan(TOLERANCE);
    expect(own?.trainableParameters).toBe(reference?.trainableParameters);
    // A renderer in software takes some fifty times the processor's time: it was not the processor.
    expect(own?.secondsPerStep).toBeGreaterThan(4 * (reference?.secondsPerStep ?? NaN));
  });

  it('a run of LoRA with dropout that the driver takes down with its process goes on on the CPU, when told to, by the same steps', async () => {
    const [method, training] = [
      { type: 'lora', rank: 4, dropout: 0.1 },
      { maxSteps: 12, checkpointEverySteps: 2 },
    ];
    let struck = false;
    const cut = await train('webgpu', method, training, (event, child) => {
      if (struck || event.event !== 'step' || Number(event['step']) < 3) return;
      struck = true;
      void readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').then((pids) => {
        for (const pid of pids.split(' ').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
      });
    });
    expect(cut.code).toBe(1);
    const run = String(cut.events.find(({ event }) => event === 'start')?.['run']);
    expect(cut.events.at(-1)).toMatchObject({
      event: 'error',
      hint: expect.stringContaining(`on the CPU with: peft-studio resume ${run} --device cpu`),
    });
    const [resumed, whole] = [await command('resume', run, '--device', 'cpu'), await train('cpu', method, training)];
    for (const { code, stderr } of [resumed, whole]) expect(code, stderr).toBe(0);
    const steps = ({ events }: Ended) =>
      new Map(
        events.filter(({ event }) => event === 'step').map((event) => [event['step'], stepSchema.parse(event).loss]),
      );
    // These were taken on the card.
    expect(steps(cut).size).toBeGreaterThanOrEqual(3);
    const reference = steps(whole);
    const own = new Map([...steps(cut), ...steps(resumed)]);
    expect([...own.keys()].sort((a, b) => Number(a) - Number(b))).toEqual([...reference.keys()]);
    for (const [step, loss] of own) {
      const expected = reference.get(step) ?? NaN;
      expect(Math.abs(loss - expected) / expected, `step ${String(step)}`).toBeLessThan(TOLERANCE);
    }
  });
});
