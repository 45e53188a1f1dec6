/** `pretrain`: a new encoder from text. */
import { basename, resolve } from 'node:path';
import { pretrainedSchema, pretrainingSchema } from '../contract/pretraining.js';
import { StudioError } from '../contract/errors.js';
import type { Command } from './command.js';
import { megabytes, whole } from './output.js';
import { finishJob } from './session.js';

export const pretrain: Command = {
  name: 'pretrain',
  arguments: 'TEXT…',
  positionals: [1, 10_000],
  about:
    'Makes a new encoder from text files: vocabulary, random weights, masked-LM training. Ctrl-C saves; the same command goes on.',
  options: {
    out: { value: 'FOLDER', about: 'New or empty folder for the model', required: true },
    name: { value: 'NAME', about: "Name as a base model; default: the folder's" },
    layers: { value: 'N', about: 'Default 4' },
    hidden: { value: 'N', about: 'Width; default 256' },
    heads: { value: 'N', about: 'Attention heads; default 4' },
    intermediate: { value: 'N', about: 'Width of the feed-forward layers; default four times the hidden one' },
    vocabulary: { value: 'N', about: 'WordPiece tokens at most; default 8000' },
    'max-length': { value: 'TOKENS', about: 'Longest sequence; default 128' },
    cased: { about: 'Keeps capitals and accents' },
    epochs: { value: 'N', about: 'Passes over the text; default 10' },
    'max-steps': { value: 'N', about: 'Steps; overrides epochs' },
    'tokens-per-step': { value: 'N', about: 'Default 1024' },
    'learning-rate': { value: 'RATE', about: 'Default 0.001' },
    seed: { value: 'N', about: 'Default 1' },
  },
  details: () => [
    'TEXT is plain text in UTF-8; blank lines part paragraphs, and every fiftieth piece is held out to measure on.',
    'The folder is a Hugging Face BERT with a model card; it is added as a base model.',
  ],
  async run(input, session) {
    const number = (name: string, integer = true) => input.number(name, 0, 1e12, integer) ?? undefined;
    const asked = pretrainingSchema.safeParse({
      layers: number('layers'),
      hiddenSize: number('hidden'),
      heads: number('heads'),
      intermediateSize: number('intermediate'),
      vocabularySize: number('vocabulary'),
      maxLength: number('max-length'),
      lowercase: !input.has('cased'),
      epochs: number('epochs', false),
      maxSteps: number('max-steps'),
      tokensPerStep: number('tokens-per-step'),
      learningRate: number('learning-rate', false),
      seed: number('seed'),
    });
    if (!asked.success) {
      const issue = asked.error.issues[0];
      throw new StudioError(
        'bad-input',
        `${issue?.path.join('.') ?? 'settings'}: ${issue?.message ?? 'cannot be used'}.`,
        'See peft-studio pretrain --help.',
      );
    }
    const folder = resolve(input.required('out'));
    const name = input.text('name') ?? basename(folder);
    const texts = input.positionals.map((text) => resolve(text));
    let told = 0;
    const done = await finishJob(
      session,
      () => session.handlers['models.pretrain']({ texts, folder, name, settings: asked.data }),
      (event, jobId) => {
        if (event.event !== 'job' || event.data.id !== jobId || event.data.state !== 'running') return;
        const { done: step, total, message, secondsLeft } = event.data;
        // Steps are many: one line in five seconds, and each of the parts before.
        if (total !== null && Date.now() - told < 5000) return;
        told = Date.now();
        const left = secondsLeft === null ? '' : `, ${Math.ceil(secondsLeft / 60)} min left`;
        session.out.progress(total === null ? message : `step ${whole(step)} of ${whole(total)}, ${message}${left}`);
      },
    );
    const made = pretrainedSchema.loose().parse(done.result);
    const { bytes } = (await session.handlers['models.list']({})).find((model) => model.folder === folder) ?? {
      bytes: 0,
    };
    session.out.event(
      { event: 'pretrained', name, folder, ...pretrainedSchema.parse(made) },
      `${name}: ${whole(made.parameters)} parameters (${megabytes(bytes)}), ${whole(made.vocabularySize)} tokens in its vocabulary; ${whole(made.steps)} steps; held-out loss ${made.heldOutLoss.toFixed(3)}, perplexity ${Math.exp(made.heldOutLoss).toFixed(1)}. It is added as a base model.`,
    );
    return 0;
  },
};
