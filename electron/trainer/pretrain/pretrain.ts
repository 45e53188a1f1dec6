/** A new encoder from text files: vocabulary, random weights, training, and a Hugging Face folder in the end. */
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../../contract/errors.js';
import { pretrainingSchema, type Pretraining } from '../../contract/pretraining.js';
import {
  CharacterCounts,
  learnWordPiece,
  maskedIdsOf,
  openTokenizer,
  specialTokens,
  writeWordPiece,
} from '../../data/index.js';
import { readSafetensors, writeSafetensors, type BaseModelInfo, type EngineTrainer } from '../../engine/index.js';
import type { EngineDoor } from '../engine-door.js';
import type { JobOf, ResultOf } from '../protocol.js';
import type { JobContext } from '../server.js';
import { bertConfig, untrainedWeights } from './architecture.js';
import { pretrainedCard } from './card.js';
import { factorize, positiveMutualInformation } from './cooccurrence.js';
import { Collected, tokenize } from './documents.js';
import { pretrain as runLoop, recipe, stagesUpTo } from './loop.js';
import { textDocuments } from './texts.js';

const files = {
  settings: 'pretraining.json',
  corpus: 'corpus.txt',
  weights: 'model.safetensors',
  checkpoint: 'checkpoint.safetensors',
} as const;
/** Characters that stand less often are unknown to the model. */
const rarest = 5;
/** Words' start values come from a table of this many squared numbers. */
const mostCounted = 8000;
const checkpointSeconds = 60;

const begunSchema = z.object({ settings: pretrainingSchema, texts: z.string(), vocabularySize: z.number() });

/**
 * Makes a model of `job.texts` in `job.workFolder`, which is a whole model folder in the end. Called again with the same settings and
 * texts it goes on from its last checkpoint.
 * @throws StudioError `conflict` where the folder was begun with others, `bad-data` for too little text, `cancelled`
 */
export async function pretrainFromText(
  { texts, workFolder: folder, settings, threads }: JobOf<'pretrain'>,
  context: JobContext,
  engine: EngineDoor,
): Promise<ResultOf<'pretrain'>> {
  const say = async (message: string, done = 0, total: number | null = null) => {
    await context.emit({ type: 'progress', done, total, message });
    await context.breathe();
  };
  await mkdir(folder, { recursive: true });
  const vocabularySize = await prepareFolder(folder, texts, settings, say);
  await say('Reading the text as tokens');
  const tokenizer = await openTokenizer(folder, { vocabularySize, architecture: 'bert' });
  const [train, heldOut] = [new Collected(), new Collected()];
  await tokenize(textDocuments(texts), tokenizer, { train, heldOut });
  const documents = { train: train.documents(), heldOut: heldOut.documents() };
  const special = maskedIdsOf(tokenizer);
  const ids = { ...special, words: { from: specialTokens.length, to: vocabularySize - 1 } };

  const weightsFile = join(folder, files.weights);
  const config = configOf(settings, vocabularySize);
  if (!(await isThere(weightsFile))) {
    await say('Start values of the weights');
    const words =
      vocabularySize <= mostCounted
        ? factorize(
            positiveMutualInformation(documents.train, vocabularySize, specialTokens.length),
            settings.hiddenSize,
            2 * config.initializer_range * Math.sqrt(settings.hiddenSize),
            settings.seed,
          )
        : undefined;
    await writeSafetensors(weightsFile, untrainedWeights(config, settings.seed, words), { format: 'pt' });
  }
  const model = await engine.openModel(folder);
  const stages = stagesUpTo(settings.maxLength);
  const totalSteps =
    settings.maxSteps ?? Math.max(1, Math.ceil((settings.epochs * train.tokens) / settings.tokensPerStep));
  const trainer = await engine.createTrainer({
    model,
    method: { type: 'full' },
    objective: { type: 'masked-lm' },
    optimizer: { type: 'adamw', weightDecay: recipe.weightDecay, gradientClip: recipe.gradientClip },
    modelDropout: 0,
    seed: settings.seed,
    device: 'cpu',
    ...(threads === null ? {} : { threads }),
  });
  try {
    const { state, heldOutLoss } = await runLoop({
      trainer,
      ...documents,
      ids,
      seed: settings.seed,
      recipe: { ...recipe, learningRate: settings.learningRate, tokensPerStep: settings.tokensPerStep },
      stages,
      progressOf: ({ step }) => step / totalSteps,
      checkpointFile: join(folder, files.checkpoint),
      checkpointSeconds,
      evaluationSteps: Math.max(50, Math.ceil(totalSteps / 20)),
      between: ({ step, heldOut: measured }, now) => {
        const last = measured.at(-1);
        return say(
          [
            now === null ? (step === 0 ? 'Training' : `Going on from step ${step}`) : `loss ${now.loss.toFixed(3)}`,
            ...(last ? [`held out ${last.loss.toFixed(3)} after ${last.step} steps`] : []),
          ].join(', '),
          step,
          totalSteps,
        );
      },
    });
    await say('Writing the model', totalSteps, totalSteps);
    const parameters = await writeModel(trainer, model, weightsFile);
    const made = {
      steps: state.step,
      tokens: state.tokens,
      seconds: state.seconds,
      parameters,
      vocabularySize,
      heldOutLoss,
    };
    const tokens = { train: train.tokens, heldOut: heldOut.tokens };
    await writeFile(join(folder, 'README.md'), pretrainedCard({ settings, made, state, stages, texts, tokens }));
    for (const name of [files.checkpoint, files.corpus, files.settings]) await rm(join(folder, name), { force: true });
    return { type: 'pretrain', ...made };
  } finally {
    await trainer.dispose();
  }
}

