/**
 * The test of a run that left it out: read with the parameters that it kept, which are those of its best validation. Or another
 * task's test rows, with what the run made of its base.
 */
import { StudioError } from '../contract/errors.js';
import { withoutOwnHead } from './base-parameters.js';
import type { BaseOpener } from './bases.js';
import { openSplit } from './dataset.js';
import type { BaseModelInfo, NamedTensors } from '../engine/index.js';
import { isHead } from '../interchange/index.js';
import type { EngineDoor } from './engine-door.js';
import { testPace } from './pace.js';
import type { Learning } from './learning.js';
import { trainedParameters } from './predictors.js';
import type { JobOf, ResultOf } from './protocol.js';
import type { JobContext } from './server.js';
import { openTask } from './setup.js';

/** @throws StudioError `bad-data` without test rows, `not-found` where the run kept nothing, `cancelled` */
export async function test(
  { wording, ...job }: JobOf<'test'>,
  context: JobContext,
  engine: EngineDoor,
  open?: BaseOpener,
): Promise<ResultOf<'test'>> {
  const { task } = job;
  if (task.data.test === null)
    throw new StudioError('bad-data', 'There are no test rows to read.', 'Import the data with a test split.');
  const { model, learning } = await openTask(task, engine, open);
  // A wording is tested as the text that it is; nothing else was kept.
  const read = wording === null ? learning : ((await learning.typed?.(wording)) ?? learning);
  const parameters = wording === null ? await parametersOf(job, model, read) : new Map();
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
  const tell = testPace(split.size, context.emit);
  try {
    const scores = await split.test({
      trainer: predictor,
      engine,
      model,
      parameters,
      file: split.file,
      between: async (...done) => {
        await context.breathe();
        await tell(...done);
      },
      emit: context.emit,
    });
    return { type: 'test', scores };
  } finally {
    await predictor.dispose();
  }
}

async function parametersOf(
  { task, runFolder, head, headFolder }: Omit<JobOf<'test'>, 'wording'>,
  model: BaseModelInfo,
  { objective }: Pick<Learning, 'objective'>,
): Promise<NamedTensors> {
  const own = runFolder === null ? new Map() : await trainedParameters(runFolder);
  if (head === 'own') return own;
  const other = headFolder === null ? new Map() : await trainedParameters(headFolder);
  return new Map([
    ...withoutOwnHead(own, model, task.method, objective),
    ...[...other].filter(([name]) => isHead(model, name)),
  ]);
}
