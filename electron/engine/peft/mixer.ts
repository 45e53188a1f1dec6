/**
 * Representation mixer: the guide's own reading of LoRA, a full-rank matrix that mixes the frozen model's representations.
 * At the end of each chosen layer h' = (1 - g)·h + g·M h, with M [d, d] that starts as the identity and a gate
 * g = σ(a) in (0, 1), a trained scalar that starts small.
 */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { Architecture } from '../models/types.js';
import type { ObjectiveSpec, Tensor } from '../types.js';
import { addProduct, mapped } from './arithmetic.js';
import { registerMethod } from './method.js';

const options = z.strictObject({
  type: z.literal('mixer'),
  layersToTransform: z
    .array(z.int().min(0).max(10_000))
    .min(1)
    .optional()
    .describe('Layers that it follows, counted from 0; left out: the last'),
  gate: z.number().gt(0).lt(1).default(0.05).describe('Start of g, the share of the mixed representation'),
});

const weightEnd = '.mixer.weight';

/** Does the mixer follow a layer? Throws EngineError for a layer that the model does not have. */
function follows(chosen: readonly number[] | undefined, layer: number, layers: number): boolean {
  const missing = chosen?.find((index) => index >= layers);
  if (missing !== undefined)
    throw new EngineError(
      'bad-input',
      `method.layersToTransform: there is no layer ${missing}; this model's layers are 0 to ${layers - 1}.`,
      'Name layers of this model, or leave the option out.',
      { path: 'method.layersToTransform' },
    );
  return chosen?.includes(layer) ?? layer === layers - 1;
}

/** The linear layer that reads the last layer for an objective. */
function readerFor(
  readers: NonNullable<Architecture['readers']>,
  type: ObjectiveSpec['type'],
  byWords = false,
): string {
  switch (type) {
    case 'token-classification':
      return readers.tags;
    case 'question-answering':
      return readers.answers;
    case 'masked-lm':
    case 'causal-lm':
      return readers.language;
    default:
      return byWords ? readers.language : readers.text;
  }
}

registerMethod({
  type: 'mixer',
  title: 'Mixer',
  family: 'lora',
  marker: 'bowtie',
  colour: 'cat-16',
  learningRate: 1e-3,
  exports: ['merged', 'onnx'],
  summary: 'A full-rank matrix behind the last layer, mixed in through a gate.',
  help: `**What trains.** Behind each chosen layer a full matrix M [d, d] and one number a. What leaves the layer becomes (1 - g) · h + g · M h with the gate g = sigmoid(a). M starts as the identity and g small (0.05), so the model starts unchanged, and the frozen representation stays in the mixture.

**When to use it.** When the base already separates what the task asks for and only the representation in front of the classifier has to be turned towards it. It is what some guides describe under LoRA as a full-rank mixing of representations; LoRA itself changes weights inside the layers, at low rank. Behind the last layer it merges into the head's first matrix and then costs nothing at inference; behind earlier layers it cannot, because the residual path carries its result too.

**Options.** Each layer adds d² + 1 parameters: 147,457 at hidden size 384. The gate's start says how much of M h flows at first; the gradient of M is scaled by it.`,
  options,
  describe: (o) =>
    `${o.layersToTransform === undefined ? 'last layer' : `layers ${o.layersToTransform.join(' ')}`}, gate ${o.gate}`,
  trains: () => false,
  hooks: (o) => ({
    layer(b, { module, layer, layers, width }, h) {
      if (!follows(o.layersToTransform, layer, layers)) return h;
      const start = Math.log(o.gate / (1 - o.gate));
      const gate = b.g.sigmoid(b.added(`${module}.mixer.gate`, [1], { constant: start }));
      const mixed = b.g.matmul(h, b.added(`${module}${weightEnd}`, [width, width], 'identity'), { transB: true });
      return b.g.add(b.g.mul(b.g.sub(b.g.scalar(1), gate), h), b.g.mul(gate, mixed));
    },
  }),
  unmergeable(o, { architecture, layers, below }) {
    if (o.layersToTransform?.some((layer) => layer !== layers - 1))
      return 'A mixer merges behind the last layer only: behind an earlier one the residual path carries its result.';
    if (!architecture.readers) return 'A mixer does not merge into this architecture: a norm follows its last layer.';
    const reader = below && readerFor(architecture.readers, below);
    const inHead = reader !== null && architecture.headModules.some((head) => `${reader}.`.startsWith(`${head}.`));
    return inHead ? 'A mixer merges into the head here, which goes on by itself in a further round.' : null;
  },
  undo: () => ({ reason: 'A mixer multiplies by a whole matrix, which would have to be inverted.' }),
  merge(name, base, trained, _options, { architecture: { readers }, objective }) {
    const byWords = objective.type === 'classification' && Boolean(objective.verbalizer);
    if (!readers || name !== `${readerFor(readers, objective.type, byWords)}.weight`) return null;
    const weight = [...trained].find(([key]) => key.endsWith(weightEnd));
    const gate = weight && trained.get(weight[0].replace(weightEnd, '.mixer.gate'));
    return weight && gate ? mixInto(base, weight[1], 1 / (1 + Math.exp(-(gate.data[0] as number)))) : null;
  },
});

/** W·((1 - g)·I + g·M) for W [out, d], M [d, d]. */
function mixInto(base: Tensor, mixer: Tensor, gate: number): Tensor {
  return addProduct(
    mapped(base, (value) => (1 - gate) * value),
    base,
    mixer,
    gate,
  );
}
