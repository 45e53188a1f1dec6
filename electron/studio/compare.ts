/** Comparisons of finished runs on the same test rows. */
import type { Handlers } from '../contract/calls.js';
import { StudioError } from '../contract/errors.js';
import { objectiveTable, taskTable } from '../contract/objectives.js';
import { buildComparison, type RunWithRows } from '../evaluation/index.js';
import { datasets, metrics, models, runs } from '../storage/index.js';
import type { Context } from './context.js';

export function compareCalls({ database }: Context): Pick<Handlers, 'compare.runs'> {
  return {
    'compare.runs': async ({ projectId, datasetId, modelId, runIds, measure: asked, zone }) => {
      const [dataset, model] = await Promise.all([
        datasets.getDataset(database, datasetId),
        models.getModel(database, modelId),
      ]);
      const chosen = (await runs.listRuns(database, projectId)).filter(
        (run) =>
          run.state === 'finished' &&
          run.datasetId === datasetId &&
          run.modelId === modelId &&
          (runIds === null || runIds.includes(run.id)),
      );
      const objective = chosen[0]?.plan.objective ?? taskTable[dataset.task].objective;
      const { measures } = objectiveTable[objective];
      const measure = asked ?? measures[0];
      if (!measures.includes(measure))
        throw new StudioError(
          'bad-input',
          `measure: ${measure} is not measured on ${dataset.name}.`,
          `Use one of: ${measures.join(', ')}.`,
          { path: 'measure' },
        );
      const withRows: RunWithRows[] = [];
      for (const run of chosen.filter(({ plan }) => plan.objective === objective))
        withRows.push({ run, rows: await metrics.readOutcomes(database, run.id, objective) });
      return buildComparison(withRows, { dataset: dataset.name, model: model.name, objective, measure, zone });
    },
  };
}
