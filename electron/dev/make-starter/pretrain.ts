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
import { specialTokens } from '../../data/index.js';
import { untrainedWeights } from '../../trainer/pretrain/architecture.js';
import { factorize, positiveMutualInformation } from '../../trainer/pretrain/cooccurrence.js';
import { pretrain, recipe, stagesUpTo, type State } from '../../trainer/pretrain/loop.js';
import { config } from './architecture.js';
import { writeCard } from './card.js';
import { say, starterFolder, workFolder } from './files.js';
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

const stages = stagesUpTo(config.max_position_embeddings);
const checkpointFile = join(workFolder, 'checkpoint.safetensors');
const reportSeconds = 20;

/** Done share of the run, 0 to 1. */
const progressOf = (state: State) =>
  Math.min(1, options.steps === null ? state.seconds / options.seconds : state.step / options.steps);

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
  const information = positiveMutualInformation(corpus.train, config.vocab_size, specialTokens.length);
  const weights = untrainedWeights(
    config,
    options.seed,
    factorize(information, config.hidden_size, wordNorm, options.seed),
  );
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

async function main(): Promise<void> {
  await mkdir(workFolder, { recursive: true });
  if (values.fresh) await rm(checkpointFile, { force: true });
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
  let [recentLoss, recentSteps, reported, published] = [0, 0, 0, 0];
  const { state, heldOutLoss } = await pretrain({
    trainer,
    train: corpus.train,
    heldOut: corpus.heldOut,
    ids: corpus.ids,
    seed: options.seed,
    recipe,
    stages,
    progressOf,
    checkpointFile,
    checkpointSeconds: 300,
    evaluationSteps: 500,
    between: async (now, step) => {
      if (step === null) {
        [reported, published] = [now.seconds, now.seconds];
        if (now.step > 0) say(`going on from step ${now.step} after ${Math.round(now.seconds)} s of training`);
        return;
      }
      [recentLoss, recentSteps] = [recentLoss + step.loss, recentSteps + 1];
      if (now.seconds - reported >= reportSeconds) {
        const share = (100 * progressOf(now)).toFixed(1);
        say(
          `step ${now.step} (${share} %): loss ${(recentLoss / recentSteps).toFixed(3)}, held out ${now.heldOut.at(-1)?.loss.toFixed(3) ?? 'not yet'}, ${Math.round(now.tokens / now.seconds)} tokens/s, length ${step.length}`,
        );
        [recentLoss, recentSteps, reported] = [0, 0, now.seconds];
      }
      if (now.seconds - published < options.publishSeconds) return;
      published = now.seconds;
      await publish(trainer, weights);
      say(`step ${now.step}: model published so far`);
    },
  });
  await publish(trainer, weights);
  await writeCard({
    state,
    corpus: corpus.tokens,
    recipe,
    stages,
    heldOutLoss,
    parameters: [...weights.values()].reduce((sum, { data }) => sum + data.length, 0),
  });
  await trainer.dispose();
  say(`done: ${state.step} steps, ${state.tokens} tokens, held-out loss ${heldOutLoss.toFixed(3)}`);
}

await main();
