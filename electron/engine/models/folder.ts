/** A base model read from a Hugging Face folder: config.json and the weights' index; no tensor is read. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../errors.js';
import { openWeights, type WeightEntry } from '../safetensors/index.js';
import type { BaseModelInfo, Tensor } from '../types.js';
import './all.js';
import { frozenBuilder } from './builder.js';
import { architectureOf } from './registry.js';
import type { Architecture, ModelConfig } from './types.js';

/** What the engine needs beyond the public information. */
export interface OpenedModel {
  readonly architecture: Architecture;
  readonly config: ModelConfig;
  /** Finds a tensor by the engine's name, whatever prefix or old LayerNorm spelling the file has; undefined where it is missing. */
  find(name: string): WeightEntry | undefined;
  read(name: string): Promise<Tensor>;
}

const opened = new WeakMap<BaseModelInfo, OpenedModel>();

async function readConfig(folder: string): Promise<Record<string, unknown>> {
  const path = join(folder, 'config.json');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new EngineError(
      'bad-model',
      `${path} cannot be read.`,
      'Choose a Hugging Face model folder: it holds config.json, a tokenizer and model.safetensors.',
      { file: path },
      { cause: error },
    );
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EngineError(
      'bad-model',
      `${path} is not JSON.`,
      'Download the file again.',
      { file: path },
      { cause: error },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EngineError('bad-model', `${path} is not a JSON object.`, 'Download the file again.', { file: path });
  return value as Record<string, unknown>;
}

/** Spellings under which a checkpoint may hold a tensor. */
function* spellings(name: string, prefix: string): Generator<string> {
  const bare = name.startsWith(prefix) ? name.slice(prefix.length) : null;
  for (const spelling of bare === null ? [name] : [name, bare]) {
    yield spelling;
    // TensorFlow-born BERT files call LayerNorm's weight gamma and its bias beta.
    yield spelling.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
  }
}

/**
 * Opens a folder with config.json and safetensors weights.
 * Throws EngineError: 'bad-model' (config, architecture, a tensor of a wrong shape or missing), 'bad-file' (weights).
 */
export async function openModel(folder: string): Promise<BaseModelInfo> {
  const config = await readConfig(folder);
  if (typeof config['model_type'] !== 'string')
    throw new EngineError(
      'bad-model',
      `${join(folder, 'config.json')} has no model_type.`,
      'Choose a Hugging Face model folder.',
      { file: join(folder, 'config.json') },
    );
  const architecture = architectureOf(config['model_type']);
  const read = architecture.readConfig(config);
  const weights = await openWeights(folder);
  if (read.layers > weights.entries.size)
    throw new EngineError(
      'bad-model',
      `${folder}: config.json tells of ${read.layers} layers, but the weights hold ${weights.entries.size} tensors in all.`,
      'The weights do not belong to this config.json, or the download is incomplete.',
      { folder },
    );
  const find = (name: string) => {
    for (const spelling of spellings(name, architecture.prefix)) {
      const entry = weights.entries.get(spelling);
      if (entry) return entry;
    }
    return undefined;
  };
  const info: BaseModelInfo = {
    folder,
    architecture: architecture.type,
    config,
    layers: read.layers,
    hiddenSize: read.hiddenSize,
    vocabularySize: read.vocabularySize,
    maxLength: architecture.maxLength(read),
    bytes: weights.bytes,
    ...describeBase(folder, architecture, read, find),
  };
  opened.set(info, {
    architecture,
    config: read,
    find,
    read: (name) => weights.read(find(name)?.name ?? name),
  });
  return info;
}

/** The base's tensors as its forward pass asks for them, each checked against the file. */
function describeBase(
  folder: string,
  architecture: Architecture,
  config: ModelConfig,
  find: OpenedModel['find'],
): Pick<BaseModelInfo, 'parameters' | 'totalParameters'> {
  const b = frozenBuilder();
  architecture.encode(b, config, 'all');
  const parameters = [...b.parameters.values()].map(({ name, shape }) => ({ name, shape }));
  for (const { name, shape } of parameters) {
    const entry = find(name);
    if (!entry)
      throw new EngineError(
        'bad-model',
        `${folder}: the weights do not hold ${name}.`,
        'The weights do not belong to this config.json, or the download is incomplete.',
        { folder, tensor: name },
      );
    if (entry.shape.join() !== shape.join()) {
      throw new EngineError(
        'bad-model',
        `${folder}: ${name} is [${entry.shape.join(', ')}] in the file, but config.json makes it [${shape.join(', ')}].`,
        'The weights do not belong to this config.json.',
        { folder, tensor: name },
      );
    }
  }
  return {
    parameters,
    totalParameters: parameters.reduce((sum, { shape }) => sum + shape.reduce((a, d) => a * d, 1), 0),
  };
}

/** The engine's side of a model that `openModel` returned. */
export function internals(info: BaseModelInfo): OpenedModel {
  const model = opened.get(info);
  if (!model) throw new EngineError('bad-input', 'This base model was not opened by openModel.');
  return model;
}
