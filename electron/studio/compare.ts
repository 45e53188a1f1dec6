/** Comparisons of finished runs on the same test rows. */
import type { Handlers } from '../contract/calls.js';
import type { Measure, Task } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { buildComparison, type TestRows } from '../evaluation/index.js';
import { datasets, metrics, models, runs, type Database } from '../storage/index.js';
import type { Context } from './context.js';

/** What a task is measured by; by the first where nothing else is asked for. */
export const measuresOf: { readonly [T in Task]: readonly [Measure, ...Measure[]] } = {
  classification: ['macroF1', 'accuracy'],
  generation: ['perplexity', 'exactMatch'],
};

/** What a run made of the test rows; null where it has none. */
export async function rowsOf(database: Database, runId: number, task: Task): Promise<TestRows | null> {
  if (task === 'classification') {
    const predictions = await metrics.readPredictions(database, runId);
    return predictions && { kind: 'classes', ...predictions };
  }
  const losses = await metrics.readLosses(database, runId);
  return {
    kind: 'losses',
    rowIds: losses.map(({ id }) => id),
    sums: losses.map(({ loss }) => loss),
    tokens: losses.map(({ tokens }) => tokens),
    exact: losses.map(({ exact }) => (exact === null ? Number.NaN : Number(exact))),
  };
}

export function compareCalls({ database }: Context): Pick<Handlers, 'compare.runs'> {
  return {
    'compare.runs': async ({ projectId, datasetId, modelId, runIds, measure: asked, zone }) => {
      const [dataset, model] = await Promise.all([
        datasets.getDataset(database, datasetId),
        models.getModel(database, modelId),
      ]);
      const measures = measuresOf[dataset.task];
      const measure = asked ?? measures[0];
      if (!measures.includes(measure))
        throw new StudioError(
          'bad-input',
          `measure: ${measure} is not measured on ${dataset.name}.`,
          `Use one of: ${measures.join(', ')}.`,
          { path: 'measure' },
        );
      const chosen = (await runs.listRuns(database, projectId)).filter(
        (run) =>
          run.state === 'finished' &&
          run.datasetId === datasetId &&
          run.modelId === modelId &&
          (runIds === null || runIds.includes(run.id)),
      );
      const withRows = [];
      for (const run of chosen) withRows.push({ run, rows: await rowsOf(database, run.id, dataset.task) });
      return buildComparison(withRows, { dataset: dataset.name, model: model.name, measure, zone });
    },
  };
}
