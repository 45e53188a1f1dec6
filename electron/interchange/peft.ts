/** LoRA folders as Hugging Face peft writes and reads them: adapter_config.json and adapter_model.safetensors. */
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
  type Tensor,
} from '../engine/index.js';
import { peftCard } from './cards.js';
import { namesIn, readJson, writeJson } from './files.js';
import { fullModule, targetNames } from './targets.js';
import type { ExportSource, LoadedFolder } from './types.js';

const weightsName = 'adapter_model.safetensors';
const configName = 'adapter_config.json';
const prefix = 'base_model.model.';
/** The safetensors metadata entry that names the classes: peft's own config has no place for them. */
const labelsKey = 'labels';

const loraOptions = z.object({ type: z.literal('lora'), alpha: z.number(), dropout: z.number() });

/** Writes a LoRA run. @throws StudioError `bad-input` for another method */
export async function exportPeft(
  { model, method, labels, parameters, maxLength }: ExportSource,
  folder: string,
): Promise<void> {
  const options = loraOptions.safeParse(validateMethod(method));
  if (!options.success)
    throw new StudioError(
      'bad-input',
      `The peft format holds LoRA; this run is "${method.type}".`,
      'Choose another format.',
      { method: method.type },
    );
  const modules = new Set(
    [...parameters.keys()]
      .filter((name) => name.endsWith('.lora_A.weight'))
      .map((name) => name.slice(0, -'.lora_A.weight'.length)),
  );
  const rank = parameters.get(`${[...modules][0]}.lora_A.weight`)?.shape[0];
  if (rank === undefined) throw new StudioError('bad-input', 'The run holds no LoRA parameters.', null);
  const head = describeHead(model);
  await mkdir(folder, { recursive: true });
  await writeSafetensors(
    join(folder, weightsName),
    new Map([...parameters].map(([name, tensor]) => [`${prefix}${name}`, tensor])),
    { format: 'pt', [labelsKey]: JSON.stringify(labels) },
  );
  await writeJson(join(folder, configName), {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: model.folder,
    bias: 'none',
    exclude_modules: null,
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: options.data.alpha,
    lora_bias: false,
    lora_dropout: options.data.dropout,
    modules_to_save: savedModules(parameters),
    peft_type: 'LORA',
    r: rank,
    rank_pattern: {},
    revision: null,
    target_modules: targetNames(model, modules),
    task_type: 'SEQ_CLS',
    use_dora: false,
    use_rslora: false,
  });
  await writeFile(
    join(folder, 'README.md'),
    peftCard({ model, labels, maxLength, classifierClass: head.classifierClass }),
  );
}

/** peft's own list for classifiers (each also catches modules whose name contains it), and a pooler that the base lacked and so was trained. */
function savedModules(parameters: NamedTensors): string[] {
  return [...parameters.keys()].some((name) => name.includes('.pooler.'))
    ? ['classifier', 'score', 'pooler']
    : ['classifier', 'score'];
}

const emptyPattern = z
  .record(z.string(), z.number())
  .refine(
    (pattern) => Object.keys(pattern).length === 0,
    'different ranks or alphas for some layers are not supported',
  );
const configSchema = z.looseObject({
  peft_type: z.literal('LORA', 'only LORA is supported'),
  task_type: z.string().nullish(),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(1).default(0),
  target_modules: z.union([z.array(z.string()), z.string()]),
  use_dora: z.literal(false, 'DoRA is not supported').optional(),
  use_rslora: z.boolean().default(false),
  bias: z.literal('none', 'trained biases are not supported; only "none" is').optional(),
  lora_bias: z.literal(false, 'a bias on B is not supported').optional(),
  rank_pattern: emptyPattern.nullish(),
  alpha_pattern: emptyPattern.nullish(),
  layer_replication: z.null('replicated layers are not supported').optional(),
});

/** Is this a folder that peft wrote? */
export const isPeftFolder = (names: ReadonlySet<string>, config: unknown): boolean =>
  names.has(configName) && z.looseObject({ peft_type: z.string() }).safeParse(config).success;

/**
 * Reads a LoRA folder against its base.
 * @throws StudioError `bad-file` for pickled weights, options that the engine's LoRA does not have, and tensors that do not fit the base
 */
