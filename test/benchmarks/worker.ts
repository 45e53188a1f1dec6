/** Our side of one measurement, in a process of its own so that its peak memory is its own. One JSON line on stdout. */
import { z } from 'zod';
import { createTrainer, openModel } from '../../electron/engine/index.js';
import { benchBatch, labels } from './model.js';

export const workSchema = z.object({
  folder: z.string(),
  method: z.looseObject({ type: z.string() }),
  steps: z.number(),
  warmup: z.number(),
  batchSize: z.number(),
  lengths: z.array(z.number()),
  threads: z.number(),
  labels: z.number(),
});
export type Work = z.infer<typeof workSchema>;

export const measurementSchema = z.object({
  seconds: z.array(z.number()),
  losses: z.array(z.number()),
  peakMemoryBytes: z.number().nullable(),
  trainable: z.number(),
  versions: z.record(z.string(), z.string()),
});
export type Measurement = z.infer<typeof measurementSchema>;

/** Trains `warmup + steps` steps and reports the seconds of the latter, all losses and this process's peak resident memory. */
export async function measure(work: Work): Promise<Measurement> {
  const model = await openModel(work.folder);
  const trainer = await createTrainer({
    model,
    method: work.method,
    objective: { type: 'classification', labels },
    optimizer: { type: 'adamw', weightDecay: 0.01, gradientClip: 1 },
    modelDropout: 0,
    seed: 1,
    device: 'cpu',
    threads: work.threads,
  });
  const seconds: number[] = [];
  const losses: number[] = [];
  for (let step = 0; step < work.warmup + work.steps; step++) {
    const batch = benchBatch(step, work.batchSize, work.lengths, model.vocabularySize);
    const start = performance.now();
    losses.push((await trainer.step([batch], 1e-4)).loss);
    if (step >= work.warmup) seconds.push((performance.now() - start) / 1000);
  }
  const trainable = trainer.trainableParameters;
  await trainer.dispose();
  return {
    seconds,
    losses,
    trainable,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    versions: { node: process.versions.node },
  };
}
