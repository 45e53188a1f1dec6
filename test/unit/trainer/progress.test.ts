import { describe, expect, it } from 'vitest';
import {
  afterStep,
  afterValidation,
  countSteps,
  freshProgress,
  isBetter,
  median,
} from '../../../electron/trainer/progress.js';

const scores = (macroF1: number, loss: number) => ({ accuracy: macroF1, macroF1, loss });

describe('isBetter', () => {
  it('compares macro F1, then loss, and takes a full tie for no gain', () => {
    expect(isBetter(scores(0.5, 1), null)).toBe(true);
    expect(isBetter(scores(0.6, 9), scores(0.5, 1))).toBe(true);
    expect(isBetter(scores(0.4, 0.1), scores(0.5, 1))).toBe(false);
    expect(isBetter(scores(0.5, 0.9), scores(0.5, 1))).toBe(true);
    expect(isBetter(scores(0.5, 1), scores(0.5, 1))).toBe(false);
  });
});

describe('afterValidation', () => {
  const running = { ...freshProgress(10, 'x'), step: 4 };
  it('counts validations without gain and stops at the patience', () => {
    const first = afterValidation(running, scores(0.5, 1), 2, 10, 'best');
    expect(first).toMatchObject({ validationsWithoutGain: 0, stoppedEarly: false, best: { step: 4, file: 'best' } });
    const second = afterValidation({ ...first, step: 5 }, scores(0.4, 1), 2, 10, null);
    expect(second).toMatchObject({ validationsWithoutGain: 1, stoppedEarly: false, best: { step: 4 } });
    expect(afterValidation({ ...second, step: 6 }, scores(0.4, 1), 2, 10, null)).toMatchObject({
      validationsWithoutGain: 2,
      stoppedEarly: true,
      best: { step: 4 },
      lastValidation: scores(0.4, 1),
    });
    expect(afterValidation({ ...second, step: 6 }, scores(0.6, 1), 2, 10, 'new')).toMatchObject({
      validationsWithoutGain: 0,
      stoppedEarly: false,
      best: { step: 6, file: 'new' },
    });
  });
  it('never stops without patience, nor calls the last step an early stop', () => {
    const worn = { ...afterValidation(running, scores(0.5, 1), null, 10, 'best'), validationsWithoutGain: 50 };
    expect(afterValidation(worn, scores(0.1, 1), null, 10, null).stoppedEarly).toBe(false);
    expect(afterValidation({ ...worn, step: 10 }, scores(0.1, 1), 2, 10, null).stoppedEarly).toBe(false);
  });
});

describe('countSteps', () => {
  it('counts as transformers does', () => {
    expect(countSteps(100, { batchSize: 16, epochs: 3, maxSteps: null })).toEqual({ stepsPerEpoch: 7, totalSteps: 21 });
    expect(countSteps(100, { batchSize: 16, epochs: 0.5, maxSteps: null })).toEqual({
      stepsPerEpoch: 7,
      totalSteps: 4,
    });
    expect(countSteps(100, { batchSize: 16, epochs: 3, maxSteps: 0 })).toEqual({ stepsPerEpoch: 7, totalSteps: 0 });
  });
});

it('afterStep adds up and keeps a bounded list of recent durations', () => {
  let progress = freshProgress(1000, 'x');
  for (let step = 0; step < 300; step += 1) progress = afterStep(progress, 0.5, 10);
  expect(progress).toMatchObject({ step: 300, tokens: 3000, seconds: 150 });
  expect(progress.recentStepSeconds).toHaveLength(256);
});

it('median', () => {
  expect([median([]), median([3]), median([5, 1]), median([9, 1, 2])]).toEqual([0, 3, 3, 2]);
});
