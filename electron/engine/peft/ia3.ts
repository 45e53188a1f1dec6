/**
 * (IA)³ (Liu et al. 2022, arXiv:2205.05638): a trained factor l for each unit of keys and values, l ⊙ (Wx + b), and of what the
 * feed-forward block's second layer sees, W(l ⊙ x) + b. Names, shapes and default modules as in Hugging Face peft.
 */
import { z } from 'zod';
import type { Architecture, LinearSite } from '../models/types.js';
import type { NamedTensors } from '../types.js';
import { mapped } from './arithmetic.js';
import { registerMethod } from './method.js';
import { isTarget, moduleNames, modulesWith, targetWords } from './targets.js';

const options = z.strictObject({
  type: z.literal('ia3'),
  targetModules: moduleNames('Linear layers that are scaled,', "the architecture's key, value and feed-forward output"),
  feedforwardModules: moduleNames(
    'Those of them whose input is scaled rather than their output,',
    "the architecture's feed-forward output",
    0,
  ),
});
type Options = z.output<typeof options>;

const part = 'ia3_l';

/** What of a module is scaled: its output, its input, or nothing. */
function scaled(
  site: Pick<LinearSite, 'module'>,
  o: Options,
  { scaledModules }: Architecture,
): 'output' | 'input' | null {
  const { targets, feedforward } = scaledModules;
  if (!isTarget(site, o.targetModules ?? targets)) return null;
  return isTarget(site, o.feedforwardModules ?? feedforward) ? 'input' : 'output';
}

/** Modules whose factors have the shape of an input, [1, in]. */
const scaledAtInput = (tensors: NamedTensors): Set<string> =>
  new Set([...modulesWith(tensors, part)].filter((module) => tensors.get(`${module}.${part}`)?.shape[0] === 1));

registerMethod({
  type: 'ia3',
  title: '(IA)³',
  family: 'lora',
  marker: 'triangle',
  colour: 'cat-2',
  learningRate: 5e-3,
  exports: ['peft', 'merged', 'onnx'],
  summary: 'One factor for each key, value and feed-forward unit; merges into the weights.',
  help: `**What trains.** Vectors of factors, all 1 at the start: one for each unit of the keys and values, and one for each unit that the feed-forward block's second layer sees. A factor above 1 amplifies its unit, one near 0 switches it off.

**When to use it.** With very little data, and where adapters must be tiny: it trains about a fifth of what LoRA does at rank 8, and merges without a trace. It has less freedom than LoRA: with more data it tends to stay behind.

**Options.** Other target modules can be scaled; the feed-forward modules among them are scaled at their input. Learning rates are higher than LoRA's.

Liu et al. 2022, *Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning*.`,
  options,
  describe: (o) => targetWords(o.targetModules).join('') || 'keys, values, feed-forward',
  trains: () => false,
  hooks: (o, { architecture }) => ({
    input(b, site, x) {
      if (scaled(site, o, architecture) !== 'input') return x;
      return b.g.mul(x, b.added(`${site.module}.${part}`, [1, site.inFeatures], 'ones'));
    },
    linear(b, site, _x, y) {
      if (scaled(site, o, architecture) !== 'output') return y;
      const factors = b.added(`${site.module}.${part}`, [site.outFeatures, 1], 'ones');
      return b.g.mul(y, b.g.reshape(factors, [site.outFeatures]));
    },
  }),
  undo: () => 'factor',
  merge(name, base, trained, o, { architecture }) {
    const module = name.replace(/\.(weight|bias)$/, '');
    const factors = trained.get(`${module}.${part}`)?.data;
    if (!factors) return null;
    const what = scaled({ module }, o, architecture);
    if (name.endsWith('.bias'))
      return what === 'input' ? null : { shape: base.shape, data: base.data.map((v, i) => v * (factors[i] as number)) };
    return mapped(base, (value, row, column) => value * (factors[what === 'input' ? column : row] as number));
  },
  peft: {
    peftType: 'IA3',
    moduleTensors: [part],
    config: z.looseObject({}),
    write(_options, trained, { targetNames }) {
      return {
        config: {
          exclude_modules: null,
          fan_in_fan_out: false,
          feedforward_modules: targetNames(scaledAtInput(trained)),
          init_ia3_weights: true,
          target_modules: targetNames(modulesWith(trained, part)),
        },
        tensors: trained,
      };
    },
    // peft's short names may choose other modules here if the base is another one: what the file holds decides.
    read: (_config, tensors, { targetNames }) => ({
      method: {
        type: 'ia3',
        targetModules: targetNames(modulesWith(tensors, part)),
        feedforwardModules: targetNames(scaledAtInput(tensors)),
      },
      parameters: tensors,
    }),
  },
});