export async function readPeft(folder: string, model: BaseModelInfo): Promise<LoadedFolder> {
  const config = await readJson(join(folder, configName), configSchema);
  const path = join(folder, weightsName);
  const names = await namesIn(folder);
  if (!names.has(weightsName)) {
    const hint = names.has('adapter_model.bin')
      ? 'Pickled weights are never opened. Load the adapter in peft and save it again with model.save_pretrained(folder, safe_serialization=True).'
      : 'Add the missing file.';
    throw new StudioError('bad-file', `${path}: there is no such file.`, hint, { file: path });
  }
  const { tensors, metadata } = await readSafetensors(path);
  const parameters: NamedTensors = new Map();
  const modules = new Set<string>();
  for (const [name, tensor] of tensors) {
    const own = nameOf(path, name, model);
    parameters.set(own.name, tensor);
    if (own.module !== null) modules.add(own.module);
  }
  if (modules.size === 0)
    throw new StudioError('bad-file', `${path} holds no LoRA tensors.`, 'Choose a folder that peft saved.', {
      file: path,
    });
  for (const module of modules) checkPair(path, module, config.r, parameters, model);
  // peft's short names may choose other modules here if the base is another one: what the file holds decides.
  const alpha = config.use_rslora ? config.lora_alpha * Math.sqrt(config.r) : config.lora_alpha;
  return {
    kind: 'peft',
    parameters,
    labels: labelsIn(metadata[labelsKey]),
    method: {
      type: 'lora',
      rank: config.r,
      alpha,
      dropout: config.lora_dropout,
      targetModules: targetNames(model, modules),
    },
  };
}

/** A tensor's name in the engine, and the base's module that it adds to (null for the head). */
function nameOf(path: string, name: string, model: BaseModelInfo): { name: string; module: string | null } {
  const bare = (name.startsWith(prefix) ? name.slice(prefix.length) : name).replace(
    /\.(modules_to_save(\.default)?|original_module)\./,
    '.',
  );
  const lora = /^(.+)\.(lora_[AB])(\.default)?\.weight$/.exec(bare);
  const head = describeHead(model);
  if (lora === null) {
    if ([...head.modules, `${head.prefix}pooler`].some((module) => bare.startsWith(`${module}.`)))
      return { name: bare, module: null };
    throw new StudioError(
      'bad-file',
      `${path}: "${name}" is neither a LoRA matrix nor part of the head of ${model.architecture}.`,
      'Load an adapter of a sequence classifier of this architecture.',
      { file: path, tensor: name },
    );
  }
  const module = fullModule(model, head.prefix, lora[1] ?? '');
  if (module === null)
    throw new StudioError(
      'bad-file',
      `${path}: "${name}" belongs to a module that the base model does not have.`,
      `Choose the base model that the adapter was trained on; this one is ${model.architecture} of ${model.layers} layers.`,
      { file: path, tensor: name },
    );
  return { name: `${module}.${lora[2]}.weight`, module };
}

function checkPair(path: string, module: string, rank: number, parameters: NamedTensors, model: BaseModelInfo): void {
  const shape = model.parameters.find(({ name }) => name === `${module}.weight`)?.shape ?? [];
  const expected = { A: [rank, shape[1]], B: [shape[0], rank] };
  for (const part of ['A', 'B'] as const) {
    const tensor: Tensor | undefined = parameters.get(`${module}.lora_${part}.weight`);
    if (tensor === undefined)
      throw new StudioError(
        'bad-file',
        `${path}: ${module} has no lora_${part}.`,
        'The file is not complete; save the adapter again.',
        { file: path, tensor: module },
      );
    if (tensor.shape.join() !== expected[part].join()) {
      throw new StudioError(
        'bad-file',
        `${path}: lora_${part} of ${module} is [${tensor.shape.join(', ')}]; r ${rank} and this base need [${expected[part].join(', ')}].`,
        'Choose the base model that the adapter was trained on.',
        { file: path, tensor: module },
      );
    }
  }
}

function labelsIn(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch {
    return null; // Metadata of another program under the same name: the labels are simply not known.
  }
}
