/**
 * Compacter (Mahabadi et al. 2021, arXiv:2106.04647): bottleneck adapters whose projections are sums of Kronecker products,
 * H = Σᵢ Aᵢ ⊗ Wᵢ (Zhang et al. 2021, "parameterized hypercomplex multiplication"), i = 1 … n.
 * The rule A [n, n, n] is one for all layers; Wᵢ = LᵢRᵢ is of low rank. Names as in AdapterHub.
 */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import { activationNames, adapterUp, adapterHooks, type Projection } from './adapter.js';
import { hubAdapterConfig, hubAdapterShape, literals, readHubAdapter } from './adapterhub.js';
import { registerMethod } from './method.js';

const options = z.strictObject({
  type: z.literal('compacter'),
  placement: z
    .enum(['houlsby', 'pfeiffer'])
    .default('houlsby')
    .describe(
      'houlsby: after attention and after the feed-forward layer (Compacter); pfeiffer: after the latter (Compacter++)',
    ),
  reductionFactor: z
    .number()
    .min(1)
    .max(1024)
    .default(32)
    .describe('Hidden size divided by the width of the bottleneck, which is rounded down to a multiple of phmDim'),
  activation: z.enum(activationNames).default('gelu'),
  phmDim: z.int().min(1).max(64).default(4).describe('Number n of Kronecker products; divides the hidden size'),
  phmRank: z.int().min(1).max(256).default(1).describe('Rank of each W of a product, where it is factorized'),
  sharedPhmRule: z.boolean().default(true).describe('One rule A for all layers, not one a projection'),
  factorizedPhmW: z.boolean().default(true).describe('Each W is a product of two low-rank factors'),
  dropout: z.number().min(0).max(0.9).default(0).describe('Dropout on what is added'),
});
type Options = z.output<typeof options>;

/** Units of the bottleneck: a multiple of n, and at least n. */
const widthOf = (hidden: number, { reductionFactor, phmDim }: Options): number =>
  Math.max(phmDim, Math.floor(hidden / reductionFactor / phmDim) * phmDim);

/** Σᵢ Aᵢ ⊗ Wᵢ of A [n, a, b] and W [n, p, q]: [a·p, b·q]. */
function sumOfProducts(b: Builder, rule: Value, w: Value): Value {
  const [n, rows, columns] = rule.type.shape as [number, number, number];
  const [, p, q] = w.type.shape as [number, number, number];
  const products = b.g.matmul(b.g.reshape(rule, [n, rows * columns]), b.g.reshape(w, [n, p * q]), { transA: true });
  const grid = b.g.transpose(b.g.reshape(products, [rows, columns, p, q]), [0, 2, 1, 3]);
  return b.g.reshape(grid, [rows * p, columns * q]);
}

/** Glorot's normal start of a matrix [rows, columns], as AdapterHub draws each W. */
const glorot = (rows: number, columns: number) => ({ normal: Math.sqrt(2 / (rows + columns)) });

/** x·H + b. The rule starts so near zero that the model starts as it was. */
const project =
  (o: Options, sharedRule: string): Projection =>
  (b, module, x, { inFeatures, outFeatures }) => {
    const n = o.phmDim;
    const [p, q] = [inFeatures / n, outFeatures / n];
    const rule = b.added(o.sharedPhmRule ? sharedRule : `${module}.phm_rule`, [n, n, n], { normal: 1e-4 });
    const w = o.factorizedPhmW
      ? b.g.matmul(
          b.added(`${module}.W_left`, [n, p, o.phmRank], glorot(p, o.phmRank)),
          b.added(`${module}.W_right`, [n, o.phmRank, q], glorot(o.phmRank, q)),
        )
      : b.added(`${module}.W`, [n, p, q], glorot(p, q));
    return b.g.add(b.g.matmul(x, sumOfProducts(b, rule, w)), b.added(`${module}.b`, [outFeatures], 'zeros'));
  };

registerMethod({
  type: 'compacter',
  title: 'Compacter',
  family: 'adapter',
  marker: 'frame',
  colour: 'cat-15',
  learningRate: 3e-3,
  exports: ['adapterhub', 'onnx'],
  summary: 'Bottleneck adapters built from shared Kronecker products: a tenth of their parameters or less.',
  help: `**What trains.** The same small networks as with bottleneck adapters, but each projection [d, r] is a sum of n Kronecker products of a small matrix A [n, n] and a matrix W [d/n, r/n] of rank 1. The A are shared by all layers, so a layer adds little more than its biases. A starts near zero, so the model starts unchanged.

**When to use it.** When many tasks are kept beside one base and bytes count: a checkpoint is a few tens of kilobytes. It learns more slowly than a bottleneck adapter of the same width and likes a higher learning rate.

**Options.** phmDim is n; it divides the hidden size, and the width of the bottleneck is a multiple of it. A higher phmRank, or factorizedPhmW switched off, trains more. Pfeiffer's placement is the paper's Compacter++.

Mahabadi et al. 2021, *Compacter: Efficient Low-Rank Hypercomplex Adapter Layers*.`,
  options,
  describe: (o) => `${o.placement === 'houlsby' ? 'Houlsby' : 'Pfeiffer'}, factor ${o.reductionFactor}, n ${o.phmDim}`,
  trains: () => false,
  hooks: (o, { architecture }) => {
    const projection = project(o, `${architecture.prefix}shared_parameters.task.phm_rule`);
    return adapterHooks(o, (b, site, x) => {
      if (site.width % o.phmDim !== 0)
        throw new EngineError(
          'bad-input',
          `method.phmDim: ${o.phmDim} does not divide this model's hidden size, ${site.width}.`,
          `Use one of: ${[1, 2, 3, 4, 6, 8, 12, 16].filter((n) => site.width % n === 0).join(', ')}.`,
          { path: 'method.phmDim' },
        );
      return adapterUp(b, site, x, widthOf(site.width, o), { ...o, scaling: 1 }, projection);
    });
  },
  adapterhub: {
    recognizes: (config) => config['architecture'] === undefined && config['phm_layer'] === true,
    config: z
      .looseObject({
        ...hubAdapterShape,
        ...literals({
          factorized_phm_rule: false,
          learn_phm: true,
          phm_bias: true,
          shared_W_phm: false,
          use_gating: false,
        }),
        scaling: z.literal(1, 'only 1 is supported').optional(),
        phm_dim: z.int().positive(),
        phm_rank: z.int().positive().default(1),
        shared_phm_rule: z.boolean().default(true),
        factorized_phm_W: z.boolean().default(true),
      })
      .transform((config, context) => {
        const { scaling: _one, ...adapter } = readHubAdapter({ ...config, scaling: 1 }, context);
        return {
          type: 'compacter',
          ...adapter,
          phmDim: config.phm_dim,
          phmRank: config.phm_rank,
          sharedPhmRule: config.shared_phm_rule,
          factorizedPhmW: config.factorized_phm_W,
        };
      }),
    write: (o, { hiddenSize }) => {
      const width = widthOf(hiddenSize, o);
      // The library's bottleneck is hidden // factor; where ours was rounded to a multiple of n, the factor has to say so.
      const reductionFactor =
        Math.floor(hiddenSize / o.reductionFactor) === width ? o.reductionFactor : hiddenSize / width;
      return hubAdapterConfig(
        { ...o, reductionFactor, scaling: 1 },
        {
          phm_layer: true,
          phm_dim: o.phmDim,
          phm_rank: o.phmRank,
          shared_phm_rule: o.sharedPhmRule,
          factorized_phm_W: o.factorizedPhmW,
        },
      );
    },
  },
});
