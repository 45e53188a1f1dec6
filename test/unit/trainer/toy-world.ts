/** A loop over toy trainers whose checkpoints stand in memory, for tests of one stage and of several. */
import { expect } from 'vitest';
import type { Scores } from '../../../electron/contract/entities.js';
import type { NamedTensors, StagePlan } from '../../../electron/engine/index.js';
import { courseOf } from '../../../electron/trainer/course.js';
import type { LoopParts } from '../../../electron/trainer/loop.js';
import { freshProgress, type Progress } from '../../../electron/trainer/progress.js';
import type { TrainerEvent } from '../../../electron/trainer/protocol.js';
import { Reporter } from '../../../electron/trainer/reporter.js';
import { runStages } from '../../../electron/trainer/stages.js';
import { ToyTrainer, toyBatch } from './toy-trainer.js';

/** Keeps checkpoints in memory as the disk would: what is saved survives a kill, the trainer does not. */
class MemoryStore {
  saved: { state: NamedTensors; progress: Progress } | null = null;
  readonly best = new Map<string, NamedTensors>();
  saves: number[] = [];
  async save(state: NamedTensors, progress: Progress) {
    this.saved = { state, progress: structuredClone(progress) };
    this.saves.push(progress.step);
  }
  async loadBest(file: string): Promise<NamedTensors> {
    return this.best.get(file) ?? expect.fail(`there is no ${file}`);
  }
  async saveBest(step: number, parameters: NamedTensors) {
    this.best.set(`best-${step}`, parameters);
    return `best-${step}`;
  }
}

export interface World {
  store: MemoryStore;
  losses: Map<number, number>;
  events: TrainerEvent[];
  rates: Map<number, number>;
  /** Metrics events that the app says it has stored. */
  stored: number;
}
export const newWorld = (): World => ({
  store: new MemoryStore(),
  losses: new Map(),
  events: [],
  rates: new Map(),
  stored: 0,
});

export interface Setting {
  totalSteps?: number;
  training?: Partial<LoopParts['training']>;
  validate?: ((trainer: ToyTrainer, step: number) => Promise<Scores>) | null;
  breathe?: (turn: number) => void;
  pauseAt?: number;
  rate?: number;
  onStep?: (step: number) => void;
  /** Stages of a share of the steps each; left out: the method has none. */
  stages?: StagePlan;
  /** Told of each stage's trainer, as it starts. */
  onEnter?: (place: number, trainer: ToyTrainer) => void;
}

/** Runs from where the world's store stands to the end, a pause or an error. */
export async function train(world: World, setting: Setting = {}) {
  const fresh = () => new ToyTrainer({ vocabulary: 24, classes: 3, dropout: 0.2 });
  let trainer = fresh();
  const saved = world.store.saved;
  if (saved !== null) trainer.loadState(saved.state);
  let turn = 0;
  let current = saved?.progress.step ?? 0;
  const reporter = new Reporter(async (event) => {
    world.events.push(event);
    if (event.type === 'metrics') for (const step of event.steps) world.losses.set(step.step, step.loss ?? Number.NaN);
  });
  const validate = setting.validate === undefined ? null : setting.validate;
  const training = { batchSize: 4, epochs: 5, maxSteps: setting.totalSteps ?? null };
  return runStages(
    {
      trainer: () => trainer,
      enter: async (place, parameters) => {
        trainer = fresh();
        trainer.loadParameters(parameters);
        setting.onEnter?.(place, trainer);
      },
      course: courseOf(setting.stages ?? null, 16, training),
      reporter,
      store: world.store,
      training: {
        validateEverySteps: null,
        earlyStoppingPatience: null,
        checkpointEverySteps: null,
        learningRate: setting.rate ?? 0.5,
        schedule: 'linear',
        warmupRatio: 0,
        ...setting.training,
      },
      source: {
        stepsPerEpoch: 4,
        batches: (step) => {
          setting.onStep?.(step);
          current = step + 1;
          return [toyBatch(step * 2, 4), toyBatch(step * 2 + 1, 4)];
        },
      },
      learningRateAt: (step, totalSteps, { learningRate }) => {
        const rate = learningRate * (1 - step / totalSteps);
        world.rates.set(current - 1, rate);
        return rate;
      },
      validate: validate === null ? null : () => validate(trainer, current),
      control: {
        breathe: async () => setting.breathe?.(turn++),
        pauseRequested: () => setting.pauseAt !== undefined && current >= setting.pauseAt,
        storedEvents: () => world.stored,
      },
    },
    saved?.progress ?? freshProgress(setting.totalSteps ?? 20, 'toy'),
  );
}

export async function measured(trainer: ToyTrainer): Promise<Scores> {
  const batch = toyBatch(9999, 32);
  const { lossSum, weightSum, logits } = await trainer.evaluate(batch);
  let right = 0;
  for (let row = 0; row < batch.size; row += 1) {
    const own = Array.from(logits.subarray(row * 3, row * 3 + 3));
    if (own.indexOf(Math.max(...own)) === batch.labels[row]) right += 1;
  }
  return { accuracy: right / batch.size, macroF1: right / batch.size, loss: lossSum / weightSum };
}
