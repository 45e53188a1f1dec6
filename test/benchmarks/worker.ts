/** Our side of one measurement, in a process of its own so that its peak memory is its own. One JSON line on stdout. */
import { z } from 'zod';
import { createTrainer, openModel, type ObjectiveSpec } from '../../electron/engine/index.js';
import { benchBatch, filledUp, labels, lengthsOf, partsOf } from './model.js';
import { openings, useRuntime, waySchema } from './runtime.js';

export const workSchema = z.object({
  folder: z.string(),
  method: z.looseObject({ type: z.string() }),
  steps: z.number(),
  warmup: z.number(),
  batchSize: z.number(),
  lengths: z.array(z.number()),
  prompts: z.array(z.number()).optional(),
  /** Lengths of the rows of each step's batch, where they are not `batchSize` of `lengths` in their order. */
  batches: z.array(z.array(z.number())).optional(),
  /** What pads a row is computed as its tokens are. */
  filled: z.boolean().optional(),
  /** Parts that a step's batch is computed in, one after another; their gradients are added up. */
  accumulationSteps: z.number().optional(),
  /** How the runtime is used; left out: as the engine does. */
  way: waySchema.optional(),
  threads: z.number(),
  objective: z.enum(['classification', 'causal-lm']),
  packWeights: z.boolean().optional(),
  loadIn8bit: z.boolean().optional(),
  gradientCheckpointing: z.boolean().optional(),
  /** Frozen layers are computed once a text; each of the steps' batches was seen before. */
  keepFrozen: z.boolean().optional(),
});
export type Work = z.infer<typeof workSchema>;

export const measurementSchema = z.object({
  seconds: z.array(z.number()),
  cpuSeconds: z.array(z.number()),
  losses: z.array(z.number()),
  peakMemoryBytes: z.number().nullable(),
  trainable: z.number(),
  /** What sessions took to be made, which the steps hold in which it happened, and how many they were. */
  openings: z.object({ seconds: z.number(), count: z.number() }).optional(),
  versions: z.record(z.string(), z.string()),
});
export type Measurement = z.infer<typeof measurementSchema>;

type Opened = 'folder' | 'method' | 'objective' | 'steps' | 'warmup' | 'threads';
type Settings = 'packWeights' | 'loadIn8bit' | 'gradientCheckpointing' | 'keepFrozen';

/** The engine's trainer of a work, without dropout, as all benchmarks of steps have it. */
export async function openWork(work: Pick<Work, Opened> & Partial<Pick<Work, Settings>>) {
  const model = await openModel(work.folder);
  const objective: ObjectiveSpec =
    work.objective === 'classification' ? { type: 'classification', labels } : { type: 'causal-lm' };
  const trainer = await createTrainer({
    model,
    method: work.method,
    objective,
    optimizer: { type: 'adamw', weightDecay: 0.01, gradientClip: 1 },
    modelDropout: 0,
    packWeights: work.packWeights,
    loadIn8bit: work.loadIn8bit,
    gradientCheckpointing: work.gradientCheckpointing,
    keepFrozenBytes: work.keepFrozen ? Infinity : 0,
    seed: 1,
    device: 'cpu',
    threads: work.threads,
    steps: work.warmup + work.steps,
  });
  return { trainer, vocabularySize: model.vocabularySize };
}

/** Trains `warmup + steps` steps and reports the seconds of the latter, all losses and this process's peak resident memory. */
export async function measure(work: Work): Promise<Measurement> {
  useRuntime(work.way);
  const { trainer, vocabularySize } = await openWork(work);
  const seconds: number[] = [];
  const cpuSeconds: number[] = [];
  const losses: number[] = [];
  for (let step = 0; step < work.warmup + work.steps; step++) {
    const own = work.batches?.[step] ?? lengthsOf(step, work.batchSize, work.lengths);
    const padded = benchBatch(step, own, vocabularySize, work.objective, work.prompts);
    const batch = work.filled ? filledUp(padded) : padded;
    const parts = partsOf(batch, work.accumulationSteps ?? 1);
    if (work.keepFrozen) await trainer.keep?.(batch);
    const start = performance.now();
    const before = process.cpuUsage();
    losses.push((await trainer.step(parts, 1e-4)).loss);
    if (step < work.warmup) continue;
    seconds.push((performance.now() - start) / 1000);
    const { user, system } = process.cpuUsage(before);
    cpuSeconds.push((user + system) / 1e6);
  }
  const trainable = trainer.trainableParameters;
  await trainer.dispose();
  return {
    seconds,
    cpuSeconds,
    losses,
    trainable,
    openings,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    versions: { node: process.versions.node },
  };
}
