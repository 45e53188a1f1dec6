/**
 * Pretrains the starter model by masked language modelling, with the studio's own engine:
 * `npm run make-starter -- [--minutes 45 | --steps N] [--seed 1] [--threads N] [--publish 15] [--fresh]`.
 * A run that was cut off goes on from its last checkpoint.
 */
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import {
  createTrainer,
  openModel,
  readSafetensors,
  writeSafetensors,
  type EngineTrainer,
  type NamedTensors,
} from '../../engine/index.js';
import { config, untrainedWeights } from './architecture.js';
import { writeCard } from './card.js';
import { factorize, positiveMutualInformation } from './cooccurrence.js';
import { say, starterFolder, workFolder } from './files.js';
import { maskedBatch, TokenStream } from './packing.js';
import { tokenizeCorpus, type TokenizedCorpus } from './tokens.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '45' },
    steps: { type: 'string' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string' },
    publish: { type: 'string', default: '15' },
    fresh: { type: 'boolean', default: false },
  },
});
const number = z.coerce.number().positive();
const options = {
  seconds: 60 * number.parse(values.minutes),
  steps: number.optional().parse(values.steps) ?? null,
  seed: number.parse(values.seed),
  threads: number.optional().parse(values.threads),
  publishSeconds: 60 * number.parse(values.publish),
};

const recipe = { learningRate: 1e-3, warmup: 0.04, weightDecay: 0.01, gradientClip: 1, tokensPerStep: 1024 } as const;
/** Share of the run from which on sequences have this length: short ones are cheaper, the last ones train the later positions. */
const stages = [
  { from: 0, length: 64 },
  { from: 0.7, length: 128 },
  { from: 0.9, length: 256 },
] as const;
const checkpointFile = join(workFolder, 'checkpoint.safetensors');
const checkpointSeconds = 300;
const evaluationSteps = 500;
const reportSeconds = 20;

const stateSchema = z.object({
  step: z.number(),
  seconds: z.number(),
  tokens: z.number(),
  epoch: z.number(),
  token: z.number(),
  seed: z.number(),
  published: z.number(),
  heldOut: z.array(z.object({ step: z.number(), loss: z.number() })),
});
export type State = z.infer<typeof stateSchema>;

/** Done share of the run, 0 to 1. */
const progressOf = (state: State) =>
  Math.min(1, options.steps === null ? state.seconds / options.seconds : state.step / options.steps);
const rateAt = (progress: number) =>
  recipe.learningRate * Math.min(progress / recipe.warmup, (1 - progress) / (1 - recipe.warmup));
const lengthAt = (progress: number) => stages.findLast(({ from }) => progress >= from)?.length ?? stages[0].length;

/** Length of a word's embedding at the start: twice that of a position's, whose values are N(0, 0.02). */
const wordNorm = 2 * config.initializer_range * Math.sqrt(config.hidden_size);

/** The model before training, as a folder; kept for a run that goes on. */
async function untrainedFolder(corpus: TokenizedCorpus): Promise<{ folder: string; weights: NamedTensors }> {
  const folder = join(workFolder, 'untrained');
  const file = join(folder, 'model.safetensors');
  await mkdir(folder, { recursive: true });
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt'])
    await copyFile(join(starterFolder, name), join(folder, name));
  const kept = values.fresh ? null : await readSafetensors(file).catch(() => null);
  if (kept !== null && kept.metadata.seed === String(options.seed)) return { folder, weights: kept.tensors };
  say('start values of the word embeddings from co-occurrence …');
  const information = positiveMutualInformation(corpus.train, config.vocab_size, corpus.ids.first);
  const weights = untrainedWeights(options.seed, factorize(information, config.hidden_size, wordNorm, options.seed));
  await writeSafetensors(file, weights, { format: 'pt', seed: String(options.seed) });
  return { folder, weights };
}

/** The model as float16 with all its tensors, those that masked LM does not train as they began. */
async function publish(trainer: EngineTrainer, untrained: NamedTensors): Promise<void> {
  const trained = trainer.parameters();
  const unknown = [...trained.keys()].filter((name) => !untrained.has(name));
  if (unknown.length > 0)
    throw new Error(`The engine trains ${unknown.join(', ')}, which the model's file does not have.`);
  await writeSafetensors(
    join(starterFolder, 'model.safetensors'),
    Array.from(untrained, ([name, { shape, data }]) => ({
      name,
      shape,
      dtype: 'F16' as const,
      data: trained.get(name)?.data ?? data,
    })),
    { format: 'pt' },
  );
}

