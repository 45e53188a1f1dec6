/**
 * What a run will take, measured: a few real steps, first small, then at the longest batch, in a process of its own.
 * Growing the batch lets a run that cannot fit be refused before it takes the machine's memory.
 */
import { StudioError } from '../contract/errors.js';
import type { Training } from '../contract/plan.js';
import { evaluationBatches, evaluationOrder, openTokenizer, TrainingBatches, type RowBatches } from '../data/index.js';
import { shuffledOrder } from '../data/random.js';
import type { Batch, EngineTrainer, FrozenPart, TrainerOptions } from '../engine/index.js';
import { readSplit } from './dataset.js';
import { costliestSteps, courseOf, earliestEnd, validationsAhead, type Course } from './course.js';
import type { EngineDoor } from './engine-door.js';
import { bytesOfTexts, comesAgain } from './frozen.js';
import { learningOf } from './learnings/index.js';
import { evaluationBatchSize } from './evaluate.js';
import { tokensOf } from './loop.js';
import { startValues } from './init.js';
import { availableBytes, peakBytes } from './memory.js';
import { countSteps, median } from './progress.js';
import type { JobOf, ResultOf, SplitRow, TrainTask } from './protocol.js';
import { fits, remediesFor, type MemoryModel } from './remedies.js';
import type { JobContext } from './server.js';
import { trainerOptions } from './setup.js';

const sampleRows = 2000;
const typicalSteps = 6;
const typicalSecondsAtMost = 8;

/** Measures `job.task`. @throws StudioError for what training would refuse too */
export async function probe(
  job: JobOf<'probe'>,
  context: JobContext,
  engine: EngineDoor,
  baselineMemoryBytes: number,
): Promise<ResultOf<'probe'>> {
  const { task } = job;
  const { training } = task;
  const availableMemoryBytes = availableBytes();
  const ceiling = Math.min(baselineMemoryBytes + availableMemoryBytes, job.memoryLimitBytes ?? Infinity);
  const say = async (done: number, message: string) => {
    await context.emit({ type: 'progress', done, total: 4, message });
    await context.breathe();
  };

  await say(0, 'Reading the data');
  const model = await engine.openModel(task.modelFolder);
  const tokenizer = await openTokenizer(task.modelFolder, {
    vocabularySize: model.vocabularySize,
    architecture: model.architecture,
  });
  const survey = await surveyRows(task.data.train, training.batchSize, context.breathe);
  if (survey.rows === 0)
    throw new StudioError('bad-data', 'The training split is empty.', 'Give the data set training rows.', {
      file: task.data.train,
    });
  const encodingStarted = performance.now();
  const learning = await learningOf(task, tokenizer, model);
  const { batches: sample } = await learning.encode(survey.sample);
  const encodingSecondsPerRow = (performance.now() - encodingStarted) / 1000 / survey.sample.length;
  // Short texts may share rows, so that the longest of them do not fill a batch.
  const { batches: own } = await learning.encode(survey.longest);
  const longest = own.size < Math.min(training.batchSize, sample.size) ? sample : own;
  if (sample.size === 0 || longest.size === 0)
    throw new StudioError(
      'bad-data',
      `No row has anything to learn within ${training.maxLength} tokens.`,
      'Raise training.maxLength.',
      { field: 'training.maxLength' },
    );
  const heldOut = {
    validation: await countRows(task.data.validation, context.breathe),
    test: await countRows(task.data.test, context.breathe),
  };

  // Texts that share rows, or are split over several, make fewer or more of them.
  const rows = Math.ceil((survey.rows * sample.size) / survey.sample.length);
  const { stepsPerEpoch } = countSteps(rows, training);
  const course = courseOf(engine.stagesOf(task.method, model), rows, training);
  const { totalSteps } = course;
  await say(1, 'Building the model');
  const building = performance.now();
  // Of a method with stages all that any of them trains: the most memory and the longest steps.
  const { parameters } = await startValues(task, model, learning);
  const options = trainerOptions(task, model, tokenizer, learning, { stage: null, steps: totalSteps, parameters });
  const once = keptOnce(engine, options, course, stepsPerEpoch);
  const texts = rows + heldOut.validation;
  const keepFrozenBytes = once ? bytesOfTexts(once, texts, texts * meanTokens(sample)) : 0;
  const trainer = await engine.createTrainer({ ...options, keepFrozenBytes });
  const buildSeconds = (performance.now() - building) / 1000;
  try {
    await say(2, 'Steps at the longest batch');
    const memory = await measureMemory(trainer, task, longest, ceiling);
    await say(3, 'Typical steps');
    const typical = memory.measured ? await measureTypical(trainer, task, sample, context.breathe) : null;
    const forward = memory.measured ? await measureForward(trainer, longest, sample) : { perRow: 0, keepingPerByte: 0 };

    // Of all texts the run keeps what was kept here of some.
    const peakMemoryBytes =
      Math.max(0, keepFrozenBytes - (trainer.keptBytes ?? 0)) +
      (memory.measured ? Math.max(peakBytes(), memory.peak) : memory.peak);
    const stepSeconds = typical?.seconds ?? [memory.longestSeconds];
    /** Length of a step of all stages, as a share of those measured. */
    const shorter = totalSteps > 0 ? costliestSteps(course) / totalSteps : 1;
    const every = training.validateEverySteps ?? stepsPerEpoch;
    const passSeconds = heldOut.validation * forward.perRow;
    // The first step (and the first forward pass, about as long) makes its session.
    const fixedSeconds =
      buildSeconds +
      2 * memory.firstSeconds +
      (survey.rows + heldOut.validation + heldOut.test) * encodingSecondsPerRow +
      heldOut.test * forward.perRow +
      keepFrozenBytes * (1 + heldOut.test / texts) * forward.keepingPerByte;
    const validations = validationsAhead(course, 0, every);
    const run = (steps: number, perStep: number) =>
      fixedSeconds +
      steps * shorter * perStep +
      (passSeconds > 0 && totalSteps > 0 ? Math.ceil((steps * validations) / totalSteps) * passSeconds : 0);
    const earliest = heldOut.validation === 0 ? totalSteps : earliestEnd(course, every, training.earlyStoppingPatience);
    const [low, high] = rangeOf(stepSeconds);
    const parameterBytes = trainer.trainableParameters * 4;
    const within = fits(peakMemoryBytes, ceiling);
    return {
      type: 'probe',
      measured: memory.measured,
      baselineMemoryBytes,
      estimate: {
        trainableParameters: trainer.trainableParameters,
        totalParameters: trainer.totalParameters,
        totalSteps,
        seconds: { low: run(earliest, low), high: run(totalSteps, high) },
        secondsPerStep: median(stepSeconds) * shorter,
        tokensPerSecond:
          typical === null ? 0 : typical.tokens / typical.seconds.reduce((sum, value) => sum + value, 0) / shorter,
        peakMemoryBytes,
        availableMemoryBytes,
        // Two checkpoints and one being written, two best parameters and one being written, the trained parameters.
        diskBytes: 3 * (parameterBytes + trainer.mostOptimizerBytes) + 4 * parameterBytes,
        fits: within,
        remedies: within
          ? []
          : remediesFor({
              training,
              onCpu: task.device === 'cpu',
              trainedShare: trainer.trainableParameters / trainer.totalParameters,
              memory,
              ceiling,
              limited: job.memoryLimitBytes !== null && ceiling === job.memoryLimitBytes,
              availableMemoryBytes,
              longestTokens: longestOf(longest),
            }),
      },
    };
  } finally {
    await trainer.dispose();
  }
}

