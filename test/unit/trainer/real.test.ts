/** The trainer process with the real engine on a tiny BERT. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingSchema, type MethodOptions, type Training } from '../../../electron/contract/plan.js';
import type { JobOf, JobResult, TestPrediction, TrainerEvent } from '../../../electron/trainer/protocol.js';
import { asJsonLines, makeTinyModel, tinyLabels, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles, TrainerProcess } from '../../helpers/trainer-process.js';

let folder: string;
let modelFolder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'real-'));
  modelFolder = await makeTinyModel(join(folder, 'model'));
  await writeFile(join(folder, 'train.jsonl'), asJsonLines(tinyRows(160, 1)));
  await writeFile(join(folder, 'validation.jsonl'), asJsonLines(tinyRows(40, 2)));
  await writeFile(join(folder, 'test.jsonl'), asJsonLines(tinyRows(60, 3)));
});
afterAll(removeBundles);

const lora: MethodOptions = { type: 'lora', rank: 4, alpha: 8, dropout: 0.1, targetModules: ['query', 'value'] };
function jobOf(runFolder: string, method: MethodOptions, training: Partial<Training> = {}, resume = false): JobOf<'train'> {
  return {
    type: 'train', resume, runFolder: join(folder, runFolder),
    task: {
      training: trainingSchema.parse({ maxSteps: 60, batchSize: 16, learningRate: 0.01, maxLength: 32, checkpointEverySteps: 5, ...training }),
      method, modelFolder, labels: [...tinyLabels], device: 'cpu', threads: 1, initFolder: null,
      data: { train: join(folder, 'train.jsonl'), validation: join(folder, 'validation.jsonl'), test: join(folder, 'test.jsonl') },
    },
  };
}

class Told {
  readonly losses = new Map<number, number | null>();
  readonly predictions = new Map<number, TestPrediction>();
  readonly resumedAt: number[] = [];
  readonly listen = (event: TrainerEvent) => {
    if (event.type === 'metrics') for (const step of event.steps) this.losses.set(step.step, step.loss);
    if (event.type === 'predictions') for (const row of event.rows) this.predictions.set(row.id, row);
    if (event.type === 'started') this.resumedAt.push(event.step);
  };
  get sorted() {
    return [...this.losses].sort(([left], [right]) => left - right);
  }
}

const scoresOf = (result: JobResult) => (result.type === 'train' ? { test: result.result?.test, validation: result.result?.validation, bestStep: result.result?.bestStep } : null);

describe('the trainer process', () => {
  it.each([
    ['LoRA', lora, {}],
    ['full fine-tuning with accumulation', { type: 'full' }, { learningRate: 0.003, accumulationSteps: 2 }],
  ] as const)('%s: killed with kill -9 again and again, it ends as if it had not been', { timeout: 120_000 }, async (name, method, training) => {
    const whole = new Told();
    const first = await TrainerProcess.start();
    const result = await first.run(jobOf(`${name} whole`, method, training), whole.listen);
    await first.kill();
    expect(whole.losses.size).toBe(60);
    expect(whole.losses.get(60)).toBeLessThan(whole.losses.get(1) ?? 0);

    const told = new Told();
    for (const [life, killAfter] of [2, 13, 31, 52].entries()) {
      const trainer = await TrainerProcess.start();
      await new Promise<void>((resolve) => {
        trainer.run(jobOf(`${name} killed`, method, training, life > 0), (event) => {
          told.listen(event);
          if (event.type === 'metrics' && event.steps.some((step) => step.step >= killAfter)) resolve();
        }).catch(() => undefined); // The process it waits for is killed.
      });
      await pause(3);
      await trainer.kill();
    }
    const last = await TrainerProcess.start();
    const end = await last.run(jobOf(`${name} killed`, method, training, true), told.listen);
    await last.kill();
    expect(told.sorted).toEqual(whole.sorted);
    expect(scoresOf(end)).toEqual(scoresOf(result));
    expect(told.predictions).toEqual(whole.predictions);
    const [one, other] = await Promise.all(['whole', 'killed'].map((end) => readFile(join(folder, `${name} ${end}`, 'trained.safetensors'))));
    expect(other?.equals(one ?? Buffer.alloc(0))).toBe(true);
  });
});
