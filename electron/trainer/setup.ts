/** From a task to what training and probing both need: model, tokenizer, encoded splits, batches, the engine's trainer. */
import { createHash } from 'node:crypto';
import { TrainingBatches, type TextTokenizer } from '../data/index.js';
import { positionsOf, type BaseModelInfo, type NamedTensors, type TrainerOptions } from '../engine/index.js';
import { StudioError } from '../contract/errors.js';
import { openBase, type BaseOpener } from './bases.js';
import { courseOf, type Course } from './course.js';
import { openDrawn, openSplit, type OpenSplit } from './dataset.js';
import type { EngineDoor } from './engine-door.js';
import type { Learning } from './learning.js';
import { learningOf } from './learnings/index.js';
import type { TrainTask } from './protocol.js';

export interface Prepared {
  readonly model: BaseModelInfo;
  readonly tokenizer: TextTokenizer;
  readonly learning: Learning;
  readonly train: OpenSplit;
  readonly validation: OpenSplit | null;
  readonly test: OpenSplit | null;
  readonly batches: TrainingBatches;
  readonly course: Course;
  /** SHA-256 over plan and data: equal for equal work. */
  readonly fingerprint: string;
}

/** What a task stands on. @throws StudioError `bad-input` for a maximum length above the model's */
export async function openTask(
  task: TrainTask,
  engine: EngineDoor,
  open: BaseOpener = openBase,
): Promise<Pick<Prepared, 'model' | 'tokenizer' | 'learning'>> {
  const { training } = task;
  const { model, tokenizer } = await open(task.modelFolder, engine);
  const virtual = positionsOf(task.method);
  const limit = model.maxLength - virtual;
  if (training.maxLength > limit) {
    throw new StudioError(
      'bad-input',
      `training.maxLength is ${training.maxLength}, but ${task.modelFolder} takes at most ${model.maxLength} tokens${virtual > 0 ? `, ${virtual} of them virtual ones` : ''}.`,
      `Set training.maxLength to ${limit} or less.`,
      { field: 'training.maxLength', limit },
    );
  }
  return { model, tokenizer, learning: await learningOf(task, tokenizer, model) };
}

/**
 * Reads model and data of a task; the engine is not built yet.
 * @throws StudioError `bad-data` for an empty split, `bad-input` for a maximum length above the model's
 */
export async function prepare(
  task: TrainTask,
  engine: EngineDoor,
  breathe: () => Promise<void>,
  openOn: BaseOpener = openBase,
): Promise<Prepared> {
  const { training } = task;
  const { model, tokenizer, learning } = await openTask(task, engine, openOn);
  const open = (file: string) => openSplit(file, learning, breathe);
  const { examplesPerClass, seed } = training;
  const train =
    examplesPerClass === null
      ? await open(task.data.train)
      : await openDrawn(task.data.train, learning, breathe, { count: examplesPerClass, seed });
  if (train.batches.size === 0)
    throw new StudioError(
      'bad-data',
      ['The training split is empty.', ...train.notes].join(' '),
      train.notes.length === 0 ? 'Give the data set training rows.' : 'Raise training.maxLength.',
      { file: task.data.train },
    );
  const validation = await optional(task.data.validation, open);
  const test = await optional(task.readTest === false ? null : task.data.test, open);
  const batches = new TrainingBatches(train.batches, {
    batchSize: training.batchSize,
    accumulationSteps: training.accumulationSteps,
    shuffle: training.shuffle,
    seed: training.seed,
  });
  // Two do not change the result, one only where it is set; checkpoints of versions that had none of them go on.
  const { packWeights: _packed, gradientCheckpointing: _anew, loadIn8bit, ...rest } = training;
  const result = loadIn8bit ? { ...rest, loadIn8bit } : rest;
  const hash = createHash('sha256').update(
    JSON.stringify([
      result,
      task.method,
      task.objective,
      model.architecture,
      model.totalParameters,
      train.contentHash,
      validation?.contentHash ?? null,
    ]),
  );
  return {
    model,
    tokenizer,
    learning,
    train,
    validation,
    test,
    batches,
    course: courseOf(engine.stagesOf(task.method, model), train.batches.size, training),
    fingerprint: hash.digest('hex'),
  };
}

/** An empty split is no split: there is nothing to measure on it. */
async function optional(file: string | null, open: (file: string) => Promise<OpenSplit>): Promise<OpenSplit | null> {
  if (file === null) return null;
  const split = await open(file);
  return split.size === 0 ? null : split;
}

/**
 * What the engine's trainer is built by, for a task or for one stage of it.
 * @param at which of the method's stages (null for all that any stage trains), the steps of the whole run, and start values:
 * what they leave out starts as the base and the method say
 */
export function trainerOptions(
  task: TrainTask,
  model: BaseModelInfo,
  tokenizer: TextTokenizer,
  { objective, door }: Pick<Learning, 'objective' | 'door'>,
  { stage, steps, parameters }: { stage: number | null; steps: number; parameters: NamedTensors },
): TrainerOptions {
  const { training, method } = task;
  return {
    model,
    method,
    ...(stage === null ? {} : { stage }),
    objective,
    optimizer: { type: training.optimizer, weightDecay: training.weightDecay, gradientClip: training.gradientClip },
    modelDropout: training.modelDropout,
    packWeights: training.packWeights,
    loadIn8bit: training.loadIn8bit,
    gradientCheckpointing: training.gradientCheckpointing,
    seed: training.seed,
    device: task.device,
    steps,
    ...(task.threads === null ? {} : { threads: task.threads }),
    initial: parameters,
    tokenize: (text, special) => tokenizer.ids(text, special),
    ...(door ? { wording: door } : {}),
  };
}
