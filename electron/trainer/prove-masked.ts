/** Proof of a masked language model's export: the losses and guesses of masked tokens in real texts. */
import { encodeMasked, evaluationBatches, openTokenizer } from '../data/index.js';
import { createPredictor } from '../engine/index.js';
import { firstRows } from './dataset.js';
import { largestOf } from './difference.js';
import type { EngineDoor } from './engine-door.js';
import { guessesOf } from './learnings/masked-lm.js';
import type { JobOf, ResultOf, ServedModel, SplitRow } from './protocol.js';
import { liveLanguage, reloadLanguage, type Writer } from './prove-language.js';
import type { JobContext } from './server.js';

const rowsAtOnce = 8;
/** transformers' own shares: the proof needs some masks, not the run's. */
const masking = { mlmProbability: 0.15, maskReplaceProb: 0.8, randomReplaceProb: 0.1 };

/** @throws StudioError `bad-data` for a split without rows; `bad-file` for an export that cannot be read back */
export async function proveMasked(
  job: JobOf<'prove-export'>,
  context: JobContext,
  engine: EngineDoor,
): Promise<ResultOf<'prove-export'>> {
  const rows = await firstRows(job.rowsFile, job.limit, 'to prove the export with');
  const { model: served } = job;
  await context.emit({ type: 'progress', done: 0, total: 2, message: 'Running the live run' });
  const first = await guessed(await liveLanguage(served, engine), served, rows, context);
  await context.emit({ type: 'progress', done: 1, total: 2, message: 'Running the reloaded export' });
  await context.breathe();
  const second = await guessed(await reloadLanguage(job), served, rows, context);
  const lossesOf = (guesses: typeof first) => guesses.map(({ loss }) => loss);
  const largestDifference = largestOf(lossesOf(first), lossesOf(second));
  const sameLabels = first.every(({ correct }, at) => correct === second[at]?.correct);
  return { type: 'prove-export', rows: rows.length, largestDifference, sameLabels };
}

async function guessed(
  { model, method, parameters }: Writer,
  served: ServedModel,
  rows: readonly SplitRow[],
  context: JobContext,
) {
  const tokenizer = await openTokenizer(model.folder, model);
  const texts = (await encodeMasked(rows, tokenizer, { maxLength: served.maxLength, ...masking })).heldOut();
  const predictor = await createPredictor({
    model,
    method,
    parameters,
    objective: { type: 'masked-lm' },
    seed: served.seed,
    device: served.device,
    ...(served.threads === null ? {} : { threads: served.threads }),
  });
  try {
    const all: { readonly loss: number; readonly correct: boolean }[] = [];
    for (const { batch } of evaluationBatches(texts, rowsAtOnce)) {
      all.push(...guessesOf(batch, (await predictor.evaluate(batch)).logits));
      await context.breathe();
    }
    return all;
  } finally {
    await predictor.dispose();
  }
}
