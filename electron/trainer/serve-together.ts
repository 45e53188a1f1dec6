/** Several runs on one copy of their base: what rows for all of them in one batch cost beside each run by itself. */
import { firstRows } from './dataset.js';
import type { EngineDoor } from './engine-door.js';
import { evaluationBatchSize } from './evaluate.js';
import { residentBytes } from './memory.js';
import type { RowAnswer } from './answering.js';
import { answer, PredictorCache, type OpenPredictor } from './predictors.js';
import { compared } from './prove-export.js';
import type { JobOf, ResultOf, SplitRow } from './protocol.js';
import type { JobContext } from './server.js';
import { inTurns } from './turns.js';

/** @throws StudioError `bad-data` for a split without rows */
export async function serveTogether(
  { models, rowsFile, limit }: JobOf<'serve-together'>,
  context: JobContext,
  engine: EngineDoor,
): Promise<ResultOf<'serve-together'>> {
  const rows = await firstRows(rowsFile, limit, 'to answer');
  const breathe = () => context.breathe();
  const cache = new PredictorCache(engine, models.length);
  try {
    const open: OpenPredictor[] = [];
    const openMilliseconds: number[] = [];
    let one = 0;
    for (const served of models) {
      const begun = performance.now();
      open.push(await cache.get(served));
      openMilliseconds.push(performance.now() - begun);
      await breathe();
      // The first batch makes the session's buffers: what follows is what a served run costs.
      const [last] = open.slice(-1);
      if (last) await answer(last, rows.slice(0, evaluationBatchSize), breathe);
      if (open.length === 1) one = residentBytes();
    }
    const all = residentBytes();
    const alone: number[] = [];
    const answers: RowAnswer[][] = [];
    for (const [index, model] of open.entries()) {
      await context.emit({
        type: 'progress',
        done: index,
        total: open.length + 1,
        message: `Run ${index + 1} by itself`,
      });
      const begun = performance.now();
      answers.push(await answer(model, rows, breathe));
      alone.push((performance.now() - begun) / rows.length);
    }
    await context.emit({ type: 'progress', done: open.length, total: open.length + 1, message: 'All together' });
    const mixed = await answerMixed(open, rows, breathe);
    const time = await inTurns(
      [() => answerApart(open, rows, breathe), () => answerMixed(open, rows, breathe)],
      rows.length,
    );
    // Row i was for run i mod n.
    const own = rows.flatMap((_, row) => answers[row % open.length]?.[row] ?? []);
    const { largestDifference, sameLabels } = compared(own, mixed);
    return {
      type: 'serve-together',
      rows: rows.length,
      alone,
      time,
      largestDifference,
      sameLabels,
      openMilliseconds: openMilliseconds.slice(1),
      memoryBytes: { one, all },
    };
  } finally {
    await cache.dispose();
  }
}

/** Run by run, each its own rows in batches as full as they come. */
async function answerApart(
  open: readonly OpenPredictor[],
  rows: readonly SplitRow[],
  breathe: () => Promise<void>,
): Promise<void> {
  for (const [index, model] of open.entries()) {
    const own = rows.filter((_, place) => place % open.length === index);
    if (own.length > 0) await answer(model, own, breathe);
  }
}

/** Batch by batch; of each, the rows of one run go through together. */
async function answerMixed(
  open: readonly OpenPredictor[],
  rows: readonly SplitRow[],
  breathe: () => Promise<void>,
): Promise<RowAnswer[]> {
  const mixed: RowAnswer[] = [];
  for (let from = 0; from < rows.length; from += evaluationBatchSize) {
    const batch = rows.slice(from, from + evaluationBatchSize);
    for (const [index, model] of open.entries()) {
      const places = [...batch.keys()].filter((place) => (from + place) % open.length === index);
      if (places.length === 0) continue;
      const given = await answer(
        model,
        places.flatMap((place) => batch[place] ?? []),
        breathe,
      );
      places.forEach((place, at) => {
        const one = given[at];
        if (one) mixed[from + place] = one;
      });
    }
  }
  return mixed;
}
