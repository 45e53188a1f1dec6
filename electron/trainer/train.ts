/** One run, from the task to the test scores. */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { labelsIn } from '../contract/learned.js';
import type { RunResult } from '../contract/entities.js';
import { scoresInWords } from '../contract/score-words.js';
import { parametersOf, type EngineTrainer, type NamedTensors } from '../engine/index.js';
import type { BaseOpener } from './bases.js';
import { CheckpointStore, writeHashed } from './checkpoint.js';
import { openSplit, type OpenSplit } from './dataset.js';
import type { EngineDoor } from './engine-door.js';
import { bytesToKeep, comesAgain, keepFrozen } from './frozen.js';
import { startValues } from './init.js';
import type { Between } from './learning.js';
import { forgetPeak, peakBytes, residentBytes } from './memory.js';
import { testPace } from './pace.js';
import { freshProgress, type Progress } from './progress.js';
import { trainedFileName, type JobOf, type ResultOf, type TrainerEvent } from './protocol.js';
import { Reporter } from './reporter.js';
import type { JobContext } from './server.js';
import { prepare, trainerOptions, type Prepared } from './setup.js';
import { runStages } from './stages.js';
import { standardized, standardOf, toScores, type Standard } from './standardized.js';
import { openWatch } from './watch.js';

/**
 * Trains, validates, tests once with the best parameters (unless the task leaves the test out) and stores these as `trained.safetensors`.
 * A pause while the test is read ends the job as paused too: the test is then read by the resumed run.
 */