const configOf = (settings: Pretraining, vocabulary: number) =>
  bertConfig({
    vocabulary,
    hidden: settings.hiddenSize,
    layers: settings.layers,
    heads: settings.heads,
    intermediate: settings.intermediateSize ?? 4 * settings.hiddenSize,
    maxLength: settings.maxLength,
  });

/** Vocabulary, tokenizer and config.json, or those that stand there already; returns the vocabulary's size. */
async function prepareFolder(
  folder: string,
  texts: readonly string[],
  settings: Pretraining,
  say: (message: string) => Promise<void>,
): Promise<number> {
  const path = join(folder, files.settings);
  const hash = createHash('sha256');
  await say('Reading the text');
  const characters = new CharacterCounts(settings);
  const corpus = createWriteStream(join(folder, files.corpus));
  for await (const { text, heldOut } of textDocuments(texts)) {
    hash.update(`${text}\n`);
    characters.add(text);
    if (!heldOut && !corpus.write(`${text}\n`)) await once(corpus, 'drain');
  }
  await new Promise<void>((done, fail) => corpus.on('error', fail).end(done));
  const digest = hash.digest('hex');
  const begun = await readFile(path, 'utf8').then(
    (text) => begunSchema.parse(JSON.parse(text)),
    () => null,
  );
  if (begun !== null) {
    requireSame(folder, begun, settings, digest);
    return begun.vocabularySize;
  }
  await say('Learning the vocabulary');
  const vocabulary = learnWordPiece(
    join(folder, files.corpus),
    settings.vocabularySize,
    characters.usual(rarest),
    settings,
  );
  await writeWordPiece(folder, vocabulary, settings.maxLength, settings);
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(configOf(settings, vocabulary.length), null, 2)}\n`);
  // Last: whoever finds it finds all the rest.
  const facts: z.input<typeof begunSchema> = { settings, texts: digest, vocabularySize: vocabulary.length };
  await writeFile(`${path}.part`, JSON.stringify(facts));
  await rename(`${path}.part`, path);
  return vocabulary.length;
}

function requireSame(folder: string, begun: z.infer<typeof begunSchema>, settings: Pretraining, texts: string): void {
  const other = (Object.keys(settings) as (keyof Pretraining)[]).find((key) => begun.settings[key] !== settings[key]);
  const [what, was, now] =
    other === undefined ? ['text', 'other', 'this'] : [other, String(begun.settings[other]), String(settings[other])];
  if (other === undefined && begun.texts === texts) return;
  throw new StudioError(
    'conflict',
    `The model in ${folder} was begun with ${what} ${was}, not ${now}.`,
    'Give the same text and settings to go on, another folder, or delete that one to begin anew.',
    { folder },
  );
}

/** All tensors as trained, float32; those that masked language modelling does not train as they began. Returns how many numbers. */
async function writeModel(trainer: EngineTrainer, model: BaseModelInfo, path: string): Promise<number> {
  const { tensors } = await readSafetensors(join(model.folder, files.weights));
  await trainer.settle?.();
  const trained = trainer.parameters(true);
  const merged = new Map([...tensors].map(([name, tensor]) => [name, trained.get(name) ?? tensor]));
  await writeSafetensors(path, merged, { format: 'pt' });
  return [...merged.values()].reduce((sum, { data }) => sum + data.length, 0);
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
