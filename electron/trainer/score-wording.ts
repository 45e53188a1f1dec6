/** What a wording is worth, typed in as text: its scores on a split. */
import { classesIn } from '../contract/learned.js';
import { encodeRows } from '../data/index.js';
import { scoresFromLogits } from '../evaluation/index.js';
import { readSplit } from './dataset.js';
import { logitsOf } from './evaluate.js';
import type { PredictorCache } from './predictors.js';
import type { JobOf, ResultOf } from './protocol.js';
import type { JobContext } from './server.js';

/** @throws StudioError `bad-data` for a split that cannot be read */
export function scoreWording(
  { model, rowsFile }: JobOf<'score-wording'>,
  { breathe }: JobContext,
  cache: PredictorCache,
): Promise<ResultOf<'score-wording'>> {
  return cache.use(model, false, async ({ predictor, reading, tokenizer }) => {
    const { labels, wording = '' } = classesIn(model.objective, model.key);
    const encoded = await encodeRows(readSplit(rowsFile), reading.encoder, { labels, maxLength: model.maxLength });
    const padding = { padId: tokenizer.padId, reading: reading.reading };
    const logits = await logitsOf(predictor, encoded, labels.length, padding, breathe);
    return {
      type: 'score-wording',
      scores: scoresFromLogits(logits, encoded.labels, labels.length),
      rows: encoded.size,
      tokens: (await tokenizer.ids(wording, false)).length,
    };
  });
}
