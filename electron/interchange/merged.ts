/** Plain Hugging Face classifiers: the method merged into the base's weights, the head, config.json and the tokenizer. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import {
  describeHead,
  isFloat,
  mergedConfig,
  mergedTensors,
  openWeights,
  writeSafetensors,
  type BaseModelInfo,
  type NamedTensors,
} from '../engine/index.js';
import { mergedCard } from './cards.js';
import { copyTokenizer, readJson, writeJson } from './files.js';
import { fullModule } from './targets.js';
import {
  headClass,
  objectiveOf,
  outputsOf,
  problemOf,
  problemTypes,
  type ExportSource,
  type LoadedFolder,
} from './types.js';

/** Writes a folder that transformers loads as a sequence classifier, or of a language model and with a verbalizer as a language model. @throws EngineError `bad-input` for a method that does not merge */
export async function exportMerged({ parameters, maxLength, ...source }: ExportSource, folder: string): Promise<void> {
  const { model, method, marks = null } = source;
  const { classifierClass: textClass, languageModelClass } = describeHead(model);
  const classifierClass = headClass(textClass, marks);
  const own = { ...model, config: { ...model.config, ...mergedConfig(model, method) } };
  const tensors = mergedTensors(model, method, objectiveOf(model, source), parameters);
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  const path = join(folder, 'config.json');
  if (marks === null && outputsOf(source) === null)
    await writeJson(path, { ...ownKeys(own), architectures: [languageModelClass], dtype: 'float32' });
  else await writeHeadConfig(path, own, classifierClass, source);
  await copyTokenizer(model.folder, folder);
  const facts = { ...source, maxLength, classifierClass, languageModelClass };
  await writeFile(join(folder, 'README.md'), mergedCard(facts));
}

/** The base's config.json with the class of the head, what it is for and the names of its outputs. */
export async function writeHeadConfig(
  path: string,
  model: BaseModelInfo,
  classifierClass: string,
  source: Pick<ExportSource, 'labels' | 'problem' | 'marks' | 'verbalizer'>,
): Promise<void> {
  const outputs = outputsOf(source);
  await writeJson(path, {
    ...ownKeys(model),
    architectures: [classifierClass],
    dtype: 'float32',
    ...(source.marks
      ? {}
      : { problem_type: source.problem ? problemTypes[source.problem] : 'single_label_classification' }),
    ...(outputs === null
      ? {}
      : {
          id2label: Object.fromEntries(outputs.map((label, index) => [String(index), label])),
          label2id: Object.fromEntries(outputs.map((label, index) => [label, index])),
        }),
  });
}

/** The base's config.json without what is left over from it: its own dtype, labels and where it came from. */
export function ownKeys({ config }: Pick<BaseModelInfo, 'config'>): Readonly<Record<string, unknown>> {
  const { torch_dtype: _torchDtype, dtype: _dtype, num_labels: _numLabels, _name_or_path: _path, ...kept } = config;
  return kept;
}

const configSchema = z.looseObject({
  model_type: z.string(),
  id2label: z.record(z.string(), z.string()).optional(),
  problem_type: z.string().nullish(),
});

/**
 * Reads every weight of a classifier's folder by the engine's names.
 * @throws StudioError `bad-file` if it is of another architecture, or its weights do not have the base's shapes
 */
export async function readMerged(folder: string, model: BaseModelInfo): Promise<LoadedFolder> {
  const configPath = join(folder, 'config.json');
  const config = await readJson(configPath, configSchema);
  if (config.model_type !== model.architecture)
    throw new StudioError(
      'bad-file',
      `${configPath}: the model is ${config.model_type}, the base model is ${model.architecture}.`,
      'Choose the base model that it was trained from.',
      { file: configPath },
    );
  const weights = await openWeights(folder);
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]));
  const { prefix } = describeHead(model);
  const parameters: NamedTensors = new Map();
  for (const [name, entry] of weights.entries) {
    if (!isFloat(entry)) continue; // position_ids and the like are no parameters
    const own = ownName(name, model, prefix);
    const shape = shapes.get(own);
    if (shape && shape.join() !== entry.shape.join()) {
      throw new StudioError(
        'bad-file',
        `${entry.path}: "${name}" is [${entry.shape.join(', ')}]; the base model has [${shape.join(', ')}].`,
        'Choose the base model that it was trained from.',
        { file: entry.path, tensor: name },
      );
    }
    parameters.set(own, await weights.read(name));
  }
  const missing = [...shapes.keys()].find((name) => !parameters.has(name));
  if (missing !== undefined)
    throw new StudioError(
      'bad-file',
      `${folder}: the weights do not hold "${missing}".`,
      'Choose the base model that it was trained from.',
      { file: folder, tensor: missing },
    );
  return {
    kind: 'merged',
    method: { type: 'full' },
    parameters,
    labels: labelsOf(config.id2label),
    problem: problemOf(config.problem_type),
  };
}

function ownName(name: string, model: BaseModelInfo, prefix: string): string {
  const current = name.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias');
  const dot = current.lastIndexOf('.');
  const module = fullModule(model, prefix, current.slice(0, dot));
  return module === null ? current : `${module}${current.slice(dot)}`;
}

/** Labels in the order of their ids; null for transformers' placeholders (LABEL_0, …). */
function labelsOf(id2label: Readonly<Record<string, string>> | undefined): readonly string[] | null {
  if (id2label === undefined) return null;
  const labels = Object.entries(id2label)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, label]) => label);
  return labels.every((label, index) => label === `LABEL_${index}`) ? null : labels;
}
