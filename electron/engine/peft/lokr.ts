/**
 * LoKr (Edalati et al. 2022, KronA, arXiv:2212.10650; as an adapter in LyCORIS): W + s·(W₁ ⊗ W₂), s = alpha / r, where a factor
 * that is larger than the rank allows is a product of two. Names, shapes and start as in Hugging Face peft.
 */
import { z } from 'zod';
import type { Value } from '../graph/ir.js';
import type { Builder, DrawnStart } from '../models/builder.js';
import type { NamedTensors, Tensor } from '../types.js';
import { product } from './arithmetic.js';
import { lycorisConfig, lycorisShape, requireLinear } from './config-keys.js';
import { registerMethod } from './method.js';
import { isTarget, modulesWith, targetModules, targetWords } from './targets.js';

const options = z.strictObject({
  type: z.literal('lokr'),
  rank: z
    .int()
    .min(1)
    .max(1024)
    .default(8)
    .describe('Rank of a factor; factors no larger than twice the rank stay whole'),
  alpha: z.number().positive().max(10_000).default(8).describe('The update is scaled by alpha / rank'),
  decomposeBoth: z
    .boolean()
    .default(false)
    .describe('Also splits the left factor where it is larger than twice the rank'),
  decomposeFactor: z
    .int()
    .min(-1)
    .max(65_536)
    .refine((factor) => factor !== 0, 'must be -1 or at least 1')
    .default(-1)
    .describe('Side of the left factor at most; -1: as near to the square root as it divides'),
  targetModules: targetModules(),
});

/** A factor is whole, or a product of `_a` [side, r] and `_b` [r, side]. */
const parts = ['lokr_w1', 'lokr_w1_a', 'lokr_w1_b', 'lokr_w2', 'lokr_w2_a', 'lokr_w2_b'] as const;

/** Two factors of a dimension: `factor` first where it divides, else the most even ones whose smaller is no larger; as in LyCORIS. */
export function factorization(dimension: number, factor: number): readonly [number, number] {
  if (factor > 0 && dimension % factor === 0) return [factor, dimension / factor];
  const most = factor === -1 ? dimension : factor;
  let smaller = 1;
  for (let m = 2; m * m <= dimension && m <= most; m++) if (dimension % m === 0) smaller = m;
  return [smaller, dimension / smaller];
}

/** W₁ or W₂ [rows, columns]. Only the left one starts at zero. */
function factorOf(b: Builder, name: string, rows: number, columns: number, rank: number | null, zero: boolean): Value {
  const drawn = (fan: number): DrawnStart => ({ uniform: 1 / Math.sqrt(fan) });
  if (rank === null) return b.added(name, [rows, columns], zero ? 'zeros' : drawn(columns));
  return b.g.matmul(
    b.added(`${name}_a`, [rows, rank], zero ? 'zeros' : drawn(rank)),
    b.added(`${name}_b`, [rank, columns], drawn(columns)),
  );
}

/** W₁ [a, c] ⊗ W₂ [b, d]: [ab, cd]. */
function kronecker(b: Builder, left: Value, right: Value): Value {
  const { g } = b;
  const [[a, c], [k, d]] = [left.type.shape, right.type.shape] as [[number, number], [number, number]];
  return g.reshape(g.mul(g.reshape(left, [a, 1, c, 1]), g.reshape(right, [1, k, 1, d])), [a * k, c * d]);
}

/** A factor of a module out of trained tensors; null where it has none. */
function trainedFactor(trained: NamedTensors, name: string): Tensor | null {
  const [whole, left, right] = [trained.get(name), trained.get(`${name}_a`), trained.get(`${name}_b`)];
  return whole ?? (left && right ? product(left, right) : null);
}

registerMethod({
  type: 'lokr',
  title: 'LoKr',
  family: 'lora',
  marker: 'triangle-right',
  colour: 'cat-11',
  learningRate: 2e-3,
  exports: ['peft', 'merged', 'onnx'],
  summary: 'The update is a Kronecker product of two small matrices: full rank from few numbers.',
  help: `**What trains.** Beside each chosen weight, two matrices whose Kronecker product has the weight's shape: every number of the first stands for a scaled copy of the second. The second is split into two of rank r where it is large. The update starts at zero.

**When to use it.** When adapters have to be smaller than LoRA's and yet not of low rank. A weight of 384 × 384 needs 16 × 16 and at most 24 × 24 numbers.

**Options.** Small factors stay whole whatever the rank; a higher decompose factor makes the first matrix larger. A step takes longer than LoRA's: the product has to be made whole, and its gradient too.

Edalati et al. 2022, *KronA: Parameter Efficient Tuning with Kronecker Adapter*; Yeh et al. 2023, *Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation*.`,
  options,
  describe: (o) =>
    [
      `r ${o.rank}`,
      ...(o.decomposeFactor === -1 ? [] : [`factor ${o.decomposeFactor}`]),
      ...(o.decomposeBoth ? ['both split'] : []),
      ...targetWords(o.targetModules),
    ].join(', '),
  trains: () => false,
  hooks: (o, { architecture }) => ({
    weight(b, { module, inFeatures, outFeatures }, own) {
      if (!isTarget({ module }, o.targetModules ?? architecture.defaultTargets)) return null;
      const [a, k] = factorization(outFeatures, o.decomposeFactor);
      const [c, d] = factorization(inFeatures, o.decomposeFactor);
      const rankOf = (rows: number, columns: number) => (o.rank < Math.max(rows, columns) / 2 ? o.rank : null);
      const left = factorOf(b, `${module}.lokr_w1`, a, c, o.decomposeBoth ? rankOf(a, c) : null, true);
      const right = factorOf(b, `${module}.lokr_w2`, k, d, rankOf(k, d), false);
      return b.g.add(own(), kronecker(b, b.g.scale(left, o.alpha / o.rank), right));
    },
  }),
  undo: () => 'update',
  merge(name, base, trained, o) {
    const module = name.replace(/\.weight$/, '');
    const [left, right] = ['lokr_w1', 'lokr_w2'].map((factor) => trainedFactor(trained, `${module}.${factor}`));
    if (!left || !right) return null;
    const [[, c], [k, d]] = [left.shape, right.shape] as [[number, number], [number, number]];
    const columns = c * d;
    const scale = o.alpha / o.rank;
    const data = base.data.map((value, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const outer = left.data[Math.floor(row / k) * c + Math.floor(column / d)] as number;
      return value + scale * outer * (right.data[(row % k) * d + (column % d)] as number);
    });
    return { shape: base.shape, data };
  },
  peft: {
    peftType: 'LOKR',
    moduleTensors: parts,
    config: z.looseObject({
      ...lycorisShape,
      decompose_both: z.boolean().default(false),
      decompose_factor: z.int().default(-1),
    }),
    write(o, trained, context) {
      const modules = modulesWith(trained, ...parts);
      requireLinear('LoKr', modules, context);
      return {
        config: {
          ...lycorisConfig(o),
          decompose_both: o.decomposeBoth,
          decompose_factor: o.decomposeFactor,
          rank_dropout_scale: false,
          target_modules: context.targetNames(modules),
        },
        tensors: trained,
      };
    },
    read: (config, tensors, { targetNames }) => ({
      method: {
        type: 'lokr',
        rank: config.r,
        alpha: config.alpha,
        decomposeBoth: config.decompose_both,
        decomposeFactor: config.decompose_factor,
        targetModules: targetNames(modulesWith(tensors, ...parts)),
      },
      parameters: tensors,
    }),
  },
});
