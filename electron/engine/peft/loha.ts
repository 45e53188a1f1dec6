/**
 * LoHa (Hyeon-Woo et al. 2021, FedPara, arXiv:2108.06098; as an adapter in LyCORIS): W + s·(B₁·A₁) ⊙ (B₂·A₂), s = alpha / r. The
 * elementwise product of two matrices of rank r has up to rank r². Names, shapes and start as in Hugging Face peft.
 */
import { z } from 'zod';
import { product } from './arithmetic.js';
import { lycorisConfig, lycorisShape, requireLinear } from './config-keys.js';
import { registerMethod } from './method.js';
import { isTarget, modulesWith, targetModules, targetWords } from './targets.js';

const options = z.strictObject({
  type: z.literal('loha'),
  rank: z
    .int()
    .min(1)
    .max(1024)
    .default(8)
    .describe('Rank of each of the two factors; their product has up to its square'),
  alpha: z.number().positive().max(10_000).default(8).describe('The update is scaled by alpha / rank'),
  targetModules: targetModules(),
});

const parts = { up1: 'hada_w1_a', down1: 'hada_w1_b', up2: 'hada_w2_a', down2: 'hada_w2_b' } as const;

registerMethod({
  type: 'loha',
  title: 'LoHa',
  family: 'lora',
  marker: 'triangle-left',
  colour: 'cat-10',
  learningRate: 1e-3,
  exports: ['peft', 'merged', 'onnx'],
  summary: 'The update is the elementwise product of two low-rank matrices: a higher rank for the same size.',
  help: `**What trains.** Beside each chosen weight, two pairs of small matrices. Each pair makes a matrix of rank r; the update is their elementwise product, whose rank can reach r². It starts at zero.

**When to use it.** When LoRA's rank is too low for the task and a higher one would be too large: rank 8 here trains as many numbers as LoRA at rank 16 and can reach rank 64.

**Options.** Ranks of 4 to 8 are usual. A step takes longer than LoRA's: the product has to be made whole, and its gradient too.

Hyeon-Woo et al. 2021, *FedPara: Low-Rank Hadamard Product for Communication-Efficient Federated Learning*.`,
  options,
  describe: (o) => [`r ${o.rank}`, ...targetWords(o.targetModules)].join(', '),
  trains: () => false,
  hooks: (o, { architecture }) => ({
    weight(b, { module, inFeatures, outFeatures }, own) {
      if (!isTarget({ module }, o.targetModules ?? architecture.defaultTargets)) return null;
      const { g } = b;
      const [outer, inner] = [1 / Math.sqrt(o.rank), 1 / Math.sqrt(inFeatures)];
      const [first, second] = [
        g.matmul(
          b.added(`${module}.${parts.up1}`, [outFeatures, o.rank], { uniform: outer }),
          b.added(`${module}.${parts.down1}`, [o.rank, inFeatures], { uniform: inner }),
          { alpha: o.alpha / o.rank },
        ),
        g.matmul(
          b.added(`${module}.${parts.up2}`, [outFeatures, o.rank], { uniform: outer }),
          b.added(`${module}.${parts.down2}`, [o.rank, inFeatures], 'zeros'),
        ),
      ];
      return g.add(own(), g.mul(first, second));
    },
  }),
  undo: () => 'update',
  merge(name, base, trained, o) {
    const module = name.replace(/\.weight$/, '');
    const of = (part: string) => trained.get(`${module}.${part}`);
    const [up1, down1, up2, down2] = [of(parts.up1), of(parts.down1), of(parts.up2), of(parts.down2)];
    if (!up1 || !down1 || !up2 || !down2) return null;
    const [first, second] = [product(up1, down1), product(up2, down2)];
    const scale = o.alpha / o.rank;
    const { shape } = base;
    return {
      shape,
      data: base.data.map((value, i) => value + scale * (first.data[i] as number) * (second.data[i] as number)),
    };
  },
  peft: {
    peftType: 'LOHA',
    moduleTensors: Object.values(parts),
    config: z.looseObject(lycorisShape),
    write(o, trained, context) {
      const modules = modulesWith(trained, parts.up1);
      requireLinear('LoHa', modules, context);
      return {
        config: {
          ...lycorisConfig(o),
          target_modules: context.targetNames(modules),
        },
        tensors: trained,
      };
    },
    read: (config, tensors, { targetNames }) => ({
      method: {
        type: 'loha',
        rank: config.r,
        alpha: config.alpha,
        targetModules: targetNames(modulesWith(tensors, parts.up1)),
      },
      parameters: tensors,
    }),
  },
});