export async function train(
  job: JobOf<'train'>,
  context: JobContext,
  engine: EngineDoor,
  baselineMemoryBytes: number,
  sharedProcess = false,
  open?: BaseOpener,
): Promise<ResultOf<'train'>> {
  const { task, runFolder } = job;
  if (sharedProcess) forgetPeak();
  const reporter = new Reporter(context.emit);
  await reporter.phase('preparing', 0, null);
  const store = await CheckpointStore.open(runFolder);
  const prepared = await prepare(task, engine, context.breathe, open);
  const { spread } = prepared.train;
  const standard = spread ? standardOf(spread, task.method, prepared.model) : null;
  const start = await startFrom(job, store, prepared, standard, reporter);
  const { course, model } = prepared;
  const spanAt = (place: number) => course.spans[place] ?? course.spans[0];
  const stageAt = (place: number) => spanAt(place).index;
  const held: { trainer: EngineTrainer | null } = { trainer: null };
  const current = (): EngineTrainer => {
    if (held.trainer === null) throw new Error('There is no trainer between two stages.');
    return held.trainer;
  };
  const enter = async (place: number, parameters: NamedTensors) => {
    const left = held.trainer;
    // Nothing holds the old one's memory while the new one is built.
    held.trainer = null;
    await left?.dispose();
    const options = trainerOptions(task, model, prepared.tokenizer, prepared.learning, {
      stage: stageAt(place),
      steps: course.totalSteps,
      parameters,
    });
    // To find the part takes two graphs, which most runs can be spared.
    const below = comesAgain(prepared, spanAt(place)) ? (engine.frozenPartOf?.(options) ?? null) : null;
    const keepFrozenBytes = bytesToKeep(below, prepared, spanAt(place));
    const built = await engine.createTrainer({ ...options, keepFrozenBytes });
    held.trainer = standard ? standardized(built, standard) : built;
    return below !== null && keepFrozenBytes > 0 ? keepFrozen(built, below.layers, prepared, reporter, context) : 0;
  };
  try {
    const seconds = await enter(start.progress.stage, start.parameters);
    if (start.state !== null) await current().loadState(start.state);
    await announce(
      job,
      engine.describeMethod(task.method),
      prepared,
      current(),
      start,
      baselineMemoryBytes,
      context.emit,
      reporter,
    );

    const { validation } = prepared;
    const watch = await openWatch(task, prepared, engine, context.breathe, reporter);
    const { progress, paused } = await runStages(
      {
        trainer: current,
        enter,
        course,
        training: task.training,
        source: prepared.batches,
        store,
        reporter,
        control: context,
        learningRateAt: (...of) => engine.learningRateAt(...of),
        validate: validation === null ? null : () => validation.measure(current(), context.breathe),
        watch: watch && (() => watch(current())),
      },
      { ...start.progress, seconds: start.progress.seconds + seconds },
    );
    const pausedResult = {
      type: 'train',
      status: 'paused',
      step: progress.step,
      result: null,
      baselineMemoryBytes,
    } as const;
    if (paused) return pausedResult;

    if (progress.best !== null) {
      const best = await store.loadBest(progress.best.file);
      // Another stage's trainer holds other parameters.
      if (progress.best.stage === progress.stage) await current().loadParameters(best);
      else await enter(progress.best.stage, best);
    }
    const bestStep = progress.best?.step ?? progress.step;
    await reporter.phase('saving', progress.step, progress.totalSteps);
    const trainedFile = join(runFolder, trainedFileName);
    const kept = await current().result();
    await writeHashed(trainedFile, kept, {
      kind: 'peft-studio-run',
      method: JSON.stringify(task.method),
      objective: task.objective.type,
      ...(labelsIn(task.objective) === null ? {} : { labels: JSON.stringify(labelsIn(task.objective)) }),
      step: String(bestStep),
      seed: String(task.training.seed),
    });

    let test: RunResult['test'] = null;
    if (prepared.test !== null) {
      // A wording is tested as the text that it is, tokenized anew in front of each row.
      const wording = current().wording?.();
      const typed = wording === undefined ? undefined : await prepared.learning.typed?.(wording);
      const split = typed ? await openSplit(prepared.test.file, typed, context.breathe) : prepared.test;
      await reporter.phase('testing', 0, split.size);
      // Thrown and caught here only: the quickest way out of a pass over many batches.
      const tell = testPace(split.size, context.emit);
      const between: Between = async (...done) => {
        await context.breathe();
        if (context.pauseRequested()) throw pausedInTest;
        await tell(...done);
      };
      test = await split
        .test({
          trainer: current(),
          engine,
          model,
          parameters: kept,
          file: split.file,
          between,
          emit: context.emit,
          log: (message) => reporter.log('check', message),
        })
        .catch((error: unknown) => {
          if (error === pausedInTest) return null;
          throw error;
        });
      if (test === null) {
        await rm(trainedFile, { force: true });
        return pausedResult;
      }
      reporter.log(
        'check',
        `Test, read once with the parameters of step ${bestStep}: ${scoresInWords(test)} on ${(split.rows ?? split.size).toLocaleString('en')} rows.`,
      );
    }
    await reporter.flush();
    const checkpointBytes = (await stat(trainedFile)).size;
    return {
      type: 'train',
      status: 'finished',
      step: progress.step,
      baselineMemoryBytes,
      result: {
        ...resultOf(progress, current().totalParameters, test, bestStep, checkpointBytes),
        ...(sharedProcess ? { sharedProcess } : {}),
        ...(course.staged ? { stages: progress.stages.length } : {}),
        ...(current().wording ? { wording: current().wording?.() } : {}),
      },
    };
  } finally {
    await held.trainer?.dispose();
  }
}

const pausedInTest = Symbol('paused in test');

