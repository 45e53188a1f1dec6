/**
 * Bottleneck adapters: h + s·up(act(down(h))) inside the residual blocks.
 * Houlsby et al. 2019 (arXiv:1902.00751): after attention and after the feed-forward layer.
 * Pfeiffer et al. 2020 (arXiv:2005.00247): after the feed-forward layer only.
 * He et al. 2022 (arXiv:2110.04366): beside the feed-forward layer. Formulas in adapter.ts.
 */
import { z } from 'zod';
import {
  activationNames,
  activations,
  adapterHooks,
  adapterUp,
  bottleneckWidth,
  denseProjection,
  placements,
} from './adapter.js';
import type { AdapterActivation, Placement } from './adapter.js';
import { hubAdapterConfig, hubAdapterShape, literals, readHubAdapter } from './adapterhub.js';
import { registerMethod, type MethodContext } from './method.js';
import type { NamedTensors, Tensor } from '../types.js';
import { below, beside, mapped } from './arithmetic.js';

const options = z.strictObject({
  type: z.literal('bottleneck'),
  placement: z
    .enum(placements)
    .default('pfeiffer')
    .describe(
      'houlsby: after attention and after the feed-forward layer; pfeiffer: after the feed-forward layer only; parallel: beside it',
    ),
  reductionFactor: z
    .number()
    .min(1)
    .max(1024)
    .default(16)
    .describe('Hidden size divided by the width of the bottleneck'),
  activation: z
    .enum(activationNames)
    .optional()
    .describe("Left out: the paper's own (swish for houlsby, relu for the others, as AdapterHub has them)"),
  scaling: z
    .union([z.number().positive().max(1000), z.literal('learned')])
    .optional()
    .describe('Factor of what is added, or "learned"; left out: 4 for parallel, 1 for the others'),
  dropout: z.number().min(0).max(0.9).default(0).describe('Dropout on what is added'),
});

interface Defaults {
  readonly activation: AdapterActivation;
  readonly scaling: number;
}

/** What the papers, and AdapterHub's DoubleSeqBn, SeqBn and ParBn, do where an option is left out. */
const defaults: Readonly<Record<Placement, Defaults>> = {
  houlsby: { activation: 'swish', scaling: 1 },
  pfeiffer: { activation: 'relu', scaling: 1 },
  parallel: { activation: 'relu', scaling: 4 },
};
const titles: Readonly<Record<Placement, string>> = { houlsby: 'Houlsby', pfeiffer: 'Pfeiffer', parallel: 'parallel' };

/** With what the placement's own defaults fill in. */
function settingsOf(o: z.output<typeof options>) {
  const own = defaults[o.placement];
  return { ...o, activation: o.activation ?? own.activation, scaling: o.scaling ?? own.scaling };
}

const minus = (x: Tensor) => mapped(x, (value) => -value);

/**
 * A parallel adapter as more units of the feed-forward layer that it stands beside: W₁ gets the rows of down, W₂ the columns of
 * s·up. Without an activation each unit stands twice, since z = act(z) - act(-z) for ReLU, GELU and SiLU.
 */
function widened(
  name: string,
  base: Tensor,
  trained: NamedTensors,
  o: z.output<typeof options>,
  { architecture: { feedForward } }: MethodContext,
): Tensor | null {
  const found = /^(.*\.\d+)\.([a-z0-9_.]+)\.(weight|bias)$/.exec(name);
  if (!found || !feedForward || !Object.values(feedForward).includes(found[2] as string)) return null;
  const [, layer, module, part] = found as unknown as [string, string, string, 'weight' | 'bias'];
  const own = (end: string) => {
    const tensor = [...trained].find(([key]) => key.startsWith(`${layer}.`) && key.endsWith(`.${end}`))?.[1];
    return tensor ?? null;
  };
  const settings = settingsOf(o);
  const scaling = settings.scaling === 'learned' ? (own('scaling')?.data[0] ?? 1) : settings.scaling;
  const twice = settings.activation === 'linear';
  const inner = module === feedForward.inner;
  const added = own(`adapter_${inner ? 'down.0' : 'up'}.${part}`);
  if (!added) return null;
  const scaled = inner ? added : mapped(added, (value) => scaling * value);
  if (part === 'bias' && !inner)
    return { shape: base.shape, data: base.data.map((value, i) => value + (scaled.data[i] as number)) };
  if (part === 'bias') {
    const data = Float32Array.of(...base.data, ...scaled.data, ...(twice ? minus(scaled).data : []));
    return { shape: [data.length], data };
  }
  const join = inner ? below : beside;
  const once = join(base, scaled);
  return twice ? join(once, minus(scaled)) : once;
}

