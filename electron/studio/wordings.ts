/** A finished search's wording, edited and scored again. */
import type { Handlers } from '../contract/calls.js';
import { StudioError } from '../contract/errors.js';
import { datasets, runs } from '../storage/index.js';
import { classesIn } from '../contract/learned.js';
import type { Context } from './context.js';
import { materialize } from './datasets.js';
import { requireFinished, servedRun, type AnswerProcess } from './served.js';

export function wordingCalls(context: Context, answers: AnswerProcess): Pick<Handlers, 'runs.scoreWording'> {
  return {
    'runs.scoreWording': async ({ id, wording }) => {
      const run = await runs.getRun(context.database, id);
      requireFinished(run);
      if (run.result?.wording === undefined)
        throw new StudioError(
          'bad-input',
          `Run ${id} did not search for a wording.`,
          'Choose a run of prompt wording.',
        );
      const { validation } = await materialize(context, await datasets.getDataset(context.database, run.datasetId));
      if (validation === null)
        throw new StudioError(
          'bad-data',
          'The data set has no validation rows to score a wording on.',
          'Import the data with a validation split; the test rows are read once only.',
        );
      const served = await servedRun(context, run);
      const model = { ...served, objective: { ...classesIn(served.objective, served.key), wording } };
      const { scores, rows, tokens } = await answers
        .get()
        .start<'score-wording'>({ type: 'score-wording', model, rowsFile: validation }).result;
      return { scores, rows, tokens };
    },
  };
}
