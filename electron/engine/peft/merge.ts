/** A trained method merged into its base: the plain classifier as one list of tensors. */
import { EngineError } from '../errors.js';
import { Builder } from '../models/builder.js';
import { internals } from '../models/folder.js';
import { architectureOf } from '../models/registry.js';
import type { TensorToWrite } from '../safetensors/index.js';
import type { BaseModelInfo, MethodSpec, NamedTensors, Tensor } from '../types.js';
import { chooseMethod } from './index.js';

export interface HeadInfo {
  /** Class that transformers loads the classifier with: "BertForSequenceClassification". */
  readonly classifierClass: string;
  /** And its language model: "BertForMaskedLM". */
  readonly languageModelClass: string;
  /** Modules of the head, as the checkpoint names them. */
  readonly modules: readonly string[];
  /** Prefix of the base's tensors in a checkpoint with a head: "bert.". */
  readonly prefix: string;
}

/** How an architecture's classifier is called and named. */
export function describeHead(model: BaseModelInfo): HeadInfo {
  const { classifierClass, languageModelClass, headModules, prefix } = architectureOf(model.architecture);
  return { classifierClass, languageModelClass, modules: headModules, prefix };
}

/**
 * Every tensor of the classifier (of the language model, where a verbalizer answers) in checkpoint names, read and merged when its
 * turn comes, as float32. `labels`: of the classifier's head; null for the language model.
 * Throws EngineError: 'bad-input' for a method that does not merge, 'bad-model' where neither the base nor the trained parameters hold a tensor.
 */
export function mergedTensors(
  model: BaseModelInfo,
  spec: MethodSpec,
  labels: number | null,
  trained: NamedTensors,
): TensorToWrite[] {
  const { method, options } = chooseMethod(spec);
  const { architecture, config, find, read } = internals(model);
  const refusal = method.exports.includes('merged')
    ? method.unmergeable?.(options, { architecture, layers: model.layers })
    : `${method.title} does not merge into the base's weights.`;
  if (refusal)
    throw new EngineError('bad-input', refusal, 'Export it in its own format or as ONNX.', { method: spec.type });
  const b = new Builder({ hooks: {}, trains: () => false, training: false, packed: false, modelDropout: null });
  if (labels === null) architecture.predictTokens(b, config, architecture.encode(b, config, 'all'));
  else architecture.classify(b, config, architecture.encode(b, config, architecture.reads), labels);
  return [...b.parameters.values()].map(({ name, shape }): TensorToWrite => {
    const own = trained.get(name);
    if (!own && !find(name))
      throw new EngineError(
        'bad-model',
        `${model.folder}: the weights do not hold ${name}, so the merged model would lack it.`,
        'Use a base model that holds it.',
        { folder: model.folder, tensor: name },
      );
    const data = async () => {
      const base = own ?? (await read(name));
      // Methods see every weight as [out, in].
      const turned = b.transposed.has(name);
      const seen = turned ? transposed(base) : base;
      const merged = method.merge?.(name, seen, trained, options, { architecture });
      return (merged ? (turned ? transposed(merged) : merged) : base).data;
    };
    return { name, shape, dtype: 'F32', data };
  });
}

/** [rows, columns] to [columns, rows]. */
function transposed({ shape, data }: Tensor): Tensor {
  const [rows, columns] = shape as [number, number];
  const turned = new Float32Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j] as number;
  return { shape: [columns, rows], data: turned };
}
