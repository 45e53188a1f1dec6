/**
 * The studio's own adapter folder, for every method: adapter.json (method, labels, the base it stands on) and
 * adapter.safetensors (everything trained or added, by the engine's names).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import { fullVerbalizerSchema } from '../contract/verbalizer.js';
import {
  describeMethod,
  planParameters,
  readerOf,
  readSafetensors,
  validateMethod,
  writeSafetensors,
  type BaseModelInfo,
} from '../engine/index.js';
import { studioCard } from './cards.js';
import { namesIn, readJson, writeJson } from './files.js';
import { checkTensors, inFile } from './fit.js';
import { hashWeights } from './hash.js';
import { objectiveOf, type ExportSource, type LoadedFolder } from './types.js';

const files = { settings: 'adapter.json', weights: 'adapter.safetensors', wording: 'prompt.txt' } as const;

const settingsSchema = z.strictObject({
  format: z.literal('peft-studio', 'this is not an adapter of PEFT Studio'),
  version: z.literal(1, 'only version 1 is known here; a newer PEFT Studio may read it'),
  method: z.looseObject({ type: z.string() }),
  /** Null of a language model, of a regression and of one that marks answers. */
  labels: z.array(z.string()).min(1).nullable(),
  /** What its head marks in a text; left out: it has none that does. */
  marks: z.enum(['token-classification', 'question-answering']).optional(),
  /** What a head of texts is for; left out: one label a text. */
  problem: z.enum(['regression', 'multi-label']).optional(),
  /** The prompt and the label words that it answers by; left out: by a head. */
  verbalizer: fullVerbalizerSchema.optional(),
  /** What stands for {prompt} in its template. */
  wording: z.string().min(1).optional(),
  /** Tokens a row was cut to. */
  maxLength: z.int().positive(),
  base: z.strictObject({
    name: z.string(),
    architecture: z.string(),
    layers: z.int(),
    hiddenSize: z.int(),
    /** SHA-256 over its weight files. */
    weights: z.string(),
  }),
});

/** Writes a run of any method. @throws EngineError `bad-input` for parameters that are not the method's */
export async function exportStudio({ parameters, maxLength, ...source }: ExportSource, folder: string): Promise<void> {
  const { model, method, labels, marks, problem, verbalizer, wording } = source;
  const objective = objectiveOf(model, source);
  const reader = validateMethod(readerOf({ model, method, objective }, parameters));
  const settings: z.input<typeof settingsSchema> = {
    format: 'peft-studio',
    version: 1,
    method: reader,
    labels: labels && [...labels],
    ...(marks ? { marks } : {}),
    ...(problem ? { problem } : {}),
    ...(verbalizer ? { verbalizer } : {}),
    ...(wording === undefined ? {} : { wording }),
    maxLength,
    base: {
      name: basename(model.folder),
      architecture: model.architecture,
      layers: model.layers,
      hiddenSize: model.hiddenSize,
      weights: await hashWeights(model.folder),
    },
  };
  await mkdir(folder, { recursive: true });
  await writeJson(join(folder, files.settings), settings);
  await writeSafetensors(join(folder, files.weights), parameters, { format: 'pt' });
  if (wording !== undefined) await writeFile(join(folder, files.wording), `${wording}\n`);
  await writeFile(
    join(folder, 'README.md'),
    studioCard({ ...source, wording, maxLength, setting: describeMethod(reader) }),
  );
}

/** Is this a folder of the studio's own? */
export const isStudioFolder = (names: ReadonlySet<string>): boolean => names.has(files.settings);

/**
 * Reads an adapter of the studio against its base.
 * @throws StudioError `bad-file` for another base, settings that this program does not know, and tensors that do not fit
 */
export async function readStudio(folder: string, model: BaseModelInfo): Promise<LoadedFolder> {
  const settingsPath = join(folder, files.settings);
  const settings = await readJson(settingsPath, settingsSchema);
  const { method: spec, labels, marks = null, problem = null, verbalizer, wording, base } = settings;
  if ((await hashWeights(model.folder)) !== base.weights)
    throw new StudioError(
      'bad-file',
      `${settingsPath}: the adapter stands on other weights than ${basename(model.folder)} (${model.architecture}, ${model.layers} layers) has.`,
      `Choose the base model that it was trained on: ${base.name} (${base.architecture}, ${base.layers} layers, width ${base.hiddenSize}).`,
      { file: settingsPath, base: base.name },
    );
  const path = join(folder, files.weights);
  if (!(await namesIn(folder)).has(files.weights))
    throw new StudioError('bad-file', `${path}: there is no such file.`, 'Take the folder again from where it came.', {
      file: path,
    });
  const { tensors: parameters } = await readSafetensors(path);
  const method = inFile(settingsPath, () => validateMethod(spec));
  const objective = objectiveOf(model, { labels, marks, problem, verbalizer: verbalizer ?? null });
  const plan = inFile(settingsPath, () => planParameters({ model, method, objective, steps: 0 }));
  checkTensors(
    path,
    parameters,
    plan.filter(({ trainable, part }) => trainable || part === 'added'),
    method,
  );
  return {
    kind: 'studio',
    method,
    labels,
    problem,
    ...(verbalizer ? { verbalizer } : {}),
    ...(wording ? { wording } : {}),
    parameters,
  };
}
