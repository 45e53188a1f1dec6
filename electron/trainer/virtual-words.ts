/** What a soft prompt says: the words of the vocabulary nearest to each virtual token of a finished run. */
import { openTokenizer } from '../data/index.js';
import { nearestWords, openModel } from '../engine/index.js';
import { trainedParameters } from './predictors.js';
import type { JobOf, ResultOf } from './protocol.js';

/** @throws StudioError `not-found` if the run has no trained parameters */
export async function virtualWords({
  modelFolder,
  runFolder,
  count,
}: JobOf<'virtual-words'>): Promise<ResultOf<'virtual-words'>> {
  const model = await openModel(modelFolder);
  const nearest = await nearestWords(model, await trainedParameters(runFolder), count);
  if (nearest === null) return { type: 'virtual-words', tokens: null };
  const tokenizer = await openTokenizer(modelFolder, model);
  const words = (of: (typeof nearest)[number]) =>
    Promise.all(of.map(async ({ id, similarity }) => ({ word: await tokenizer.word(id), similarity })));
  return { type: 'virtual-words', tokens: await Promise.all(nearest.map(words)) };
}
