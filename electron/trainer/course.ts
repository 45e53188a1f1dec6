/** The stages of a run as steps: which are whose, what is still to come, and what follows at the end of each. */
import type { StageMetric } from '../contract/entities.js';
import type { StagePlan } from '../engine/index.js';
import { countSteps, median, type Progress, type StepCounting } from './progress.js';

/** The steps of one stage: those after step `from` up to step `to`. */
export interface StageSpan {
  /** Which of the method's stages, from 0. */
  readonly index: number;
  readonly trains: string;
  readonly from: number;
  readonly to: number;
  /** Factor of the plan's learning rate. */
  readonly rate: number;
  readonly cost: number;
}

export interface Course {
  /** False for a method that trains in one: there is nothing to tell of its only stage. */
  readonly staged: boolean;
  readonly whenWorse: StagePlan['whenWorse'];
  /** One at least, in order; stages too short for a step are left out. */
  readonly spans: readonly [StageSpan, ...StageSpan[]];
  readonly totalSteps: number;
}

/** Begun steps count, but not what a sum of fractions is too large by. */
const wholeSteps = (steps: number) => Math.max(0, Math.ceil(steps - 1e-9));

/**
 * Shares the steps of a run out to its stages: by their own epochs, or equally where they name none. With `maxSteps` the
 * shares stay and the sum is `maxSteps`.
 * @param rows of the training split
 */
export function courseOf(plan: StagePlan | null, rows: number, training: StepCounting): Course {
  const { stages, whenWorse }: StagePlan = plan ?? {
    stages: [{ trains: '', epochs: null, rate: 1, cost: 1 }],
    whenWorse: 'continue',
  };
  const { stepsPerEpoch, totalSteps } = countSteps(rows, training);
  const shared = stages.some(({ epochs }) => epochs === null);
  const share = stages.map(({ epochs }) => (shared ? 1 : (epochs ?? 1)));
  const whole = share.reduce((sum, own) => sum + own, 0);
  let [done, to] = [0, 0];
  const spans = stages.map(({ trains, rate, cost }, index): StageSpan => {
    const own = share[index] ?? 0;
    done += own;
    const from = to;
    to =
      shared || training.maxSteps !== null
        ? wholeSteps((totalSteps * done) / whole)
        : from + wholeSteps(own * stepsPerEpoch);
    return { index, trains, from, to, rate, cost };
  });
  const [first, ...others] = spans.filter((span) => span.to > span.from);
  return {
    staged: plan !== null,
    whenWorse,
    spans: [first ?? (spans[0] as StageSpan), ...others],
    totalSteps: to,
  };
}

/** How long all steps of a course take, counted in steps as costly as the costliest stage's. */
export function costliestSteps({ spans }: Course): number {
  const most = Math.max(...spans.map(({ cost }) => cost));
  return spans.reduce((sum, { from, to, cost }) => sum + ((to - from) * cost) / most, 0);
}

/** Validations after step `step` up to the end: every so many steps, and at the end of each stage. */
export function validationsAhead({ spans, totalSteps }: Course, step: number, every: number): number {
  const ends = spans.filter(({ to }) => to > step && to % every !== 0).length;
  return Math.floor(totalSteps / every) - Math.floor(step / every) + ends;
}

/** The step at which a run may end at the earliest. `patience` as in the plan; null where nothing can stop it. */
export function earliestEnd({ spans, whenWorse, totalSteps }: Course, every: number, patience: number | null): number {
  const ends = [
    ...(patience === null ? [] : [(patience + 1) * every]),
    // The first stage has nothing to be worse than.
    ...(whenWorse === 'stop' ? spans.slice(1, 2).map(({ to }) => to) : []),
  ];
  return Math.min(totalSteps, ...ends);
}

/** What is to come after step `step` of a span, in steps as long as those of that span. */
export function stepsAhead({ spans }: Course, at: StageSpan, step: number): number {
  const later = spans.slice(spans.indexOf(at) + 1);
  return at.to - step + later.reduce((sum, { from, to, cost }) => sum + ((to - from) * cost) / at.cost, 0);
}

/** What a stage tells of itself when it begins. */
export function beginningOf(
  course: Course,
  span: StageSpan,
  facts: Pick<StageMetric, 'learningRate' | 'trainableParameters' | 'optimizerBytes'>,
): StageMetric {
  return {
    stage: course.spans.indexOf(span) + 1,
    stages: course.spans.length,
    trains: span.trains,
    firstStep: span.from + 1,
    lastStep: span.to,
    ...facts,
    secondsPerStep: null,
    scores: null,
    helped: null,
    next: null,
  };
}

/** The stage's account and where the run stands after it. Looks at `progress` alone, so that a resumed run decides the same. */
export function endOf(
  course: Course,
  span: StageSpan,
  begun: StageMetric,
  progress: Progress,
): { ended: StageMetric; progress: Progress } {
  const last = span === course.spans.at(-1);
  const { lastValidation, best } = progress;
  const helped = progress.step > span.from && lastValidation && best ? best.step > span.from : null;
  const next = progress.stoppedEarly
    ? 'stop'
    : last
      ? 'end'
      : helped === false && course.whenWorse !== 'continue'
        ? course.whenWorse
        : 'next';
  const ended: StageMetric = {
    ...begun,
    lastStep: progress.step,
    secondsPerStep: median(progress.recentStepSeconds),
    scores: lastValidation,
    helped,
    next,
  };
  const over = next === 'stop' || next === 'end';
  return {
    ended,
    progress: {
      ...progress,
      stages: [...progress.stages, ended],
      stoppedEarly: next === 'stop',
      ...(over ? {} : { stage: progress.stage + 1, validationsWithoutGain: 0, recentStepSeconds: [] }),
    },
  };
}
