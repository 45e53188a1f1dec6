/**
 * UniPELT (Mao et al. 2022, arXiv:2110.07577): a prefix, LoRA and a bottleneck adapter at once, each behind a gate that says by the
 * text how far it acts. As AdapterHub's UniPELTConfig: the gate stands in LoRA for alpha / r, the prefix takes no positions.
 */
import { z } from 'zod';
import { rowsOfTexts } from '../models/rows.js';
import {
  activationNames,
  adapterModule,
  adapterUp,
  bottleneckWidth,
  denseProjection,
  placeAdapter,
} from './adapter.js';
import { hubAdapterConfig, hubAdapterShape, literals, readHubAdapter } from './adapterhub.js';
import { textGate } from './gate.js';
import { plainFactors } from './lora.js';
import { registerMethod } from './method.js';
import { prefixHook, prefixShape } from './prefix.js';
import { isTarget } from './targets.js';
import { hubPrefixConfig, hubPrefixSchema, hybridTensors, isUnionOf, prefixOptionsOf, readPart } from './union.js';

const options = z.strictObject({
  type: z.literal('unipelt'),
  ...prefixShape({ tokens: 10, hidden: 512 }),
  rank: z.int().min(1).max(1024).default(8).describe('Rank of LoRA, on query and value'),
  reductionFactor: z
    .number()
    .min(1)
    .max(1024)
    .default(16)
    .describe("Hidden size divided by the width of the adapter's bottleneck"),
  activation: z.enum(activationNames).default('relu'),
  dropout: z.number().min(0).max(0.9).default(0).describe("Dropout on LoRA's input and on what the adapter adds"),
});

type Options = z.output<typeof options>;

const adapterSchema = z
  .looseObject({
    ...hubAdapterShape,
    ...literals({ phm_layer: false, scaling: 1 }),
    use_gating: z.literal(true, 'only true is supported here'),
  })
  .transform((config, context) => readHubAdapter({ ...config, scaling: 1 }, context))
  .refine(({ placement }) => placement === 'pfeiffer', 'only an adapter after the feed-forward layer is supported');

const loraSchema = z.looseObject({
  architecture: z.literal('lora'),
  ...literals({ selfattn_lora: true, intermediate_lora: false, output_lora: false, use_dora: false }),
  ...literals({ composition_mode: 'add', vera_d: null, vera_b: null }),
  leave_out: z.array(z.number()).max(0, 'leaving layers out is not supported').optional(),
  attn_matrices: z.tuple([z.literal('q'), z.literal('v')], 'only ["q", "v"] is supported').optional(),
  r: z.int().positive(),
  dropout: z.number().default(0),
  use_gating: z.literal(true, 'only true is supported here'),
});

const ends = { loraGate: 'lora_gate', prefixGate: 'prefix_gate' } as const;

