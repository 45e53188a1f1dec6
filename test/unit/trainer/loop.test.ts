import { describe, expect, it } from 'vitest';
import { tokensOf } from '../../../electron/trainer/loop.js';
import { type ToyTrainer, toyBatch } from './toy-trainer.js';
import { measured, newWorld, train, type Setting } from './toy-world.js';
import { classScores } from '../../helpers/scores.js';

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
