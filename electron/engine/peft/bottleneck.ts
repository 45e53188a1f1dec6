/**
 * Bottleneck adapters: h + up(act(down(h))) inside the residual blocks.
 * Houlsby et al. 2019 (arXiv:1902.00751): after attention and after the feed-forward layer, LayerNorm(s + f(s) + x).
 * Pfeiffer et al. 2020 (arXiv:2005.00247): after the feed-forward layer only, LayerNorm(s + f(LayerNorm(s + x)) + x).
 * s is the block's output, x its residual input; placements and names as in AdapterHub.
 */
import { z } from 'zod';
import { activate } from '../models/encoder.js';
import { registerMethod } from './method.js';

const activations = { relu: 'relu', gelu: 'gelu', swish: 'silu' } as const;

const options = z.strictObject({
  type: z.literal('bottleneck'),
  placement: z
    .enum(['houlsby', 'pfeiffer'])
    .default('pfeiffer')
    .describe('houlsby: after attention and after the feed-forward layer; pfeiffer: after the feed-forward layer only'),
  reductionFactor: z
    .number()
    .min(1)
    .max(1024)
    .default(16)
    .describe('Hidden size divided by the width of the bottleneck'),
  activation: z
    .enum(['relu', 'gelu', 'swish'])
    .optional()
    .describe("Left out: the paper's own (swish for houlsby, relu for pfeiffer, as AdapterHub has them)"),
  dropout: z.number().min(0).max(0.9).default(0).describe('Dropout on the input of the adapter'),
});

registerMethod({
  type: 'bottleneck',
  title: 'Bottleneck',
  marker: 'square',
  colour: 'cat-3',
  learningRate: 1e-3,
  exports: ['adapterhub', 'onnx'],
  summary: 'Small two-layer networks inside each block, with a skip around them.',
  help: `**What trains.** In each layer a down projection [r, d], a nonlinearity and an up projection [d, r], added to what flows through. The up projection starts at zero, so the model starts unchanged. Houlsby places one after attention and one after the feed-forward layer; Pfeiffer only the second.

**When to use it.** When one base should carry many tasks that are switched or stacked, and a few percent more time at inference is no concern: adapters do not merge into the weights.

**Options.** The reduction factor sets the width: hidden size 384 and factor 16 give a bottleneck of 24. A smaller factor trains more.

Houlsby et al. 2019, *Parameter-Efficient Transfer Learning for NLP*; Pfeiffer et al. 2020, *MAD-X*.`,
  options,
  describe: (o) => `${o.placement === 'houlsby' ? 'Houlsby' : 'Pfeiffer'}, factor ${o.reductionFactor}`,
  trains: () => false,
  hooks: (o) => ({
    block(b, site, output, residual, normalize) {
      if (o.placement === 'pfeiffer' && site.block === 'attention') return null;
      const width = Math.max(1, Math.floor(site.width / o.reductionFactor));
      const module = `${site.adapterModule}.task`;
      const input = o.placement === 'pfeiffer' ? normalize(b.g.add(output, residual)) : output;
      const weight = (
        name: string,
        rows: number,
        columns: number,
        x: typeof input,
        start: 'zeros' | { normal: number },
      ) =>
        b.g.add(
          b.g.matmul(x, b.added(`${name}.weight`, [rows, columns], start), { transB: true }),
          b.added(`${name}.bias`, [rows], 'zeros'),
        );
      const activation = activations[o.activation ?? (o.placement === 'houlsby' ? 'swish' : 'relu')];
      const inner = activate(
        b,
        weight(`${module}.adapter_down.0`, width, site.width, b.dropout(input, o.dropout), { normal: 0.02 }),
        activation,
      );
      const adapted = b.g.add(output, weight(`${module}.adapter_up`, site.width, width, inner, 'zeros'));
      return normalize(b.g.add(adapted, residual));
    },
  }),
});
