import { describe, expect, it } from 'vitest';
import type { StageMetric } from '../../../electron/contract/entities.js';
import type { StagePlan } from '../../../electron/engine/index.js';
import {
  beginningOf,
  costliestSteps,
  courseOf,
  earliestEnd,
  endOf,
  stepsAhead,
  validationsAhead,
  type StageSpan,
} from '../../../electron/trainer/course.js';
import { freshProgress, type Progress } from '../../../electron/trainer/progress.js';

const plan = (
  epochs: readonly (number | null)[],
  whenWorse: StagePlan['whenWorse'] = 'continue',
): StagePlan & { stages: readonly { cost: number }[] } => ({
  whenWorse,
  stages: epochs.map((own, at) => ({ trains: `part ${at + 1}`, epochs: own, rate: 0.5 ** at, cost: 2 + at / 2 })),
});
const training = (more: Partial<{ batchSize: number; epochs: number; maxSteps: number | null }> = {}) => ({
  batchSize: 10,
  epochs: 3,
  maxSteps: null,
  ...more,
});
const bounds = (spans: readonly StageSpan[]) => spans.map(({ index, from, to }) => [index, from, to]);

describe('the steps of stages', () => {
  it('are the whole run where there are none', () => {
    const course = courseOf(null, 95, training());
    expect(course).toMatchObject({ staged: false, whenWorse: 'continue', totalSteps: 30 });
    expect(bounds(course.spans)).toEqual([[0, 0, 30]]);
    expect(course.spans[0].rate).toBe(1);
  });

  it.each([
    ['share the plan’s epochs equally', plan([null, null, null, null]), training(), [[0, 0, 8], [1, 8, 15], [2, 15, 23], [3, 23, 30]]], // prettier-ignore
    [
      'have epochs of their own',
      plan([1, 0.25, 2]),
      training(),
      [
        [0, 0, 10],
        [1, 10, 13],
        [2, 13, 33],
      ],
    ],
    ['keep their shares of a maximum', plan([1, 1, 2]), training({ maxSteps: 20 }), [[0, 0, 5], [1, 5, 10], [2, 10, 20]]], // prettier-ignore
    [
      'share a maximum equally',
      plan([null, null]),
      training({ maxSteps: 20 }),
      [
        [0, 0, 10],
        [1, 10, 20],
      ],
    ],
    ['are left out where there is no step for them', plan([null, null, null]), training({ maxSteps: 2 }), [[0, 0, 1], [1, 1, 2]]], // prettier-ignore
    ['are one where there is no step at all', plan([null, null, null]), training({ maxSteps: 0 }), [[0, 0, 0]]],
    ['are whole in spite of fractions', plan([0.1, 0.2, 0.3]), training({ batchSize: 1 }), [[0, 0, 10], [1, 10, 30], [2, 30, 60]]], // prettier-ignore
  ])('%s', (_, stages, settings, expected) => {
    const course = courseOf(stages, 100, settings);
    expect(bounds(course.spans)).toEqual(expected);
    expect(course.totalSteps).toBe(expected.at(-1)?.[2]);
  });

  it('count all stages in what is to come', () => {
    const course = courseOf(plan([1, 1, 1]), 100, training());
    const [first, second, third] = course.spans;
    // 10 steps of cost 2, 10 of 2.5, 10 of 3
    expect(stepsAhead(course, first, 4)).toBeCloseTo(6 + 10 * (2.5 / 2) + 10 * (3 / 2));
    expect(stepsAhead(course, second as StageSpan, 10)).toBeCloseTo(10 + 10 * (3 / 2.5));
    expect(stepsAhead(course, third as StageSpan, 30)).toBe(0);
    expect(costliestSteps(course)).toBeCloseTo((10 * 2 + 10 * 2.5 + 10 * 3) / 3);
    // every 4 steps: 4, 8, 12, 16, 20, 24, 28; and at 10 and 30
    expect(validationsAhead(course, 0, 4)).toBe(9);
    expect(validationsAhead(course, 10, 4)).toBe(6);
    expect(validationsAhead(course, 30, 4)).toBe(0);
    expect([null, 1, 9].map((patience) => earliestEnd(course, 4, patience))).toEqual([30, 8, 30]);
    expect(earliestEnd(courseOf(plan([1, 1, 1], 'stop'), 100, training()), 10, null)).toBe(20);
    expect(validationsAhead(courseOf(null, 100, training()), 0, 10)).toBe(3);
  });
});

describe('the end of a stage', () => {
  const scores = (macroF1: number) => ({ accuracy: macroF1, macroF1, loss: 1 });
  const at = (step: number, stage: number, bestStep: number | null, more: Partial<Progress> = {}): Progress => ({
    ...freshProgress(30, 'x'),
    step,
    stage,
    recentStepSeconds: [1, 3, 2],
    validationsWithoutGain: 2,
    lastValidation: bestStep === null ? null : scores(0.5),
    best: bestStep === null ? null : { step: bestStep, stage: 0, scores: scores(0.6), file: 'best' },
    ...more,
  });
  const facts = { learningRate: 0.001, trainableParameters: 10, optimizerBytes: 80 };
  const ending = (whenWorse: StagePlan['whenWorse'], place: number, progress: Progress) => {
    const course = courseOf(plan([1, 1, 1], whenWorse), 100, training());
    const span = course.spans[place] as StageSpan;
    return endOf(course, span, beginningOf(course, span, facts), progress);
  };

  it('tells what a stage came to, and the next one starts afresh', () => {
    const { ended, progress } = ending('continue', 0, at(10, 0, 8));
    expect(ended).toEqual({
      stage: 1,
      stages: 3,
      trains: 'part 1',
      firstStep: 1,
      lastStep: 10,
      ...facts,
      secondsPerStep: 2,
      scores: scores(0.5),
      helped: true,
      next: 'next',
    } satisfies StageMetric);
    expect(progress).toMatchObject({ stage: 1, validationsWithoutGain: 0, recentStepSeconds: [], stoppedEarly: false });
    expect(progress.stages).toEqual([ended]);
  });

  it.each([
    ['continue', 'next', false, 2],
    ['back', 'back', false, 2],
    ['stop', 'stop', true, 1],
  ] as const)('that did not help: %s', (whenWorse, next, stoppedEarly, stage) => {
    const { ended, progress } = ending(whenWorse, 1, at(20, 1, 10));
    expect(ended).toMatchObject({ helped: false, next });
    expect(progress).toMatchObject({ stoppedEarly, stage });
  });

  it('is no failure where nothing is validated, and the last one ends the run whatever it brought', () => {
    expect(ending('stop', 0, at(10, 0, null)).ended).toMatchObject({ helped: null, scores: null, next: 'next' });
    expect(ending('back', 2, at(30, 2, 10)).ended).toMatchObject({ helped: false, next: 'end' });
    expect(ending('back', 2, at(30, 2, 10)).progress).toMatchObject({ stage: 2, stoppedEarly: false });
  });

  it('by patience ends the run at the step it came to', () => {
    const { ended, progress } = ending('continue', 1, at(14, 1, 8, { stoppedEarly: true }));
    expect(ended).toMatchObject({ lastStep: 14, next: 'stop' });
    expect(progress).toMatchObject({ stoppedEarly: true, stage: 1 });
  });
});
