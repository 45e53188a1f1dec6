/**
 * What folders of AdapterHub's library (adapters 1.x) are made of: adapter and head, each with its config. What is a method's own
 * (its configuration, names of its tensors) stands in the method's file.
 * Weights are written twice: as PyTorch's .bin, which its loader takes by default, and as safetensors, which is what this program reads.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import {
  adapterHubFormats,
  architectureOf,
  describeHead,
  planParameters,
  readSafetensors,
  validateMethod,
  writeSafetensors,
  type BaseModelInfo,
  type HubContext,
  type NamedTensors,
} from '../engine/index.js';
import { namesIn, readJson, writeJson } from './files.js';
import { checkTensors, inFile } from './fit.js';
import { writePytorchBin } from './pytorch-bin.js';
import { outputsOf, problemOf, problemTypes, type ExportSource, type LoadedFolder } from './types.js';

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

/** What every configuration of the library says of the base. */
export const aboutBase = (model: BaseModelInfo) => ({
  hidden_size: model.hiddenSize,
  model_class: describeHead(model).classifierClass,
  model_name: model.folder,
  model_type: model.architecture,
  version,
});

/** Weights as PyTorch's and as safetensors. */
export async function writeHubWeights(folder: string, safe: string, bin: string, tensors: NamedTensors): Promise<void> {
  await writeSafetensors(join(folder, safe), tensors, { format: 'pt' });
  await writePytorchBin(join(folder, bin), tensors);
}

/** Writes an adapter without a head under a name. @throws StudioError `bad-input` for a method that the library does not have */
export async function writeHubAdapter(
  { model, method, parameters }: Pick<ExportSource, 'model' | 'method' | 'parameters'>,
  folder: string,
  name = adapterName,
): Promise<{ readonly title: string; readonly note?: string }> {
  const found = adapterHubFormats().find(({ type }) => type === method.type);
  if (!found)
    throw new StudioError(
      'bad-input',
      `AdapterHub's format does not hold "${method.type}"; it holds ${titles()}.`,
      'Choose another format.',
      { method: method.type },
    );
  const { format, title } = found;
  const options = validateMethod(method);
  const tensors = format.tensors?.toFile(parameters, options, contextOf(model)) ?? parameters;
  await mkdir(folder, { recursive: true });
  await writeJson(
    join(folder, files.adapterConfig),
    { config: format.write(options, model), name, ...aboutBase(model) },
    floats,
  );
  await writeHubWeights(folder, files.adapter, files.adapterBin, renamed(tensors, adapterName, name));
  return { title, ...(format.note === undefined ? {} : { note: format.note }) };
}

/** Writes the head of a run that answers by one. */
export async function writeHubHead(source: ExportSource, head: NamedTensors, folder: string): Promise<void> {
  const outputs = outputsOf(source) ?? [];
  await writeJson(join(folder, files.headConfig), {
    config: null,
    label2id: Object.fromEntries(outputs.map((label, index) => [label, index])),
    name: null,
    num_labels: outputs.length,
    ...(source.problem ? { problem_type: problemTypes[source.problem] } : {}),
    ...aboutBase(source.model),
  });
  await writeHubWeights(folder, files.head, files.headBin, head);
}

/** An adapter's tensors under another name. */
const renamed = (tensors: NamedTensors, from: string, to: string): NamedTensors =>
  new Map(
    [...tensors].map(([key, tensor]) => [
      holders.reduce((text, holder) => text.replace(`.${holder}.${from}.`, `.${holder}.${to}.`), key),
      tensor,
    ]),
  );

const contextOf = (model: BaseModelInfo): HubContext => ({ model, architecture: architectureOf(model.architecture) });

const adapterSchema = z.looseObject({
  config: z.record(z.string(), z.unknown()),
  name: z.string(),
  model_type: z.string(),
});
const headSchema = z.looseObject({
  label2id: z.record(z.string(), z.int()).nullish(),
  problem_type: z.string().nullish(),
});

/** Is this a folder that AdapterHub's library wrote? */
export const isAdapterHubFolder = (names: ReadonlySet<string>, config: unknown): boolean =>
  names.has(files.adapterConfig) && adapterSchema.omit({ name: true }).safeParse(config).success;

/** Reads an adapter without its head. @throws StudioError `bad-file` as `readAdapterHub` does */
export async function readHubAdapter(
  folder: string,
  model: BaseModelInfo,
): Promise<Pick<LoadedFolder, 'method' | 'parameters'>> {
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
  const path = join(folder, files.adapter);
  const tensors = renamed(await readHubWeights(folder, files.adapter, files.adapterBin), name, adapterName);
  const own = inFile(path, () => found.format.tensors?.fromFile(tensors, method, contextOf(model)) ?? tensors);
  const objective = { type: 'classification', labels: ['a', 'b'] } as const;
  const plan = inFile(configPath, () => planParameters({ model, method, objective, steps: 0 }));
  checkTensors(
    path,
    own,
    plan.filter(({ part }) => part === 'added'),
    method,
  );
  return { method, parameters: own };
}

/** Reads weights. @throws StudioError `bad-file` where there are none, or pickled ones only */
export async function readHubWeights(folder: string, safe: string, bin: string): Promise<NamedTensors> {
  const names = await namesIn(folder);
  if (names.has(safe)) return (await readSafetensors(join(folder, safe))).tensors;
  const path = join(folder, names.has(bin) ? bin : safe);
  throw new StudioError(
    'bad-file',
    names.has(bin) ? `${path}: the folder holds pickled weights only.` : `${path}: there is no such file.`,
    'Pickled weights are never opened. Save the adapter with model.save_adapter(folder, name, use_safetensors=True).',
    { file: path },
  );
}

/** A head, its labels (a number has none) and what it is for, where the folder holds them. */
export async function readHubHead(
  folder: string,
): Promise<{ readonly head: NamedTensors } & Required<Pick<LoadedFolder, 'labels' | 'problem'>>> {
  const names = await namesIn(folder);
  const config = names.has(files.headConfig) ? await readJson(join(folder, files.headConfig), headSchema) : null;
  const problem = problemOf(config?.problem_type);
  const labels = problem === 'regression' ? null : config?.label2id;
  return {
    head: names.has(files.head) ? (await readSafetensors(join(folder, files.head))).tensors : new Map(),
    labels: labels
      ? Object.entries(labels)
          .sort(([, a], [, b]) => a - b)
          .map(([label]) => label)
      : null,
    problem,
  };
}
