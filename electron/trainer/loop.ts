/** The training loop of one stage: steps, validations, checkpoints, early stopping. Everything it touches is handed in. */
import type { Scores, TriedWording } from '../contract/entities.js';
import { scoresInWords } from '../contract/score-words.js';
import { StudioError } from '../contract/errors.js';
import type { Training } from '../contract/plan.js';
import type { Batch, EngineTrainer, NamedTensors, SearchStep } from '../engine/index.js';
import { stepsAhead, validationsAhead, type Course, type StageSpan } from './course.js';
import { peakBytes, residentBytes } from './memory.js';
import { inStep } from './problems.js';
import { afterStep, afterValidation, isBetter, median, type Progress } from './progress.js';
import type { Reporter } from './reporter.js';
import type { JobContext } from './server.js';
import type { Watched } from './watch.js';

const secondsBetweenCheckpoints = 60;

/** The micro-batches of each optimizer step, by step number alone, so that a resumed run reads on where it stood. */
export interface StepSource {
  readonly stepsPerEpoch: number;
  batches(step: number): readonly Batch[];
}

export interface LoopParts {
  readonly trainer: EngineTrainer;
  readonly training: Pick<Training, 'validateEverySteps' | 'earlyStoppingPatience' | 'checkpointEverySteps'>;
  readonly source: StepSource;
  readonly course: Course;
  /** The stage of the course that is trained. */
  readonly span: StageSpan;
  /** Rate of the update after `step` done steps. */
  learningRate(step: number): number;
  /** Scores on the validation split; null where there is none. */
  readonly validate: (() => Promise<Scores>) | null;
  /** The base's own loss on general text by the trainer at hand; null where it is not watched. */
  readonly watch?: (() => Promise<Watched | null>) | null;
  readonly store: {
    save(state: NamedTensors, progress: Progress): Promise<void>;
    saveBest(step: number, parameters: NamedTensors): Promise<string>;
  };
  readonly reporter: Reporter;
  readonly control: Pick<JobContext, 'breathe' | 'pauseRequested' | 'storedEvents'>;
}

/**
 * Trains from `start` on until the stage's last step, an early stop or a pause; a checkpoint stands at the end of each.
 * A validation belongs to its step: a checkpoint between the two does not exist, so a resumed run repeats or skips none.
 * @throws StudioError `diverged` when a loss is not finite; `cancelled`; whatever the engine throws
 */
