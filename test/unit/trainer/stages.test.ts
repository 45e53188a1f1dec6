import { describe, expect, it } from 'vitest';
import type { Scores } from '../../../electron/contract/entities.js';
import type { StagePlan } from '../../../electron/engine/index.js';
import { type ToyTrainer } from './toy-trainer.js';
import { measured, newWorld, train, type World, type Setting } from './toy-world.js';
import { classScores } from '../../helpers/scores.js';

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