registerMethod({
  type: 'unipelt',
  title: 'UniPELT',
  family: 'hybrid',
  marker: 'pentagon',
  colour: 'cat-18',
  learningRate: 1e-3,
  exports: ['adapterhub', 'onnx'],
  summary: 'Prefix, LoRA and adapter at once, each behind a gate that opens as far as the text asks for.',
  help: `**What trains.** In every layer a prefix of keys and values, LoRA on query and value, and a bottleneck adapter behind the feed-forward layer. Each has a gate: one number between 0 and 1 a text, the mean over its tokens of sigmoid(w · h + b). What a part adds is multiplied by its gate.

**When to use it.** When it is not known beforehand which kind of adapter suits the task, above all with few examples: the paper found it at least as good as the best of its parts there. It costs the time of all three.

**Options.** The prefix is computed by an MLP while training (prefixProjection), which is dropped at the end. LoRA has no alpha here: the gate takes its place. The gates look at whole texts, so the method classifies but does not write. Each is the mean over a text's own tokens. The authors' code and AdapterHub's library average over padding too, so that there an answer changes with the longest text of its batch: an exported folder gives these answers there for one text at a time.

Mao et al. 2022, *UniPELT: A Unified Framework for Parameter-Efficient Language Model Tuning*.`,
  options,
  describe: (o) => `${o.numVirtualTokens} tokens, r ${o.rank}, factor ${o.reductionFactor}`,
  trains: () => false,
  kept: (o) => (o.prefixProjection ? { ...o, prefixProjection: false } : null),
  hooks(o, { architecture }) {
    const projection = denseProjection('pfeiffer');
    const prefix = prefixHook(o);
    return {
      wholeTexts: true,
      prefix: {
        tokens: prefix.tokens,
        positions: false,
        keysValues(b, site) {
          const { keys, values } = prefix.keysValues(b, site);
          const gate = b.g.reshape(textGate(b, `${site.module}.${ends.prefixGate}`, site.input), [1, 'batch', 1]);
          return { keys: b.g.mul(keys, gate), values: b.g.mul(values, gate) };
        },
      },
      linear(b, site, x, y) {
        if (!isTarget(site, architecture.defaultTargets)) return y;
        const { down, up } = plainFactors(b, site, o.rank);
        const inner = b.g.matmul(b.dropout(x, o.dropout), down, { transB: true });
        const gate = rowsOfTexts(b, textGate(b, `${site.module}.${ends.loraGate}`, x));
        return b.g.add(y, b.g.mul(b.g.matmul(inner, up, { transB: true }), gate));
      },
      block: placeAdapter('pfeiffer', (b, site, x) => {
        const added = adapterUp(b, site, x, bottleneckWidth(site, o), { ...o, scaling: 1 }, projection);
        return b.g.mul(b.dropout(added, o.dropout), rowsOfTexts(b, textGate(b, `${adapterModule(site)}.gate`, x)));
      }),
    };
  },
  adapterhub: {
    recognizes: (config) => isUnionOf(config, ['prefix_tuning', '', 'lora']),
    config: z.looseObject({}).transform((config, context) => {
      const { placement: _after, scaling: _one, ...adapter } = readPart(config, '', adapterSchema, context);
      const prefix = readPart(config, 'prefix_tuning', hubPrefixSchema(true), context);
      const lora = readPart(config, 'lora', loraSchema, context);
      if (lora.dropout !== adapter.dropout)
        context.addIssue({ code: 'custom', message: 'LoRA and adapter must have the same dropout' });
      return {
        type: 'unipelt',
        ...adapter,
        rank: lora.r,
        ...prefixOptionsOf(prefix),
      };
    }),
    write: (o) => ({
      architecture: 'union',
      configs: [
        hubPrefixConfig(o.numVirtualTokens, o.encoderHiddenSize, true),
        hubAdapterConfig({ ...o, placement: 'pfeiffer', scaling: 1 }, { use_gating: true }),
        {
          alpha: o.rank,
          architecture: 'lora',
          attn_matrices: ['q', 'v'],
          composition_mode: 'add',
          dropout: o.dropout,
          dtype: null,
          init_weights: 'lora',
          init_weights_seed: null,
          intermediate_lora: false,
          leave_out: [],
          output_lora: false,
          r: o.rank,
          selfattn_lora: true,
          use_dora: false,
          use_gating: true,
          vera_b: null,
          vera_d: null,
        },
      ],
    }),
    note: 'The library averages each gate over padding too, where this adapter was trained with gates over a text’s own tokens: run texts one at a time, or sorted by length, for the same answers.',
    tensors: hybridTensors<Options>([
      { engine: '.lora_A.weight', file: '.loras.task.lora_A' },
      { engine: '.lora_B.weight', file: '.loras.task.lora_B' },
      ...['weight', 'bias'].flatMap((part) => [
        { engine: `.${ends.loraGate}.${part}`, file: `.loras.task.gate.${part}` },
        { engine: `.${ends.prefixGate}.${part}`, file: `.prefix_tuning.prefix_gates.task.${part}` },
      ]),
    ]),
  },
});
