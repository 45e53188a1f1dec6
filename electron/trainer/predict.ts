/** The playground: some texts, several models side by side. */
import type { PredictorCache } from './predictors.js';
import { answer } from './predictors.js';
import { toProblem } from './problems.js';
import type { JobOf, ResultOf } from './protocol.js';
import type { JobContext } from './server.js';

/** Every model answers every row; one that fails says why and does not keep the others from answering. */
export async function predict(
  job: JobOf<'predict'>,
  context: JobContext,
  cache: PredictorCache,
): Promise<ResultOf<'predict'>> {
  const models: ResultOf<'predict'>['models'] = [];
  for (const served of job.models) {
    await context.breathe();
    try {
      models.push(
        await cache.use(served, job.keep, async (open) => {
          const started = performance.now();
          const rows = await answer(open, job.rows, context.breathe);
          return { key: served.key, milliseconds: performance.now() - started, rows, problem: null };
        }),
      );
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'cancelled') throw error;
      models.push({ key: served.key, milliseconds: 0, rows: [], problem });
    }
  }
  return { type: 'predict', models };
}
