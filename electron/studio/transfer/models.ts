/** Base models by their weights: a model's name may differ, its weights may not. */
import { StudioError } from '../../contract/errors.js';
import { models } from '../../storage/index.js';
import type { Context } from '../context.js';
import { weightHashes } from './format.js';

/**
 * The base models here that hold these weights, by the weights' hash.
 * @param nameOf what a model is called where the runs come from
 * @throws StudioError 'not-found' for a model that is not here
 */
export async function modelsByWeights(
  context: Pick<Context, 'database'>,
  wanted: Iterable<string>,
  nameOf: (weights: string) => string,
): Promise<Map<string, number>> {
  const known = await models.listModels(context.database);
  const hashOf = weightHashes();
  const found = new Map<string, number>();
  for (const weights of wanted) {
    if (found.has(weights)) continue;
    const model = nameOf(weights);
    // The one of that name first: it is most likely the one, and hashing takes time.
    for (const candidate of [...known].sort((a, b) => Number(b.name === model) - Number(a.name === model))) {
      // A folder that is gone or cannot be read is none of them.
      if ((await hashOf(candidate).catch(() => null)) !== weights) continue;
      found.set(weights, candidate.id);
      break;
    }
    if (!found.has(weights)) {
      const other = known.some(({ name }) => name === model) ? ' The model of that name here has other weights.' : '';
      throw new StudioError(
        'not-found',
        `What is to come in stands on the base model "${model}", which is not here.${other}`,
        "Add that model's folder, then try again.",
        { model },
      );
    }
  }
  return found;
}