interface Survey {
  readonly rows: number;
  readonly sample: readonly SplitRow[];
  readonly longest: readonly SplitRow[];
}

/** Counts a split's rows and keeps an even sample and the longest ones, whatever its size. */
export async function surveyRows(file: string, longestCount: number, breathe: () => Promise<void>): Promise<Survey> {
  let sample: SplitRow[] = [];
  let stride = 1;
  let rows = 0;
  let longest: SplitRow[] = [];
  const size = (row: SplitRow) =>
    row.messages?.reduce((sum, { content }) => sum + content.length, 0) ?? row.text.length + (row.pair?.length ?? 0);
  const keepLongest = () => {
    longest = longest.sort((left, right) => size(right) - size(left)).slice(0, longestCount);
  };
  for await (const row of readSplit(file)) {
    if (rows % stride === 0) sample.push(row);
    if (sample.length > sampleRows) {
      sample = sample.filter((_, index) => index % 2 === 0);
      stride *= 2;
    }
    longest.push(row);
    if (longest.length >= 2 * longestCount + 64) keepLongest();
    rows += 1;
    if (rows % 1000 === 0) await breathe();
  }
  keepLongest();
  return { rows, sample, longest };
}

async function countRows(file: string | null, breathe: () => Promise<void>): Promise<number> {
  let rows = 0;
  if (file !== null) {
    for await (const row of readSplit(file)) {
      rows += row.id >= 0 ? 1 : 0;
      if (rows % 1000 === 0) await breathe();
    }
  }
  return rows;
}

/** Micro-batches of a first step over rows as the plan makes them, but with `batchSize` rows. */
function firstStep(
  rows: RowBatches,
  { training }: TrainTask,
  batchSize: number,
  accumulationSteps: number,
): readonly Batch[] {
  return new TrainingBatches(rows, { batchSize, accumulationSteps, shuffle: false, seed: training.seed }).batches(0);
}

/** What the run keeps of all texts before its first step; null where that is nothing. Several stages each have their own. */
function keptOnce(
  engine: EngineDoor,
  options: TrainerOptions,
  { spans: [span, ...more] }: Course,
  stepsPerEpoch: number,
): FrozenPart | null {
  if (more.length > 0 || !comesAgain({ batches: { stepsPerEpoch } }, span)) return null;
  return engine.frozenPartOf?.(options) ?? null;
}

