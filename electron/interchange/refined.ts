/** A base model with finished runs in place: what a further round stands on, and the copy that goes along with its adapter. */
import { copyFile, cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  mergedConfig,
  refinedTensors,
  writeSafetensors,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
} from '../engine/index.js';
import { copyTokenizer, writeJson } from './files.js';
import { ownKeys } from './merged.js';

/** Inside an adapter's folder: the model that it stands on, where that is not the base model alone. */
const baseName = 'base';

/**
 * Writes the model that a further round stands on, float32, with the tokenizer. `keepsHead`: see `refinedTensors`.
 * @throws EngineError `bad-input` for a method that does not merge
 */
export async function writeRefinedBase(
  {
    model,
    method,
    parameters,
    keepsHead,
  }: {
    readonly model: BaseModelInfo;
    readonly method: MethodSpec;
    readonly parameters: NamedTensors;
    readonly keepsHead: boolean;
  },
  folder: string,
): Promise<void> {
  const tensors = refinedTensors(model, method, parameters, keepsHead);
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  await writeJson(join(folder, 'config.json'), {
    ...ownKeys({ ...model, config: { ...model.config, ...mergedConfig(model, method) } }),
    dtype: 'float32',
  });
  await copyTokenizer(model.folder, folder);
  const generation = join(model.folder, 'generation_config.json');
  if (await isThere(generation)) await copyFile(generation, join(folder, 'generation_config.json'));
}

/** Puts the model that an adapter stands on beside it, and says so in its README. `after`: the run in whose place it lies, "run 12". */
export async function addBase(folder: string, from: string, after: string): Promise<void> {
  await cp(from, join(folder, baseName), { recursive: true });
  const path = join(folder, 'README.md');
  const card = await readFile(path, 'utf8');
  await writeFile(
    path,
    `${card.replaceAll('BASE FOLDER', `THIS FOLDER/${baseName}`)}
This adapter was trained on the result of an earlier round (${after}), not on the base model alone: that model lies in \`${baseName}\`. On any other it is wrong.
`,
  );
}

/** The model that an adapter's folder brings along; null where it stands on a base model as it is. */
export async function baseIn(folder: string): Promise<string | null> {
  const own = join(folder, baseName);
  return (await isThere(join(own, 'config.json'))) ? own : null;
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