registerMethod({
  type: 'bottleneck',
  title: 'Bottleneck',
  family: 'adapter',
  marker: 'square',
  colour: 'cat-3',
  learningRate: 1e-3,
  exports: ['adapterhub', 'merged', 'onnx'],
  summary: 'Small two-layer networks inside each block, with a skip around them.',
  help: `**What trains.** In each layer a down projection [r, d], a nonlinearity and an up projection [d, r], added to what flows through. The up projection starts at zero, so the model starts unchanged.

**Where it sits.** Houlsby places one after attention and one after the feed-forward layer; Pfeiffer only the second. Parallel reads what the feed-forward layer reads and adds its answer, scaled by s, to that layer's: h + s · up(relu(down(x))).

**When to use it.** When one base should carry many tasks that are switched or stacked, and a few percent more time at inference is no concern: adapters do not merge into the weights, because of their nonlinearity and the LayerNorm behind them. (A parallel one does, in an encoder, where its activation is the feed-forward layers' own or *linear*: it becomes more units of theirs.) Parallel often needs fewer parameters for the same score than the other two.

**Options.** The reduction factor sets the width: hidden size 384 and factor 16 give a bottleneck of 24. A smaller factor trains more. The scaling is 4 for parallel as in the paper, or learned, one number a layer that starts at 1.

Houlsby et al. 2019, *Parameter-Efficient Transfer Learning for NLP*; Pfeiffer et al. 2020, *MAD-X*; He et al. 2022, *Towards a Unified View of Parameter-Efficient Transfer Learning*.`,
  options,
  describe: (o) =>
    `${titles[o.placement]}, factor ${o.reductionFactor}${o.scaling === undefined ? '' : `, scaling ${o.scaling}`}`,
  trains: () => false,
  whole: settingsOf,
  hooks: (o) => {
    const settings = settingsOf(o);
    const project = denseProjection(o.placement);
    return adapterHooks(o, (b, site, x) => adapterUp(b, site, x, bottleneckWidth(site, o), settings, project));
  },
  unmergeable(o, { architecture, config }) {
    const title = 'Bottleneck does not merge into the base’s weights';
    if (o.placement !== 'parallel')
      return `${title} at ${titles[o.placement]}'s place: what it adds goes through its own nonlinearity behind the layer's output.`;
    if (!architecture.feedForward)
      return `${title} of ${architecture.type}: it sees what its feed-forward layers do not.`;
    const own = activations[settingsOf(o).activation];
    return own === null || own === config.activation
      ? null
      : `${title} here: its activation is ${settingsOf(o).activation}, the feed-forward layers' ${config.activation}. With that one, or linear, a parallel adapter becomes more of their units.`;
  },
  widens: (o, { config }) => {
    const width = Math.max(1, Math.floor(config.hiddenSize / o.reductionFactor));
    return settingsOf(o).activation === 'linear' ? 2 * width : width;
  },
  undo: () => ({
    reason: 'A merged adapter is more units in every feed-forward layer; the base is the model without them.',
  }),
  merge: widened,
  adapterhub: {
    recognizes: (config) => config['architecture'] === undefined && config['phm_layer'] !== true,
    config: z
      .looseObject({ ...hubAdapterShape, ...literals({ phm_layer: false, use_gating: false }) })
      .transform((config, context) => ({ type: 'bottleneck', ...readHubAdapter(config, context) })),
    write: (o) => hubAdapterConfig(settingsOf(o)),
  },
});