/** Tokens of a row, on average. */
function meanTokens({ size, length }: RowBatches): number {
  let tokens = 0;
  for (let row = 0; row < size; row++) tokens += length(row);
  return tokens / size;
}

/** Seconds of a step whose texts were all met before, where the run keeps what is frozen below. */
async function timed(trainer: EngineTrainer, batches: readonly Batch[], training: Training): Promise<number> {
  for (const batch of batches) await trainer.keep?.(batch);
  const started = performance.now();
  await trainer.step(batches, training.learningRate);
  return (performance.now() - started) / 1000;
}

/** One row, then half, then the whole longest micro-batch; what does not fit by the straight line through the first two is not run. */
async function measureMemory(
  trainer: EngineTrainer,
  task: TrainTask,
  longest: RowBatches,
  ceiling: number,
): Promise<MemoryModel & { measured: boolean; longestSeconds: number; firstSeconds: number }> {
  const { training } = task;
  const rows = Math.min(longest.size, Math.ceil(training.batchSize / training.accumulationSteps));
  const firstSeconds = await timed(trainer, firstStep(longest, task, 1, 1), training);
  const fixed = peakBytes();
  const half = Math.max(1, rows >> 1);
  const halfSeconds = await timed(trainer, firstStep(longest, task, half, 1), training);
  const perRow = half > 1 ? Math.max(0, peakBytes() - fixed) / (half - 1) : 0;
  const expected = fixed + perRow * (rows - 1);
  const whole = { fixed, perRow, firstSeconds };
  if (!fits(expected, ceiling))
    return { ...whole, measured: false, peak: expected, longestSeconds: (halfSeconds * training.batchSize) / half };
  const batches = firstStep(longest, task, Math.min(training.batchSize, longest.size), training.accumulationSteps);
  await timed(trainer, batches, training);
  const longestSeconds = await timed(trainer, batches, training);
  const peak = peakBytes();
  return {
    firstSeconds,
    fixed,
    perRow: rows > 1 ? Math.max(perRow, (peak - fixed) / (rows - 1)) : perRow,
    measured: true,
    peak,
    longestSeconds,
  };
}

async function measureTypical(
  trainer: EngineTrainer,
  task: TrainTask,
  sample: RowBatches,
  breathe: () => Promise<void>,
): Promise<{ seconds: number[]; tokens: number }> {
  const { training } = task;
  const source = new TrainingBatches(sample, {
    batchSize: training.batchSize,
    accumulationSteps: training.accumulationSteps,
    shuffle: true,
    seed: training.seed,
  });
  const seconds: number[] = [];
  let tokens = 0;
  const began = performance.now();
  for (
    let step = 0;
    step < typicalSteps && (step < 2 || (performance.now() - began) / 1000 < typicalSecondsAtMost);
    step += 1
  ) {
    const batches = source.batches(step);
    seconds.push(await timed(trainer, batches, training));
    tokens += batches.reduce((sum, batch) => sum + tokensOf(batch), 0);
    await breathe();
  }
  return { seconds, tokens };
}

/**
 * Seconds that a forward pass takes: a row, above what the run keeps of frozen layers, and a byte that it keeps, computed in batches as
 * the run does. The longest batch runs too, for its memory.
 */
async function measureForward(
  trainer: EngineTrainer,
  longest: RowBatches,
  sample: RowBatches,
): Promise<{ perRow: number; keepingPerByte: number }> {
  for (const { batch } of evaluationBatches(longest, evaluationBatchSize)) {
    await trainer.evaluate(batch);
    break;
  }
  const keptBefore = trainer.keptBytes ?? 0;
  let [rows, keeping, above] = [0, 0, 0];
  const order = evaluationOrder(sample, evaluationBatchSize);
  // Those of short rows among the first, as time may run out.
  for (const at of shuffledOrder(order.length, 1, 0)) {
    const places = order[at] as Int32Array;
    const batch = sample.batch(places);
    const started = performance.now();
    await trainer.keep?.(batch);
    const between = performance.now();
    await trainer.evaluate(batch);
    rows += places.length;
    keeping += (between - started) / 1000;
    above += (performance.now() - between) / 1000;
    if (keeping + above > 1) break;
  }
  const kept = (trainer.keptBytes ?? 0) - keptBefore;
  return { perRow: above / Math.max(1, rows), keepingPerByte: kept === 0 ? 0 : keeping / kept };
}

function longestOf(rows: RowBatches): number {
  let tokens = 0;
  for (let row = 0; row < rows.size; row += 1) tokens = Math.max(tokens, rows.length(row));
  return tokens;
}

/** Low and high seconds a step: two standard errors around the mean, at least a tenth either way for what a probe cannot see. */
export function rangeOf(seconds: readonly number[]): [low: number, high: number] {
  const mean = seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
  const variance =
    seconds.length > 1 ? seconds.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (seconds.length - 1) : 0;
  const spread = Math.max(0.1 * mean, 2 * Math.sqrt(variance / seconds.length));
  return [Math.max(0, mean - spread), mean + spread];
}
