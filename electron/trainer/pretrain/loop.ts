/**
 * Masked language modelling from nothing: steps over one stream of text, longer sequences towards the end, checkpoints. What a step
 * reads and masks depends on seed and step alone, so that a training that was cut off goes on to the same numbers.
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';
import { StudioError } from '../../contract/errors.js';
import { maskedBatch, type MaskedIds } from '../../data/index.js';
import { streamSeed } from '../../data/random.js';
import type { Batch, EngineTrainer } from '../../engine/index.js';
import { readHashed, writeHashed } from '../checkpoint.js';
import { TokenStream, type TokenizedDocuments } from './stream.js';

export interface Recipe {
  readonly learningRate: number;
  /** Share of the steps in which the rate rises; it then falls to 0. */
  readonly warmup: number;
  readonly weightDecay: number;
  readonly gradientClip: number;
  readonly tokensPerStep: number;
}
export const recipe: Recipe = {
  learningRate: 1e-3,
  warmup: 0.04,
  weightDecay: 0.01,
  gradientClip: 1,
  tokensPerStep: 1024,
};

export interface Stage {
  /** Share of the training from which on sequences have this length. */
  readonly from: number;
  readonly length: number;
}
/** Short sequences are cheaper, the last ones train the later positions. */
export function stagesUpTo(maxLength: number): readonly Stage[] {
  const all = [
    { from: 0, length: Math.min(64, maxLength) },
    { from: 0.7, length: Math.min(128, maxLength) },
    { from: 0.9, length: maxLength },
  ];
  return all.filter(({ length }, at) => at === 0 || length > (all[at - 1]?.length ?? 0));
}

export const masking = { mlmProbability: 0.15, maskReplaceProb: 0.8, randomReplaceProb: 0.1 } as const;

const stateSchema = z.object({
  step: z.number(),
  /** Of training alone. */
  seconds: z.number(),
  tokens: z.number(),
  epoch: z.number(),
  token: z.number(),
  seed: z.number(),
  heldOut: z.array(z.object({ step: z.number(), loss: z.number() })),
});
export type State = z.infer<typeof stateSchema>;

export interface PretrainingLoop {
  readonly trainer: EngineTrainer;
  readonly train: TokenizedDocuments;
  readonly heldOut: TokenizedDocuments;
  readonly ids: MaskedIds;
  readonly seed: number;
  readonly recipe: Recipe;
  readonly stages: readonly Stage[];
  /** Done share of the training, 0 to 1. */
  progressOf(state: State): number;
  readonly checkpointFile: string;
  readonly checkpointSeconds: number;
  /** Steps between measurements of a part of the held-out text. */
  readonly evaluationSteps: number;
  /** After each step and at the start; throws to end the training, whose checkpoint is then written. */
  between(state: State, step: { readonly loss: number; readonly length: number } | null): Promise<void>;
}

/** Mean loss over masked tokens of text that training never sees, in nats; the same masks each time. */
export async function heldOutLoss(
  trainer: EngineTrainer,
  { tokens }: TokenizedDocuments,
  ids: MaskedIds,
  maxLength: number,
  batches: number,
): Promise<number> {
  const room = Math.min(64, maxLength) - 2;
  const rows = Array.from({ length: Math.ceil(tokens.length / room) }, (_, row) =>
    Int32Array.from(tokens.subarray(row * room, (row + 1) * room)),
  );
  let [lossSum, weightSum] = [0, 0];
  for (let at = 0; at < rows.length && at < batches * 16; at += 16) {
    const generator = xoroshiro128plus(streamSeed(0, at));
    const loss = await trainer.evaluate(maskedBatch(rows.slice(at, at + 16), ids, masking, () => generator));
    lossSum += loss.lossSum;
    weightSum += loss.weightSum;
  }
  return lossSum / weightSum;
}

function batchOf(rows: Uint16Array, size: number, ids: MaskedIds, seed: number, step: number): Batch {
  const inner = rows.length / size;
  const generator = xoroshiro128plus(streamSeed(seed, step));
  const own = Array.from({ length: size }, (_, row) => Int32Array.from(rows.subarray(row * inner, (row + 1) * inner)));
  return maskedBatch(own, ids, masking, () => generator);
}

/**
 * Trains until `progressOf` says 1, from the checkpoint where one stands, and measures all that is held out.
 * @throws StudioError `diverged`; `conflict` for a checkpoint of another seed; whatever `between` throws
 */
export async function pretrain(
  parts: PretrainingLoop,
): Promise<{ readonly state: State; readonly heldOutLoss: number }> {
  const { trainer, ids, seed, recipe: by, stages, progressOf, checkpointFile } = parts;
  const stream = new TokenStream(parts.train, ids.sep, seed);
  let state = await startState(parts);
  let saved = state.seconds;
  const save = async () => {
    await trainer.settle?.();
    await writeHashed(checkpointFile, trainer.saveState(true), { state: JSON.stringify(state) });
    saved = state.seconds;
  };
  const maxLength = stages.at(-1)?.length ?? 64;
  const measure = async (batches: number) => {
    const loss = await heldOutLoss(trainer, parts.heldOut, ids, maxLength, batches);
    const others = state.heldOut.filter(({ step }) => step !== state.step);
    state = { ...state, heldOut: [...others, { step: state.step, loss }] };
    return loss;
  };
  try {
    await parts.between(state, null);
    while (progressOf(state) < 1) {
      const progress = progressOf(state);
      const length = stages.findLast(({ from }) => progress >= from)?.length ?? maxLength;
      const size = Math.max(1, Math.floor(by.tokensPerStep / length));
      const began = performance.now();
      const { rows, next } = stream.take(state, size, length - 2);
      const rate = by.learningRate * Math.min(progress / by.warmup, (1 - progress) / (1 - by.warmup));
      const { loss } = await trainer.step([batchOf(rows, size, ids, seed, state.step)], rate);
      if (!Number.isFinite(loss))
        throw new StudioError(
          'diverged',
          `The loss of step ${state.step + 1} is no longer a finite number.`,
          'Use a lower learning rate: a third is a good first try.',
        );
      const seconds = state.seconds + (performance.now() - began) / 1000;
      state = { ...state, ...next, step: state.step + 1, seconds, tokens: state.tokens + size * length };
      if (state.step % parts.evaluationSteps === 0) await measure(12);
      if (state.seconds - saved >= parts.checkpointSeconds) await save();
      await parts.between(state, { loss, length });
    }
  } catch (error) {
    // What was done so far is there for whoever goes on, but not numbers that are none.
    if (!(error instanceof StudioError && error.code === 'diverged') && state.seconds > saved) await save();
    throw error;
  }
  const final = await measure(Number.MAX_SAFE_INTEGER);
  await save();
  return { state, heldOutLoss: final };
}

async function startState({ trainer, checkpointFile, seed }: PretrainingLoop): Promise<State> {
  const checkpoint = await readHashed(checkpointFile).catch(() => null);
  if (checkpoint === null) return { step: 0, seconds: 0, tokens: 0, epoch: 0, token: 0, seed, heldOut: [] };
  const state = stateSchema.parse(JSON.parse(checkpoint.metadata['state'] ?? 'null'));
  if (state.seed !== seed)
    throw new StudioError(
      'conflict',
      `The checkpoint has seed ${state.seed}, not ${seed}.`,
      `Give seed ${state.seed} to go on, or delete ${checkpointFile} to begin anew.`,
    );
  await trainer.loadState(checkpoint.tensors);
  return state;
}