/** Mean loss over masked tokens of documents that training never sees; the same masks each time. */
async function heldOutLoss(trainer: EngineTrainer, corpus: TokenizedCorpus, batches: number): Promise<number> {
  const stream = new TokenStream(corpus.heldOut, corpus.ids.sep, 0);
  const [size, length] = [16, 64];
  let [place, lossSum, weightSum] = [{ epoch: 0, token: 0 }, 0, 0];
  for (let i = 0; i < batches; i += 1) {
    const { rows, next } = stream.take(place, size, length - 2);
    if (next.epoch > 0) break;
    place = next;
    const loss = await trainer.evaluate(maskedBatch(rows, size, corpus.ids, config.vocab_size, 0, i));
    lossSum += loss.lossSum;
    weightSum += loss.weightSum;
  }
  return lossSum / weightSum;
}

async function start(trainer: EngineTrainer): Promise<State> {
  if (values.fresh) await rm(checkpointFile, { force: true });
  const saved = await readSafetensors(checkpointFile).catch(() => null);
  if (saved === null)
    return { step: 0, seconds: 0, tokens: 0, epoch: 0, token: 0, seed: options.seed, published: 0, heldOut: [] };
  const state = stateSchema.parse(JSON.parse(saved.metadata.state ?? 'null'));
  if (state.seed !== options.seed)
    throw new Error(
      `The checkpoint has seed ${state.seed}; pass --seed ${state.seed} to go on, or --fresh to begin anew.`,
    );
  trainer.loadState(saved.tensors);
  say(`going on from step ${state.step} after ${Math.round(state.seconds)} s of training`);
  return state;
}

async function main(): Promise<void> {
  await mkdir(workFolder, { recursive: true });
  const corpus = await tokenizeCorpus();
  const { folder, weights } = await untrainedFolder(corpus);
  const trainer = await createTrainer({
    model: await openModel(folder),
    method: { type: 'full' },
    objective: { type: 'masked-lm' },
    optimizer: { type: 'adamw', weightDecay: recipe.weightDecay, gradientClip: recipe.gradientClip },
    modelDropout: 0,
    seed: options.seed,
    device: 'cpu',
    threads: options.threads,
  });
  const stream = new TokenStream(corpus.train, corpus.ids.sep, options.seed);
  let state = await start(trainer);
  let saved = state.seconds;
  let [recentLoss, recentSteps, reported] = [0, 0, state.seconds];
  const save = async () => {
    await writeSafetensors(checkpointFile, trainer.saveState(), { state: JSON.stringify(state) });
    saved = state.seconds;
  };
  const measure = async (batches: number) => {
    const loss = await heldOutLoss(trainer, corpus, batches);
    state = {
      ...state,
      heldOut: [...state.heldOut.filter(({ step }) => step !== state.step), { step: state.step, loss }],
    };
    return loss;
  };

  while (progressOf(state) < 1) {
    const progress = progressOf(state);
    const length = lengthAt(progress);
    const size = recipe.tokensPerStep / length;
    const began = performance.now();
    const { rows, next } = stream.take(state, size, length - 2);
    const { loss } = await trainer.step(
      [maskedBatch(rows, size, corpus.ids, config.vocab_size, options.seed, state.step)],
      rateAt(progress),
    );
    if (!Number.isFinite(loss)) throw new Error(`The loss is no longer a number at step ${state.step}.`);
    state = {
      ...state,
      ...next,
      step: state.step + 1,
      seconds: state.seconds + (performance.now() - began) / 1000,
      tokens: state.tokens + size * length,
    };
    [recentLoss, recentSteps] = [recentLoss + loss, recentSteps + 1];
    if (state.seconds - reported >= reportSeconds) {
      say(
        `step ${state.step} (${(100 * progressOf(state)).toFixed(1)} %): loss ${(recentLoss / recentSteps).toFixed(3)}, ${Math.round(state.tokens / state.seconds)} tokens/s, length ${length}`,
      );
      [recentLoss, recentSteps, reported] = [0, 0, state.seconds];
    }
    if (state.step % evaluationSteps === 0) say(`step ${state.step}: held-out loss ${(await measure(12)).toFixed(3)}`);
    if (state.seconds - saved >= checkpointSeconds) await save();
    if (state.seconds - state.published >= options.publishSeconds) {
      state = { ...state, published: state.seconds };
      await publish(trainer, weights);
      say(`step ${state.step}: model published so far`);
    }
  }
  const final = await measure(Number.MAX_SAFE_INTEGER);
  await save();
  await publish(trainer, weights);
  await writeCard({
    state,
    corpus: corpus.tokens,
    recipe,
    stages,
    heldOutLoss: final,
    parameters: [...weights.values()].reduce((sum, { data }) => sum + data.length, 0),
  });
  await trainer.dispose();
  say(`done: ${state.step} steps, ${state.tokens} tokens, held-out loss ${final.toFixed(3)}`);
}

await main();
