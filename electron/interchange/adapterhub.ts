/**
 * Bottleneck adapters as AdapterHub's library (adapters 1.x) writes and reads them: adapter and head, each with its config.
 * Weights are written twice: as PyTorch's .bin, which its loader takes by default, and as safetensors, which is what this program reads.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import {
  describeHead,
  readSafetensors,
  validateMethod,
  writeSafetensors,
  type BaseModelInfo,
  type NamedTensors,
} from '../engine/index.js';
import { adapterHubCard } from './cards.js';
import { namesIn, readJson, writeJson } from './files.js';
import { writePytorchBin } from './pytorch-bin.js';
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

const defaultActivation = { houlsby: 'swish', pfeiffer: 'relu' } as const;
const bottleneckOptions = z.object({
  type: z.literal('bottleneck'),
  placement: z.enum(['houlsby', 'pfeiffer']),
  reductionFactor: z.number().positive(),
  activation: z.enum(['relu', 'gelu', 'swish']).optional(),
  dropout: z.number(),
});

/** The keys by which the library's two classic placements differ. */
const placements = {
  houlsby: { mh_adapter: true, output_adapter: true, original_ln_before: false, original_ln_after: true },
  pfeiffer: { mh_adapter: false, output_adapter: true, original_ln_before: true, original_ln_after: true },
} as const;

/** Keys that change the computation, at the value this program computes. */
const fixed = {
  adapter_residual_before_ln: false,
  cross_adapter: false,
  inv_adapter: null,
  is_parallel: false,
  ln_after: false,
  ln_before: false,
  phm_layer: false,
  residual_before_ln: true,
  scaling: 1.0,
  use_gating: false,
} as const;

/** Keys the library writes that do not matter without the parts above. */
const inert = {
  factorized_phm_W: true,
  factorized_phm_rule: false,
  hypercomplex_nonlinearity: 'glorot-uniform',
  init_weights: 'bert',
  init_weights_seed: null,
  inv_adapter_reduction_factor: null,
  learn_phm: true,
  leave_out: [],
  phm_bias: true,
  phm_c_init: 'normal',
  phm_dim: 4,
  phm_init_range: 0.0001,
  phm_rank: 1,
  shared_W_phm: false,
  shared_phm_rule: true,
  stochastic_depth: 0.0,
} as const;

/** Writes a bottleneck run. @throws StudioError `bad-input` for another method */
export async function exportAdapterHub(
  { model, method, labels, parameters, maxLength }: ExportSource,
  folder: string,
): Promise<void> {
  const parsed = bottleneckOptions.safeParse(validateMethod(method));
  if (!parsed.success)
    throw new StudioError(
      'bad-input',
      `AdapterHub's format holds bottleneck adapters; this run is "${method.type}".`,
      'Choose another format.',
      { method: method.type },
    );
  const { placement, activation, reductionFactor, dropout } = parsed.data;
  const { adapter, head } = split(parameters);
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
    {
      config: {
        ...fixed,
        ...inert,
        ...placements[placement],
        dropout,
        non_linearity: activation ?? defaultActivation[placement],
        reduction_factor: reductionFactor,
      },
      name: adapterName,
      ...about,
    },
    ['scaling', 'dropout', 'stochastic_depth'],
  ); // the library refuses a scaling of 1
  await writeJson(join(folder, files.headConfig), {
    config: null,
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
    name: null,
    num_labels: labels.length,
    ...about,
  });
  await writeSafetensors(join(folder, files.adapter), adapter, { format: 'pt' });
  await writeSafetensors(join(folder, files.head), head, { format: 'pt' });
  await writePytorchBin(join(folder, files.adapterBin), adapter);
  await writePytorchBin(join(folder, files.headBin), head);
  await writeFile(join(folder, 'README.md'), adapterHubCard({ model, labels, maxLength, classifierClass }));
}

function split(parameters: NamedTensors): { adapter: NamedTensors; head: NamedTensors } {
  // What trains and is no adapter is the head, and a pooler that the base lacked.
  const isHead = (name: string) => !name.includes(`.adapters.${adapterName}.`);
  return {
    adapter: new Map([...parameters].filter(([name]) => !isHead(name))),
    head: new Map([...parameters].filter(([name]) => isHead(name))),
  };
}

const literals = <T extends Readonly<Record<string, boolean | number | null>>>(values: T) =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      z.literal(value, `only ${JSON.stringify(value)} is supported`).optional(),
    ]),
  );
const configSchema = z.looseObject({
  ...literals(fixed),
  leave_out: z.array(z.number()).max(0, 'leaving layers out is not supported').optional(),
  mh_adapter: z.boolean(),
  output_adapter: z.boolean(),
  original_ln_before: z.boolean(),
  original_ln_after: z.boolean(),
  non_linearity: z.enum(['relu', 'gelu', 'swish']),
  reduction_factor: z.number('must be one number').positive(),
  dropout: z.number().default(0),
});
const adapterSchema = z.looseObject({ config: configSchema, name: z.string(), model_type: z.string() });
const headSchema = z.looseObject({ label2id: z.record(z.string(), z.int()).nullish() });

/** Is this a folder that AdapterHub's library wrote? */
export const isAdapterHubFolder = (names: ReadonlySet<string>, config: unknown): boolean =>
  names.has(files.adapterConfig) &&
  z.looseObject({ config: z.looseObject({}), model_type: z.string() }).safeParse(config).success;

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
  const placement = (['houlsby', 'pfeiffer'] as const).find((candidate) =>
    Object.entries(placements[candidate]).every(([key, value]) => config[key] === value),
  );
  if (placement === undefined)
    throw new StudioError(
      'bad-file',
      `${configPath}: the adapter sits neither as Houlsby's nor as Pfeiffer's do.`,
      'Only these two placements are supported.',
      { file: configPath },
    );
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
  const parameters: NamedTensors = new Map(
    [...tensors].map(([key, tensor]) => [key.replace(`.adapters.${name}.`, `.adapters.${adapterName}.`), tensor]),
  );
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
    method: {
      type: 'bottleneck',
      placement,
      reductionFactor: config.reduction_factor,
      activation: config.non_linearity,
      dropout: config.dropout,
    },
  };
}
