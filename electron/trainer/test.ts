/** The test of a run that left it out: read with the parameters that it kept, which are those of its best validation. */
import { StudioError } from '../contract/errors.js';
import { openSplit } from './dataset.js';
import type { EngineDoor } from './engine-door.js';
import { trainedParameters } from './predictors.js';
import type { JobOf, ResultOf } from './protocol.js';
import type { JobContext } from './server.js';
import { openTask } from './setup.js';

/** @throws StudioError `bad-data` without test rows, `not-found` where the run kept nothing, `cancelled` */
export async function test(
  { task, runFolder, wording }: JobOf<'test'>,
  context: JobContext,
  engine: EngineDoor,
): Promise<ResultOf<'test'>> {
  if (task.data.test === null)
    throw new StudioError('bad-data', 'There are no test rows to read.', 'Import the data with a test split.');
  const { model, learning } = await openTask(task, engine);
  // A wording is tested as the text that it is; nothing else was kept.
  const read = wording === null ? learning : ((await learning.typed?.(wording)) ?? learning);
  const parameters = wording === null ? await trainedParameters(runFolder) : new Map();
  const split = await openSplit(task.data.test, read, context.breathe);
  const predictor = await engine.createPredictor({
    model,
    method: task.method,
    objective: read.objective,
    parameters,
    seed: task.training.seed,
    device: task.device,
    ...(task.threads === null ? {} : { threads: task.threads }),
  });
  try {
    const scores = await split.test({
      trainer: predictor,
      engine,
      model,
      parameters,
      file: split.file,
      between: async (done) => {
        await context.breathe();
        await context.emit({ type: 'phase', phase: 'testing', done, total: split.size });
      },
      emit: context.emit,
    });
    return { type: 'test', scores };
  } finally {
    await predictor.dispose();
  }
}
