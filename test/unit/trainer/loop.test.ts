import { describe, expect, it } from 'vitest';
import type { Scores } from '../../../electron/contract/entities.js';
import type { NamedTensors, StagePlan } from '../../../electron/engine/index.js';
import { courseOf } from '../../../electron/trainer/course.js';
import { tokensOf, type LoopParts } from '../../../electron/trainer/loop.js';
import { freshProgress, type Progress } from '../../../electron/trainer/progress.js';
import type { TrainerEvent } from '../../../electron/trainer/protocol.js';
import { Reporter } from '../../../electron/trainer/reporter.js';
import { runStages } from '../../../electron/trainer/stages.js';
import { ToyTrainer, toyBatch } from './toy-trainer.js';
import { classScores } from '../../helpers/scores.js';

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

interface World {
  store: MemoryStore;
  losses: Map<number, number>;
  events: TrainerEvent[];
  rates: Map<number, number>;
  /** Metrics events that the app says it has stored. */
  stored: number;
}
const newWorld = (): World => ({
  store: new MemoryStore(),
  losses: new Map(),
  events: [],
  rates: new Map(),
  stored: 0,
});

interface Setting {
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

async function train(world: World, setting: Setting = {}) {
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

async function measured(trainer: ToyTrainer): Promise<Scores> {
  const batch = toyBatch(9999, 32);
  const { lossSum, weightSum, logits } = await trainer.evaluate(batch);
  let right = 0;
  for (let row = 0; row < batch.size; row += 1) {
    const own = Array.from(logits.subarray(row * 3, row * 3 + 3));
    if (own.indexOf(Math.max(...own)) === batch.labels[row]) right += 1;
  }
  return { accuracy: right / batch.size, macroF1: right / batch.size, loss: lossSum / weightSum };
}

describe('a run in one stage', () => {
  it('measures the start of a run without steps, once', async () => {
    const world = newWorld();
    const validate = (trainer: ToyTrainer) => measured(trainer);
    const { progress, paused } = await train(world, { totalSteps: 0, validate });
    expect(paused).toBe(false);
    expect(progress).toMatchObject({ step: 0, stoppedEarly: false, best: { step: 0 } });
    expect(progress.lastValidation).toEqual(progress.best?.scores);
    expect(world.store.saves).toEqual([0]);
    const told = () => world.events.flatMap((event) => (event.type === 'metrics' ? event.validations : []));
    expect(told()).toMatchObject([{ step: 0, best: true }]);
    // Cut off after its checkpoint, it tells the measurement again and takes it no second time.
    world.events.length = 0;
    await train(world, { totalSteps: 0, validate: () => Promise.reject(new Error('measured again')) });
    expect(told()).toMatchObject([{ step: 0, best: true }]);
  });

  it('learns, reports every step with its rate, and saves at the end', async () => {
    const world = newWorld();
    const { progress, paused } = await train(world);
    expect(paused).toBe(false);
    expect(progress.step).toBe(20);
    expect([...world.losses.keys()]).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect([...world.rates.keys()]).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(world.losses.get(20)).toBeLessThan(world.losses.get(1)!);
    expect(world.store.saves).toEqual([20]);
    const tokens = Array.from({ length: 40 }, (_, index) => tokensOf(toyBatch(index, 4))).reduce(
      (sum, value) => sum + value,
      0,
    );
    expect(progress.tokens).toBe(tokens);
  });

  it('validates each epoch and at the last step, keeps the best parameters, checkpoints with each validation', async () => {
    const world = newWorld();
    const { progress } = await train(world, { totalSteps: 18, validate: measured });
    const validations = world.events.flatMap((event) => (event.type === 'metrics' ? event.validations : []));
    expect(validations.map((validation) => validation.step)).toEqual([4, 8, 12, 16, 18]);
    expect(world.store.saves).toEqual([4, 8, 12, 16, 18]);
    const marked = validations.filter((validation) => validation.best).at(-1);
    expect(progress.best?.step).toBe(marked?.step);
    const scored = validations.map((validation) => ({ step: validation.step, ...classScores(validation) }));
    const best = scored.reduce((top, next) =>
      next.macroF1 > top.macroF1 || (next.macroF1 === top.macroF1 && next.loss < top.loss) ? next : top,
    );
    expect(progress.best?.step).toBe(best.step);
    expect(world.store.best.has(progress.best!.file)).toBe(true);
  });

  it('validates and saves every n steps when asked', async () => {
    const world = newWorld();
    await train(world, {
      totalSteps: 10,
      validate: measured,
      training: { validateEverySteps: 3, checkpointEverySteps: 5 },
    });
    expect(
      world.events
        .flatMap((event) => (event.type === 'metrics' ? event.validations : []))
        .map((validation) => validation.step),
    ).toEqual([3, 6, 9, 10]);
    expect(world.store.saves).toEqual([5, 10]);
  });

  it('stops early on validation and says which step was best', async () => {
    const world = newWorld();
    const course = new Map([
      [2, 0.5],
      [4, 0.7],
      [6, 0.6],
      [8, 0.7],
      [10, 0.9],
    ]);
    const { progress, paused } = await train(world, {
      validate: async (_, step) => ({ accuracy: 0, macroF1: course.get(step)!, loss: 1 }),
      training: { validateEverySteps: 2, earlyStoppingPatience: 2 },
    });
    expect({ step: progress.step, early: progress.stoppedEarly, best: progress.best?.step, paused }).toEqual({
      step: 8,
      early: true,
      best: 4,
      paused: false,
    });
    expect(world.store.saves.at(-1)).toBe(8);
    expect(await train(world)).toMatchObject({ progress: { step: 8, stoppedEarly: true }, paused: false });
  });

  it('does nothing but save when there are no steps', async () => {
    const world = newWorld();
    expect(await train(world, { totalSteps: 0 })).toMatchObject({ progress: { step: 0 }, paused: false });
    expect(world.store.saves).toEqual([0]);
  });

  it('pauses with a checkpoint and goes on to the same losses', async () => {
    const whole = newWorld();
    await train(whole, { validate: measured });
    const parts = newWorld();
    expect(await train(parts, { validate: measured, pauseAt: 7 })).toMatchObject({
      paused: true,
      progress: { step: 7 },
    });
    expect(parts.store.saves).toEqual([4, 7]);
    expect(await train(parts, { validate: measured })).toMatchObject({ paused: false });
    expect(parts.losses).toEqual(whole.losses);
  });

  it('killed between any two steps, again and again, it ends with the very same losses and parameters', async () => {
    const setting: Setting = { validate: measured, training: { validateEverySteps: 3, checkpointEverySteps: 2 } };
    const whole = newWorld();
    const end = await train(whole, setting);
    for (let killAfter = 1; killAfter <= 20; killAfter += 1) {
      const world = newWorld();
      let lives = 0;
      for (; lives < 60; lives += 1) {
        try {
          // Each life ends a little later than the one before, so that progress is made even with sparse checkpoints.
          await train(world, {
            ...setting,
            breathe: (turn) => {
              if (turn >= killAfter + lives) throw new Error('killed');
            },
          });
          break;
        } catch (error) {
          expect(String(error)).toContain('killed');
        }
      }
      expect(world.losses).toEqual(whole.losses);
      expect(world.store.saved!.state).toEqual(whole.store.saved!.state);
      expect(world.store.saved!.progress.best).toEqual(end.progress.best);
      expect(world.store.saved!.progress.tokens).toBe(end.progress.tokens);
    }
  });

  it('tells again what a killed app may have received but not stored', async () => {
    const whole = newWorld();
    await train(whole, { training: { checkpointEverySteps: 5 } });
    const world = newWorld();
    await expect(
      train(world, {
        training: { checkpointEverySteps: 5 },
        breathe: (turn) => {
          if (turn === 17) throw new Error('killed');
        },
      }),
    ).rejects.toThrow('killed');
    expect(world.store.saved!.progress.step).toBe(15);
    // The app died with its trainer: everything since the checkpoint before the last never reached the database.
    for (const step of world.losses.keys()) if (step > 10) world.losses.delete(step);
    await train(world);
    expect([...world.losses].sort(([left], [right]) => left - right)).toEqual([...whole.losses]);
  });

  it('tells again whatever the app could not store, however many checkpoints ago, and no more', async () => {
    const training = { checkpointEverySteps: 5 };
    const whole = newWorld();
    await train(whole, { training });
    const world = newWorld();
    // The first event came through, then the disk was full.
    world.stored = 1;
    const breathe = (turn: number) => {
      if (turn === 17) throw new Error('killed');
    };
    await expect(train(world, { training, breathe })).rejects.toThrow('killed');
    const [first] = world.events.filter((event) => event.type === 'metrics');
    const came = new Set(first?.steps.map(({ step }) => step));
    expect(came.size).toBeGreaterThan(0);
    expect(came.size).toBeLessThan(5);
    for (const step of world.losses.keys()) if (!came.has(step)) world.losses.delete(step);
    await train(world);
    expect([...world.losses].sort(([left], [right]) => left - right)).toEqual([...whole.losses]);

    const stored = newWorld();
    stored.stored = 1000;
    await expect(train(stored, { training, breathe })).rejects.toThrow('killed');
    expect(stored.store.saved?.progress.retold.steps.map(({ step }) => step)).toEqual([11, 12, 13, 14, 15]);
  });

  it('ends a diverged run with its step, rate and remedy, after reporting the step', async () => {
    const world = newWorld();
    await expect(train(world, { rate: 1e38 })).rejects.toMatchObject({
      code: 'diverged',
      message: expect.stringMatching(/step \d+ is no longer a finite number/),
      hint: expect.stringContaining('lower learning rate'),
    });
    const steps = world.events.flatMap((event) => (event.type === 'metrics' ? event.steps : []));
    expect(steps.at(-1)).toMatchObject({ loss: null });
    expect(world.store.saves).toEqual([]);
  });

  it('a validation loss that is not finite ends it too', async () => {
    await expect(
      train(newWorld(), { validate: async () => ({ accuracy: 0, macroF1: 0, loss: Number.NaN }) }),
    ).rejects.toMatchObject({ code: 'diverged', message: expect.stringContaining('validation loss after step 4') });
  });

  it('estimates the time left and tells it', async () => {
    const world = newWorld();
    await train(world);
    const last = world.events.filter((event) => event.type === 'metrics').at(-1);
    expect(last?.secondsLeft).toBe(0);
  });
});

describe('a run in stages', () => {
  const stagesOf = (whenWorse: StagePlan['whenWorse']): StagePlan => ({
    whenWorse,
    stages: [1, 0.5, 0.25].map((rate, at) => ({ trains: `part ${at + 1}`, epochs: null, rate, cost: 1 })),
  });
  const toldBy = (world: World) => world.events.flatMap((event) => (event.type === 'metrics' ? event.stages : []));
  /** A validation course by step, for 18 steps in three stages. */
  const scored =
    (course: Record<number, number>) =>
    async (_: ToyTrainer, step: number): Promise<Scores> => ({ accuracy: 0, macroF1: course[step] ?? 0, loss: 1 });

  it('validates and saves at the end of each, then starts the next afresh from what it left', async () => {
    const world = newWorld();
    const entered: { place: number; weight: Float32Array }[] = [];
    const { progress, paused } = await train(world, {
      totalSteps: 18,
      stages: stagesOf('continue'),
      training: { validateEverySteps: 1000 },
      validate: measured,
      onEnter: (place, trainer) => {
        entered.push({ place, weight: trainer.parameters().get('weight')?.data ?? new Float32Array() });
        expect(trainer.stepsDone).toBe(0);
        // The checkpoint of the stage's end holds the very same values.
        expect(world.store.saved?.state.get('weight')?.data).toEqual(entered.at(-1)?.weight);
      },
    });
    expect(paused).toBe(false);
    expect(entered.map(({ place }) => place)).toEqual([1, 2]);
    expect(world.store.saves).toEqual([6, 12, 18]);
    // Each stage's rate falls from its own top.
    expect([0, 6, 12].map((step) => world.rates.get(step))).toEqual([0.5, 0.25, 0.125]);
    expect(world.rates.get(11)).toBeCloseTo(0.25 / 6);
    const told = toldBy(world);
    expect(told.map(({ stage, next }) => [stage, next])).toEqual([
      [1, null],
      [1, 'next'],
      [2, null],
      [2, 'next'],
      [3, null],
      [3, 'end'],
    ]);
    expect(told.at(-1)).toMatchObject({ firstStep: 13, lastStep: 18, trains: 'part 3' });
    expect(progress.stages).toHaveLength(3);
    const validations = world.events.flatMap((event) => (event.type === 'metrics' ? event.validations : []));
    expect(validations.map(({ step }) => step)).toEqual([6, 12, 18]);
    expect(progress.stages.map(({ scores }) => classScores(scores).macroF1)).toEqual(
      validations.map((validation) => classScores(validation).macroF1),
    );
  });

  it('goes back to the best parameters after a stage that did not help, and only then', async () => {
    const world = newWorld();
    const weights = new Map<number, Float32Array | undefined>();
    const { progress } = await train(world, {
      totalSteps: 18,
      stages: stagesOf('back'),
      training: { validateEverySteps: 3 },
      validate: scored({ 3: 0.6, 6: 0.5, 9: 0.5, 12: 0.4, 15: 0.7, 18: 0.65 }),
      onEnter: (place, trainer) => weights.set(place, trainer.parameters().get('weight')?.data),
    });
    // Stage 1 brought the best so far (step 3), so stage 2 goes on from its end; stage 2 brought none.
    expect(weights.get(1)).not.toEqual(world.store.best.get('best-3')?.get('weight')?.data);
    expect(weights.get(2)).toEqual(world.store.best.get('best-3')?.get('weight')?.data);
    expect(progress.stages.map(({ helped, next }) => [helped, next])).toEqual([
      [true, 'next'],
      [false, 'back'],
      [true, 'end'],
    ]);
    expect(progress).toMatchObject({ step: 18, stoppedEarly: false, best: { step: 15, stage: 2 } });
  });

  it('stops after a stage that did not help', async () => {
    const world = newWorld();
    const { progress, paused } = await train(world, {
      totalSteps: 18,
      stages: stagesOf('stop'),
      training: { validateEverySteps: 6 },
      validate: scored({ 6: 0.6, 12: 0.5 }),
    });
    expect(paused).toBe(false);
    expect(progress).toMatchObject({ step: 12, stoppedEarly: true, best: { step: 6, stage: 0 } });
    expect(toldBy(world).at(-1)).toMatchObject({ stage: 2, helped: false, next: 'stop' });
  });

  it('counts patience anew in each stage', async () => {
    const { progress } = await train(newWorld(), {
      totalSteps: 18,
      stages: stagesOf('continue'),
      training: { validateEverySteps: 2, earlyStoppingPatience: 2 },
      // Two without gain at the end of stage 1 (its last step has no say), and two in the midst of stage 2.
      validate: scored({ 2: 0.6, 4: 0.5, 6: 0.5, 8: 0.5, 10: 0.5 }),
    });
    expect(progress).toMatchObject({ step: 10, stage: 1, stoppedEarly: true });
    expect(progress.stages.at(-1)).toMatchObject({ lastStep: 10, next: 'stop' });
  });

  it.each(['continue', 'back'] as const)('killed anywhere, it ends with the very same (%s)', async (whenWorse) => {
    // Worse in the second stage, so that going back is among what a resumed run must do alike.
    const course = scored({ 3: 0.5, 6: 0.6, 9: 0.4, 12: 0.5, 15: 0.7, 18: 0.6 });
    const setting: Setting = {
      totalSteps: 18,
      stages: stagesOf(whenWorse),
      validate: course,
      training: { validateEverySteps: 3, checkpointEverySteps: 4 },
    };
    const whole = newWorld();
    const end = await train(whole, setting);
    for (let killAfter = 1; killAfter <= 18; killAfter += 1) {
      const world = newWorld();
      for (let lives = 0; lives < 60; lives += 1) {
        let left = killAfter + lives;
        const die = () => {
          if (left-- <= 0) throw new Error('killed');
        };
        try {
          // Between two stages too.
          await train(world, { ...setting, breathe: die, onEnter: die });
          break;
        } catch (error) {
          expect(String(error)).toContain('killed');
        }
      }
      expect(world.losses).toEqual(whole.losses);
      expect(world.store.saved?.state).toEqual(whole.store.saved?.state);
      expect(world.store.saved?.progress.best).toEqual(end.progress.best);
      const last = new Map(toldBy(world).map((stage) => [stage.stage, stage]));
      expect([...last.values()].map(({ next, helped, scores }) => ({ next, helped, scores }))).toEqual(
        end.progress.stages.map(({ next, helped, scores }) => ({ next, helped, scores })),
      );
    }
  });
});
