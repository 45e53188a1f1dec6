/** Whether a run computes what lies frozen below its training once a text, and the pass over all texts that does so before the first step. */
import { freemem } from 'node:os';
import { evaluationBatches, type RowBatches } from '../data/index.js';
import type { EngineTrainer, FrozenPart } from '../engine/index.js';
import type { StageSpan } from './course.js';
import { evaluationBatchSize } from './evaluate.js';
import type { Reporter } from './reporter.js';
import type { JobContext } from './server.js';
import type { Prepared } from './setup.js';

/** A pass over all texts pays from the second epoch on. */
const EPOCHS = 2;
/** Of the memory that is free. */
const SHARE = 0.25;

type Splits = Pick<Prepared, 'train' | 'validation'>;
const batchesOf = ({ train, validation }: Splits): RowBatches[] =>
  [train, validation].flatMap((split) => (split === null ? [] : [split.batches]));

interface Epochs {
  readonly batches: { readonly stepsPerEpoch: number };
}

/** Does a pass over all texts pay? */
export const comesAgain = ({ batches }: Epochs, { from, to }: Pick<StageSpan, 'from' | 'to'>): boolean =>
  to - from >= EPOCHS * batches.stepsPerEpoch;

/** Bytes that `part` gives for so many texts of so many tokens together; 0 where they do not fit. */
export function bytesOfTexts(part: FrozenPart, texts: number, tokens: number, free = freemem()): number {
  const bytes = 4 * (part.perText ? texts : tokens) * part.rowFloats;
  return bytes <= SHARE * free ? bytes : 0;
}

/** Bytes to keep what `part` gives for all training and validation texts; 0 where it does not pay or does not fit. */
export function bytesToKeep(
  part: FrozenPart | null,
  prepared: Splits & Epochs,
  span: Pick<StageSpan, 'from' | 'to'>,
  free = freemem(),
): number {
  if (part === null || !comesAgain(prepared, span)) return 0;
  let [texts, tokens] = [0, 0];
  for (const { size, length } of batchesOf(prepared)) {
    texts += size;
    for (let row = 0; row < size; row++) tokens += length(row);
  }
  return bytesOfTexts(part, texts, tokens, free);
}

/** Computes it for all of them. Resolves with the seconds that took. @throws StudioError 'cancelled'; whatever the engine throws */
export async function keepFrozen(
  trainer: EngineTrainer,
  layers: number,
  prepared: Splits,
  reporter: Reporter,
  { breathe, pauseRequested }: Pick<JobContext, 'breathe' | 'pauseRequested'>,
): Promise<number> {
  const started = performance.now();
  const all = batchesOf(prepared);
  const total = all.reduce((sum, { size }) => sum + size, 0);
  reporter.log(
    'plan',
    `Nothing trains or drops in the first ${layers} layers, so what they give is computed once, for ${total.toLocaleString('en')} texts.`,
  );
  let done = 0;
  for (const rows of all)
    for (const { batch } of evaluationBatches(rows, evaluationBatchSize)) {
      await breathe();
      // What is left is computed when a step comes to it.
      if (pauseRequested()) return (performance.now() - started) / 1000;
      await trainer.keep?.(batch);
      done += batch.size;
      await reporter.phase('preparing', done, total);
    }
  const seconds = (performance.now() - started) / 1000;
  reporter.log(
    'note',
    `Kept for all steps: ${Math.round((trainer.keptBytes ?? 0) / 1e6)} MB, computed in ${seconds.toFixed(1)} s.`,
  );
  return seconds;
}
