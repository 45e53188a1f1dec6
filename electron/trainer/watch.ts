/** The base's own task on general text while a run learns another one: with what the run has made of the base so far. */
import type { Scores } from '../contract/entities.js';
import { searchesWording, type EngineTrainer } from '../engine/index.js';
import { withoutOwnHead } from './base-parameters.js';
import { openSplit } from './dataset.js';
import type { EngineDoor } from './engine-door.js';
import { learningOf } from './learnings/index.js';
import type { Reporter } from './reporter.js';
import { generalTraining, type TrainTask } from './protocol.js';
import type { Prepared } from './setup.js';

/** Loss a token on general text. */
export type Watched = Pick<Scores, 'loss'>;
export type Watch = (trainer: EngineTrainer) => Promise<Watched | null>;

/**
 * Reads the text once; each measurement is a forward pass over it without the run's own head, on the processor, as it is measured
 * after the run. What cannot be measured is told once and left out: the run itself has no need of it.
 */
export async function openWatch(
  task: TrainTask,
  { model, tokenizer }: Pick<Prepared, 'model' | 'tokenizer'>,
  engine: EngineDoor,
  breathe: () => Promise<void>,
  reporter: Pick<Reporter, 'log'>,
): Promise<Watch | null> {
  const { watch, method } = task;
  if (!watch) return null;
  const training = generalTraining(task.training.maxLength);
  const learning = await learningOf({ ...task, objective: { type: watch.objective }, training }, tokenizer, model);
  const split = await openSplit(watch.file, learning, breathe);
  // A head alone, and a wording, leave the base as it is.
  const changes = method.type !== 'head' && !searchesWording(method);
  const read = changes ? method : { type: 'full' };
  let [unchanged, failed]: [Watched | null, boolean] = [null, false];
  const measure = async (trainer: EngineTrainer): Promise<Watched> => {
    const parameters = changes ? withoutOwnHead(await trainer.result(), model, method, learning.objective) : new Map();
    const predictor = await engine.createPredictor({
      model,
      method: read,
      objective: learning.objective,
      parameters,
      seed: training.seed,
      device: 'cpu',
      ...(task.threads === null ? {} : { threads: task.threads }),
    });
    try {
      const { loss } = await split.measure(predictor, breathe);
      return { loss };
    } finally {
      await predictor.dispose();
    }
  };
  return async (trainer) => {
    if (failed) return null;
    if (unchanged) return unchanged;
    try {
      const watched = await measure(trainer);
      if (!changes) unchanged = watched;
      return watched;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'cancelled') throw error;
      failed = true;
      reporter.log('note', `General text is not measured: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  };
}
