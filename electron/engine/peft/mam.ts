/**
 * Mix-and-match adapters (He et al. 2022, arXiv:2110.04366): a prefix in every attention and a parallel adapter beside every
 * feed-forward layer. As AdapterHub's MAMConfig; like there, the prefix takes no positions of the text.
 */
import { z } from 'zod';
import { activationNames, adapterUp, bottleneckWidth, denseProjection, placeAdapter } from './adapter.js';
import { hubAdapterConfig, hubAdapterShape, literals, readHubAdapter } from './adapterhub.js';
import { registerMethod } from './method.js';
import { prefixHook, prefixShape } from './prefix.js';
import { hubPrefixConfig, hubPrefixSchema, hybridTensors, isUnionOf, prefixOptionsOf, readPart } from './union.js';

const options = z.strictObject({
  type: z.literal('mam'),
  ...prefixShape({ tokens: 30, hidden: 800 }),
  reductionFactor: z
    .number()
    .min(1)
    .max(1024)
    .default(2)
    .describe("Hidden size divided by the width of the adapter's bottleneck"),
  activation: z.enum(activationNames).default('relu'),
  scaling: z
    .union([z.number().positive().max(1000), z.literal('learned')])
    .default(4)
    .describe('Factor of what the adapter adds, or "learned"'),
  dropout: z.number().min(0).max(0.9).default(0).describe('Dropout on what the adapter adds'),
});

type Options = z.output<typeof options>;

const adapterSchema = z
  .looseObject({ ...hubAdapterShape, ...literals({ phm_layer: false, use_gating: false }) })
  .transform(readHubAdapter)
  .refine(({ placement }) => placement === 'parallel', 'only a parallel adapter is supported beside a prefix');

registerMethod({
  type: 'mam',
  title: 'MAM',
  family: 'hybrid',
  marker: 'ring',
  colour: 'cat-17',
  learningRate: 1e-3,
  exports: ['adapterhub', 'onnx'],
  summary: 'A prefix in every attention, and an adapter beside every feed-forward layer.',
  help: `**What trains.** Keys and values before those of the text in every layer, as with prefix tuning, and beside every feed-forward layer a bottleneck adapter whose answer, times s, is added to that layer's: h + s · up(relu(down(x))).

**When to use it.** When one kind of adapter stays behind full fine-tuning and a few percent of trained parameters are affordable: the paper found that attention gains most from a short prefix, and the feed-forward layer from a wide adapter. Start with a smaller reduction factor before a longer prefix.

**Options.** The prefix is computed by an MLP while training (prefixProjection), which is dropped at the end. The reduction factor sets the adapter's width: hidden size 384 and factor 2 give 192.

He et al. 2022, *Towards a Unified View of Parameter-Efficient Transfer Learning*.`,
  options,
  describe: (o) => `${o.numVirtualTokens} tokens, factor ${o.reductionFactor}`,
  trains: () => false,
  kept: (o) => (o.prefixProjection ? { ...o, prefixProjection: false } : null),
  hooks(o) {
    const projection = denseProjection('parallel');
    return {
      prefix: { ...prefixHook(o), positions: false },
      block: placeAdapter('parallel', (b, site, x) =>
        b.dropout(adapterUp(b, site, x, bottleneckWidth(site, o), o, projection), o.dropout),
      ),
    };
  },
  adapterhub: {
    recognizes: (config) => isUnionOf(config, ['prefix_tuning', '']),
    config: z.looseObject({}).transform((config, context) => {
      const { placement: _parallel, ...adapter } = readPart(config, '', adapterSchema, context);
      const prefix = readPart(config, 'prefix_tuning', hubPrefixSchema(false), context);
      return {
        type: 'mam',
        ...adapter,
        ...prefixOptionsOf(prefix),
      };
    }),
    write: (o) => ({
      architecture: 'union',
      configs: [
        hubPrefixConfig(o.numVirtualTokens, o.encoderHiddenSize, false),
        hubAdapterConfig({ ...o, placement: 'parallel' }),
      ],
    }),
    tensors: hybridTensors<Options>([]),
  },
});
