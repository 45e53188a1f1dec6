/** Stage after stage: each has a trainer of its own, which starts from the parameters that the one before leaves. */
import type { StageMetric } from '../contract/entities.js';
import { scoresInWords } from '../contract/score-words.js';
import type { Training } from '../contract/plan.js';
import type { EngineTrainer, NamedTensors } from '../engine/index.js';
import { beginningOf, endOf, type Course, type StageSpan } from './course.js';
import type { EngineDoor } from './engine-door.js';
import { runLoop, type LoopParts } from './loop.js';
import type { Progress } from './progress.js';

export interface StagesParts extends Pick<LoopParts, 'source' | 'reporter' | 'control' | 'watch'> {
  readonly course: Course;
  readonly training: LoopParts['training'] & Pick<Training, 'learningRate' | 'schedule' | 'warmupRatio'>;
  readonly store: LoopParts['store'] & { loadBest(file: string): Promise<NamedTensors> };
  readonly learningRateAt: EngineDoor['learningRateAt'];
  /** Scores on the validation split by the trainer at hand; null where there is none. */
  readonly validate: LoopParts['validate'];
  /** The trainer at hand. */
  trainer(): EngineTrainer;
  /** Puts the trainer of the stage at a place of the course in the place of the one at hand. */
  enter(place: number, parameters: NamedTensors): Promise<unknown>;
}

/**
 * Trains from `start` on until the last step of the last stage, an early stop or a pause. At the end of each stage a
 * checkpoint stands; what follows it is a function of that checkpoint, so a run that is killed in between does the same.
 * @throws as {@link runLoop}
 */
export async function runStages(parts: StagesParts, start: Progress): Promise<{ progress: Progress; paused: boolean }> {
  const { course, reporter, store } = parts;
  for (const stage of start.stages) tell(stage);
  reporter.retell(start.retold);
  let progress = start;
  for (;;) {
    const span = course.spans[progress.stage] as StageSpan;
    const begun = begin(span);
    const ended = await runLoop(loopParts(span), progress);
    if (ended.paused) return ended;
    // Its optimizer may have grown since.
    const { optimizerBytes } = parts.trainer();
    const end = endOf(course, span, { ...begun, optimizerBytes }, ended.progress);
    progress = end.progress;
    tell(end.ended);
    if (course.staged) reporter.log('check', accountOf(end.ended));
    if (end.ended.next === 'stop' || end.ended.next === 'end') {
      await reporter.flush();
      return { progress, paused: false };
    }
    const back = end.ended.next === 'back' && progress.best ? await store.loadBest(progress.best.file) : null;
    await parts.trainer().settle?.();
    await parts.enter(progress.stage, back ?? parts.trainer().parameters(true));
  }

  function tell(stage: StageMetric): void {
    if (course.staged) reporter.stage(stage);
  }

  function begin(span: StageSpan): StageMetric {
    const { trainableParameters, optimizerBytes } = parts.trainer();
    const learningRate = parts.training.learningRate * span.rate;
    const begun = beginningOf(course, span, { learningRate, trainableParameters, optimizerBytes });
    tell(begun);
    if (course.staged)
      reporter.log(
        'plan',
        `Stage ${begun.stage} of ${begun.stages}, steps ${begun.firstStep} to ${begun.lastStep}: ${begun.trains}; ${trainableParameters.toLocaleString('en')} parameters, learning rate ${learningRate.toPrecision(3)}.`,
      );
    return begun;
  }

  function loopParts(span: StageSpan): LoopParts {
    const { learningRate, schedule, warmupRatio } = parts.training;
    const rates = { learningRate: learningRate * span.rate, schedule, warmupRatio };
    return {
      ...parts,
      trainer: parts.trainer(),
      span,
      learningRate: (step) => parts.learningRateAt(step - span.from, span.to - span.from, rates),
    };
  }
}

function accountOf({ stage, stages, lastStep, scores, helped, next }: StageMetric): string {
  const score = scores ? `: ${scoresInWords(scores)}` : '';
  const help = helped === null ? '' : helped ? ' It helped.' : ' No validation of it was the best so far.';
  const then = {
    next: '',
    end: '',
    stop: ' Training stops here.',
    back: ' The next stage starts from the best parameters.',
  };
  return `Stage ${stage} of ${stages} ended after step ${lastStep}${score}.${help}${next ? then[next] : ''}`;
}