/** The newest whole checkpoint when resuming, else a clean start. */
async function startFrom(
  job: JobOf<'train'>,
  store: CheckpointStore,
  prepared: Prepared,
  standard: Standard | null,
  reporter: Reporter,
) {
  const checkpoint = job.resume ? await store.loadNewest() : null;
  if (checkpoint === null) {
    await store.clear();
    const { parameters: own, notes } = await startValues(job.task, prepared.model, prepared.learning);
    const parameters = standard ? await toScores(own, prepared.model, standard) : own;
    for (const note of [...notes, ...(prepared.learning.notes ?? [])]) reporter.log('note', note);
    const progress = freshProgress(prepared.course.totalSteps, prepared.fingerprint);
    return { state: null, parameters, progress, resumed: false };
  }
  if (checkpoint.progress.fingerprint !== prepared.fingerprint) {
    throw new StudioError(
      'conflict',
      `The checkpoint in ${job.runFolder} belongs to another plan or other data.`,
      'Start this plan as a new run.',
      { folder: job.runFolder },
    );
  }
  for (const reason of checkpoint.skipped)
    reporter.log('note', `A checkpoint could not be used, so the one before it is: ${reason}`);
  reporter.log('note', `Resumed after step ${checkpoint.progress.step}.`);
  const { state, progress } = checkpoint;
  return { state, parameters: parametersOf(state), progress, resumed: true };
}

async function announce(
  job: JobOf<'train'>,
  describe: string,
  prepared: Prepared,
  trainer: EngineTrainer,
  start: { progress: Progress; resumed: boolean },
  baselineMemoryBytes: number,
  emit: (event: TrainerEvent) => Promise<void>,
  reporter: Reporter,
) {
  const { task } = job;
  const { trainableParameters, totalParameters, optimizerBytes } = trainer;
  await emit({
    type: 'started',
    device: task.device,
    resumed: start.resumed,
    step: start.progress.step,
    totalSteps: prepared.course.totalSteps,
    trainableParameters,
    totalParameters,
    optimizerBytes,
    baselineMemoryBytes,
  });
  const rows = (split: OpenSplit | null) => (split?.rows ?? split?.size ?? 0).toLocaleString('en');
  const share = ((100 * trainableParameters) / totalParameters).toPrecision(3);
  reporter.log(
    'plan',
    `${describe}: ${trainableParameters.toLocaleString('en')} of ${totalParameters.toLocaleString('en')} parameters train (${share} %), on ${task.device}.`,
  );
  reporter.log(
    'plan',
    `${rows(prepared.train)} training, ${rows(prepared.validation)} validation and ${task.readTest === false ? 'no' : rows(prepared.test)} test rows; ${prepared.course.totalSteps.toLocaleString('en')} steps, ${prepared.batches.stepsPerEpoch.toLocaleString('en')} an epoch.`,
  );
  reporter.log(
    'note',
    `Engine ready; the process holds ${Math.round(residentBytes() / 1e6)} MB, ${Math.round(baselineMemoryBytes / 1e6)} MB before.`,
  );
  for (const split of [prepared.train, prepared.validation, prepared.test])
    for (const note of split?.notes ?? [])
      reporter.log(
        'note',
        `${split === prepared.train ? 'Training' : split === prepared.test ? 'Test' : 'Validation'}: ${note}`,
      );
  await reporter.flush();
}

function resultOf(
  progress: Progress,
  totalParameters: number,
  test: RunResult['test'],
  bestStep: number,
  checkpointBytes: number,
): RunResult {
  const { stages } = progress;
  // Each stage's median leaves out what the first step of each process takes to make its session.
  const seconds = stages.reduce(
    (sum, { firstStep, lastStep, secondsPerStep }) => sum + (lastStep - firstStep + 1) * (secondsPerStep ?? 0),
    0,
  );
  const secondsPerStep = progress.step > 0 ? seconds / progress.step : 0;
  // Of several stages the largest counts.
  const largest = (of: 'trainableParameters' | 'optimizerBytes') => Math.max(...stages.map((stage) => stage[of]));
  return {
    test,
    validation: progress.best?.scores ?? null,
    bestStep,
    trainableParameters: largest('trainableParameters'),
    totalParameters,
    optimizerBytes: largest('optimizerBytes'),
    checkpointBytes,
    secondsPerStep,
    tokensPerSecond: secondsPerStep > 0 ? progress.tokens / progress.step / secondsPerStep : 0,
    peakMemoryBytes: Math.max(progress.peakMemoryBytes, peakBytes()),
    trainingSeconds: progress.seconds,
    steps: progress.step,
    stoppedEarly: progress.stoppedEarly,
  };
}