export async function runLoop(parts: LoopParts, start: Progress): Promise<{ progress: Progress; paused: boolean }> {
  const { trainer, training, source, course, span, reporter, control, store } = parts;
  let progress = start;
  let savedStep = start.step;
  let savedAt = performance.now();
  let validationSeconds = 0;
  const validateEvery = training.validateEverySteps ?? source.stepsPerEpoch;
  const over = () => progress.step >= span.to || progress.stoppedEarly;

  const save = async () => {
    const started = performance.now();
    // What lies before a checkpoint is not computed again, so it must have been told before the checkpoint stands.
    await reporter.flush();
    progress = {
      ...progress,
      peakMemoryBytes: Math.max(progress.peakMemoryBytes, peakBytes()),
      retold: reporter.carried(control.storedEvents()),
    };
    // Live: no step runs until the file is written, so a second copy of everything is spared.
    await trainer.settle?.();
    await store.save(trainer.saveState(true), progress);
    savedStep = progress.step;
    savedAt = performance.now();
    const seconds = (savedAt - started) / 1000;
    progress = { ...progress, seconds: progress.seconds + seconds };
    reporter.log('save', `Checkpoint after step ${progress.step} (${seconds.toFixed(2)} s).`);
  };

  // Without a single step the start itself is measured: others may begin from it, and it stands beside what was trained.
  // A search may find nothing better than the wording it started from.
  if ((progress.totalSteps === 0 || trainer.wording) && progress.lastValidation === null && parts.validate !== null)
    await validate(parts.validate);

  while (!over()) {
    await control.breathe();
    if (control.pauseRequested()) break;

    const batches = source.batches(progress.step);
    const learningRate = parts.learningRate(progress.step);
    const started = performance.now();
    const { loss, gradientNorm, search } = await atStep(progress.step + 1, () => trainer.step(batches, learningRate));
    const seconds = (performance.now() - started) / 1000;
    const tokens = batches.reduce((sum, batch) => sum + tokensOf(batch), 0);
    progress = afterStep(progress, seconds, tokens);

    const finite = (value: number) => (Number.isFinite(value) ? value : null);
    const secondsLeft =
      stepsAhead(course, span, progress.step) * median(progress.recentStepSeconds) +
      (parts.validate === null ? 0 : validationsAhead(course, progress.step, validateEvery) * validationSeconds);
    reporter.step(
      {
        step: progress.step,
        loss: finite(loss),
        learningRate,
        gradientNorm: finite(gradientNorm),
        tokensPerSecond: seconds > 0 ? tokens / seconds : 0,
        memoryBytes: residentBytes(),
        seconds,
      },
      secondsLeft,
    );
    if (search) tellSearch(search, loss);
    if (!Number.isFinite(loss)) throw await diverged(reporter, progress.step, learningRate, 'loss of');

    const last = progress.step === span.to;
    let validated = false;
    if (parts.validate !== null && (last || progress.step % validateEvery === 0)) {
      await validate(parts.validate);
      validated = true;
    }
    const due =
      training.checkpointEverySteps === null
        ? validated || (performance.now() - savedAt) / 1000 >= secondsBetweenCheckpoints
        : progress.step % training.checkpointEverySteps === 0;
    if (due) await save();
    await reporter.tick();
  }

  // The state that a pause, an early stop or the end leaves must be on the disk before anyone hears of it.
  if (savedStep !== progress.step || (progress.step === 0 && over())) await save();
  await reporter.flush();
  return { progress, paused: !over() };

  function tellSearch({ accepted, tried: some }: SearchStep, loss: number): void {
    const { step } = progress;
    const told = some.map(({ position, word, loss: own }) => ({
      step,
      position: position + 1,
      word,
      loss: own,
      accepted: accepted?.position === position && accepted.word === word,
    }));
    progress = { ...progress, tried: bestTried([...progress.tried, ...told]) };
    if (accepted)
      reporter.log(
        'note',
        `Step ${step}: "${accepted.replaced}" becomes "${accepted.word}" at position ${accepted.position + 1}; the loss on its rows falls from ${loss.toFixed(4)} to ${accepted.loss.toFixed(4)}.`,
      );
  }

  async function validate(measure: () => Promise<Scores>): Promise<void> {
    await reporter.phase('validating', progress.step, progress.totalSteps);
    const started = performance.now();
    const scores = await atStep(progress.step, measure);
    if (!Number.isFinite(scores.loss))
      throw await diverged(
        reporter,
        progress.step,
        parts.learningRate(Math.max(0, progress.step - 1)),
        'validation loss after',
      );
    const seconds = (performance.now() - started) / 1000;
    const general = (await parts.watch?.()) ?? null;
    // What is watched takes time, but is no part of the training.
    validationSeconds = (performance.now() - started) / 1000;
    const better = isBetter(scores, progress.best?.scores ?? null);
    if (better) await trainer.settle?.();
    const file = better ? await store.saveBest(progress.step, trainer.parameters(true)) : null;
    progress = afterValidation(
      { ...progress, seconds: progress.seconds + seconds },
      scores,
      training.earlyStoppingPatience,
      span.to,
      file,
    );
    const search = trainer.wording ? { search: { wording: trainer.wording(), tried: progress.tried } } : {};
    progress = { ...progress, tried: [] };
    reporter.validation({ step: progress.step, ...scores, best: better, ...search, ...(general ? { general } : {}) });
    reporter.log(
      'check',
      `Validation, step ${progress.step}: ${scoresInWords(scores)}${better ? ', best so far' : ''}.`,
    );
    if (progress.stoppedEarly)
      reporter.log(
        'note',
        `Stopped early: ${progress.validationsWithoutGain} validations without gain; the best was after step ${progress.best?.step ?? 0}.`,
      );
    await reporter.phase('training', progress.step, progress.totalSteps);
  }
}

/** What fails names the step. */
async function atStep<T>(step: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inStep(error, step);
  }
}

const mostTried = 20;

/** What a window can show of what was tried: every exchange that was made, and of the others those of lowest loss. */
function bestTried(tried: readonly TriedWording[]): TriedWording[] {
  const byLoss = (a: TriedWording, b: TriedWording) => Number(b.accepted) - Number(a.accepted) || a.loss - b.loss;
  return tried
    .filter(({ loss }) => Number.isFinite(loss))
    .sort(byLoss)
    .slice(0, mostTried);
}

/** Real tokens of a batch, padding left out. */
export function tokensOf(batch: Batch): number {
  let tokens = 0;
  for (const mark of batch.attentionMask) if (mark !== 0) tokens += 1;
  return tokens;
}

/** The studio writes the problem into the run's log; here the steps before it are told. */
async function diverged(reporter: Reporter, step: number, learningRate: number, what: string): Promise<StudioError> {
  await reporter.flush();
  return new StudioError(
    'diverged',
    `The ${what} step ${step} is no longer a finite number (learning rate ${learningRate.toPrecision(3)}).`,
    'Use a lower learning rate (a third is a good first try), a longer warm-up, or clip the gradient at 1.',
    { step, learningRate },
  );
}
