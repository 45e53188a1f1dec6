/** The words nearest to the virtual tokens of a run. */
import type { Handlers } from '../contract/calls.js';
import { positionsOf } from '../engine/index.js';
import { runs } from '../storage/index.js';
import { baseFolderOf } from './bases.js';
import { runFolder, type Context } from './context.js';
import { requireFinished, type AnswerProcess } from './served.js';

export function virtualWordsCalls(context: Context, answers: AnswerProcess): Pick<Handlers, 'runs.virtualWords'> {
  return {
    'runs.virtualWords': async ({ id, count }) => {
      const run = await runs.getRun(context.database, id);
      requireFinished(run);
      if (positionsOf(run.plan.method) === 0) return { tokens: null };
      const job = {
        type: 'virtual-words',
        modelFolder: await baseFolderOf(context, run),
        runFolder: runFolder(context.home, id),
        count,
      } as const;
      const { tokens } = await answers.get().start<'virtual-words'>(job).result;
      return { tokens };
    },
  };
}
