/** Comparisons of finished runs on the same test rows. */
import type { Handlers } from '../contract/calls.js';
import { buildComparison } from '../evaluation/index.js';
import { datasets, metrics, models, runs } from '../storage/index.js';
import type { Context } from './context.js';

export function compareCalls({ database }: Context): Pick<Handlers, 'compare.runs'> {
  return {
    'compare.runs': async ({ projectId, datasetId, modelId, runIds, measure, zone }) => {
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
      const withPredictions = [];
      for (const run of chosen)
        withPredictions.push({ run, predictions: await metrics.readPredictions(database, run.id) });
      return buildComparison(withPredictions, { dataset: dataset.name, model: model.name, measure, zone });
    },
  };
}
