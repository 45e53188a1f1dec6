/**
 * Folders as AdapterHub's library (adapters 1.x) writes and reads them: adapter and head, each with its config. What is a method's
 * own (its configuration, names of its tensors) stands in the method's file.
 * Weights are written twice: as PyTorch's .bin, which its loader takes by default, and as safetensors, which is what this program reads.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import {
  adapterHubFormats,
  architectureOf,
  describeHead,
  planParameters,
  readerOf,
  readSafetensors,
  validateMethod,
  writeSafetensors,
  type BaseModelInfo,
  type HubContext,
  type NamedTensors,
} from '../engine/index.js';
import { adapterHubCard } from './cards.js';
import { namesIn, readJson, writeJson } from './files.js';
import { checkTensors, inFile } from './fit.js';
import { writePytorchBin } from './pytorch-bin.js';
import { splitHead } from './targets.js';
import type { ExportSource, LoadedFolder } from './types.js';

const files = {
  adapter: 'adapter.safetensors',
  adapterBin: 'pytorch_adapter.bin',
  adapterConfig: 'adapter_config.json',
  head: 'model_head.safetensors',
  headBin: 'pytorch_model_head.bin',
  headConfig: 'head_config.json',
} as const;
const version = 'adapters.1.3.0';
/** The name the engine gives the adapter; another one in a file is replaced by it. */
const adapterName = 'task';
/** What holds a named adapter's tensors, in the library's names. */
const holders = ['adapters', 'shared_parameters', 'prefix_tunings', 'prefix_gates', 'loras'];
/** Numbers that the library takes for floats only (it refuses a scaling of 1). */
const floats = ['scaling', 'dropout', 'stochastic_depth'];

const titles = () =>
  adapterHubFormats()
    .map(({ title }) => title)
    .join(', ');

/** Writes an adapter's run. @throws StudioError `bad-input` for a method that the library does not have */
export async function exportAdapterHub(
  { model, method, labels, verbalizer, parameters, maxLength }: ExportSource,
  folder: string,
): Promise<void> {
  if (labels === null)
    throw new StudioError(
      'bad-input',
      "AdapterHub's folders here hold classifiers; this run learned to write text.",
      "Export it as a peft adapter, merged, or in the studio's own format.",
    );
  if (verbalizer)
    throw new StudioError(
      'bad-input',
      "AdapterHub's folders hold an adapter with its head; a run with a verbalizer has none.",
      "Export it in the studio's own format.",
    );
  const found = adapterHubFormats().find(({ type }) => type === method.type);
  if (!found)
    throw new StudioError(
      'bad-input',
      `AdapterHub's format does not hold "${method.type}"; it holds ${titles()}.`,
      'Choose another format.',
      { method: method.type },
    );
  const { format, title } = found;
  const options = validateMethod(
    readerOf({ model, method, objective: { type: 'classification', labels } }, parameters),
  );
  const { adapter, head } = splitHead(model, parameters);
  const tensors = format.tensors?.toFile(adapter, options, contextOf(model)) ?? adapter;
  const { classifierClass } = describeHead(model);
  const about = {
    hidden_size: model.hiddenSize,
    model_class: classifierClass,
    model_name: model.folder,
    model_type: model.architecture,
    version,
  };
  await mkdir(folder, { recursive: true });
  await writeJson(
    join(folder, files.adapterConfig),
    { config: format.write(options, model), name: adapterName, ...about },
    floats,
  );
  await writeJson(join(folder, files.headConfig), {
    config: null,
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
    name: null,
    num_labels: labels.length,
    ...about,
  });
  await writeSafetensors(join(folder, files.adapter), tensors, { format: 'pt' });
  await writeSafetensors(join(folder, files.head), head, { format: 'pt' });
  await writePytorchBin(join(folder, files.adapterBin), tensors);
  await writePytorchBin(join(folder, files.headBin), head);
  await writeFile(
    join(folder, 'README.md'),
    adapterHubCard({ model, labels, maxLength, classifierClass, method: title, note: format.note ?? null }),
  );
}

const contextOf = (model: BaseModelInfo): HubContext => ({ model, architecture: architectureOf(model.architecture) });

const adapterSchema = z.looseObject({
  config: z.record(z.string(), z.unknown()),
  name: z.string(),
  model_type: z.string(),
});
const headSchema = z.looseObject({ label2id: z.record(z.string(), z.int()).nullish() });

/** Is this a folder that AdapterHub's library wrote? */
export const isAdapterHubFolder = (names: ReadonlySet<string>, config: unknown): boolean =>
  names.has(files.adapterConfig) && adapterSchema.omit({ name: true }).safeParse(config).success;

/**
 * Reads adapter and head against their base.
 * @throws StudioError `bad-file` for pickled weights only, another architecture, and options that this program does not compute
 */
export async function readAdapterHub(folder: string, model: BaseModelInfo): Promise<LoadedFolder> {
  const configPath = join(folder, files.adapterConfig);
  const { config, name, model_type: modelType } = await readJson(configPath, adapterSchema);
  if (modelType !== model.architecture)
    throw new StudioError(
      'bad-file',
      `${configPath}: the adapter is for ${modelType}, the base model is ${model.architecture}.`,
      'Choose the base model that the adapter was trained on.',
      { file: configPath },
    );
  const found = adapterHubFormats().find(({ format }) => format.recognizes(config));
  if (!found)
    throw new StudioError(
      'bad-file',
      `${configPath}: this kind of adapter (${String(config['architecture'] ?? 'bottleneck')}) is not supported; ${titles()} are.`,
      'Choose an adapter of one of these kinds.',
      { file: configPath, field: 'config' },
    );
  const { config: method } = await readJson(configPath, z.looseObject({ config: found.format.config }));
  const names = await namesIn(folder);
  if (!names.has(files.adapter)) {
    const path = join(folder, names.has(files.adapterBin) ? files.adapterBin : files.adapter);
    throw new StudioError(
      'bad-file',
      names.has(files.adapterBin)
        ? `${path}: the folder holds pickled weights only.`
        : `${path}: there is no such file.`,
      'Pickled weights are never opened. Save the adapter with model.save_adapter(folder, name, use_safetensors=True).',
      { file: path },
    );
  }
  const { tensors } = await readSafetensors(join(folder, files.adapter));
  const renamed: NamedTensors = new Map(
    [...tensors].map(([key, tensor]) => [
      holders.reduce((text, holder) => text.replace(`.${holder}.${name}.`, `.${holder}.${adapterName}.`), key),
      tensor,
    ]),
  );
  const path = join(folder, files.adapter);
  const own = inFile(path, () => found.format.tensors?.fromFile(renamed, method, contextOf(model)) ?? renamed);
  const objective = { type: 'classification', labels: ['a', 'b'] } as const;
  const plan = inFile(configPath, () => planParameters({ model, method, objective, steps: 0 }));
  checkTensors(
    path,
    own,
    plan.filter(({ part }) => part === 'added'),
    method,
  );
  const parameters = new Map(own);
  if (names.has(files.head))
    for (const [key, tensor] of (await readSafetensors(join(folder, files.head))).tensors) parameters.set(key, tensor);
  const labels = names.has(files.headConfig)
    ? (await readJson(join(folder, files.headConfig), headSchema)).label2id
    : null;
  return {
    kind: 'adapterhub',
    parameters,
    labels: labels
      ? Object.entries(labels)
          .sort(([, a], [, b]) => a - b)
          .map(([label]) => label)
      : null,
    method,
  };
}
