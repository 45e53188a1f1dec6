/** LoRA (Hu et al. 2021, arXiv:2106.09685): Wx + (alpha/r)·B·A·dropout(x), A Kaiming-uniform, B zero. Names as in Hugging Face peft. */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { Tensor } from '../types.js';
import { isTarget, modulesWith, registerMethod } from './method.js';

const pattern = z
  .string()
  .min(1)
  .refine((text) => {
    try {
      return Boolean(new RegExp(text));
    } catch {
      return false;
    }
  }, 'is not a regular expression');

const options = z.strictObject({
  type: z.literal('lora'),
  rank: z.int().min(1).max(1024).default(8).describe('Width of the added bottleneck'),
  alpha: z.number().positive().max(10_000).default(16).describe('The update is scaled by alpha / rank'),
  dropout: z.number().min(0).max(0.9).default(0).describe('Dropout on the input of A'),
  targetModules: z
    .union([z.array(z.string().min(1)).min(1), pattern])
    .optional()
    .describe(
      "Linear layers by name, or one regular expression over the whole path; left out: the architecture's query and value",
    ),
});

const emptyPattern = z
  .record(z.string(), z.number())
  .refine(
    (pattern) => Object.keys(pattern).length === 0,
    'different ranks or alphas for some layers are not supported',
  );

const peftConfig = z.looseObject({
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(1).default(0),
  use_dora: z.literal(false, 'DoRA is not supported').optional(),
  use_rslora: z.boolean().default(false),
  bias: z.literal('none', 'trained biases are not supported; only "none" is').optional(),
  lora_bias: z.literal(false, 'a bias on B is not supported').optional(),
  rank_pattern: emptyPattern.nullish(),
  alpha_pattern: emptyPattern.nullish(),
  layer_replication: z.null('replicated layers are not supported').optional(),
});

registerMethod({
  type: 'lora',
  title: 'LoRA',
  marker: 'circle',
  colour: 'cat-1',
  learningRate: 1e-3,
  exports: ['peft', 'merged', 'onnx'],
  summary: 'Adds a low-rank update to chosen linear layers; merges into them afterwards.',
  help: `**What trains.** Beside each chosen weight W [out, in], two small matrices A [r, in] and B [out, r]. The layer computes Wx + (alpha / r) · B A x. B starts at zero, so training starts at the base model.

**When to use it.** A sound first choice: few parameters, no cost at inference once merged, and the format most tools read. Raise the rank or add target modules (key, output, feed-forward layers) if it stays behind full fine-tuning.

**Options.** Rank 4 to 16 is usual; alpha is often twice the rank. Learning rates run about ten times higher than for full fine-tuning.

Hu et al. 2021, *LoRA: Low-Rank Adaptation of Large Language Models*.`,
  options,
  describe: (o) =>
    `r ${o.rank}${o.targetModules === undefined ? '' : `, ${typeof o.targetModules === 'string' ? o.targetModules : o.targetModules.join(' ')}`}`,
  trains: () => false,
  hooks: (o, { architecture }) => ({
    linear(b, site, x, y) {
      if (!isTarget(site, o.targetModules ?? architecture.defaultTargets)) return y;
      const down = b.added(`${site.module}.lora_A.weight`, [o.rank, site.inFeatures], {
        uniform: 1 / Math.sqrt(site.inFeatures),
      });
      const up = b.added(`${site.module}.lora_B.weight`, [site.outFeatures, o.rank], 'zeros');
      const inner = b.g.matmul(b.dropout(x, o.dropout), down, { transB: true });
      return b.g.add(y, b.g.matmul(inner, up, { transB: true, alpha: o.alpha / o.rank }));
    },
  }),
  merge(name, base, trained, o) {
    const module = name.replace(/\.weight$/, '');
    const [down, up] = [trained.get(`${module}.lora_A.weight`), trained.get(`${module}.lora_B.weight`)];
    if (!down || !up) return null;
    return addProduct(base, up, down, o.alpha / o.rank);
  },
  peft: {
    peftType: 'LORA',
    moduleTensors: ['lora_A.weight', 'lora_B.weight'],
    config: peftConfig,
    write: (o, trained, { targetNames }) => ({
      config: {
        alpha_pattern: {},
        bias: 'none',
        exclude_modules: null,
        fan_in_fan_out: false,
        init_lora_weights: true,
        layer_replication: null,
        layers_pattern: null,
        layers_to_transform: null,
        lora_alpha: o.alpha,
        lora_bias: false,
        lora_dropout: o.dropout,
        r: o.rank,
        rank_pattern: {},
        target_modules: targetNames(modulesWith(trained, 'lora_A.weight')),
        use_dora: false,
        use_rslora: false,
      },
      tensors: trained,
    }),
    read: (config, tensors, { targetNames }) => ({
      method: {
        type: 'lora',
        rank: config.r,
        alpha: config.use_rslora ? config.lora_alpha * Math.sqrt(config.r) : config.lora_alpha,
        dropout: config.lora_dropout,
        // peft's short names may choose other modules here if the base is another one: what the file holds decides.
        targetModules: targetNames(modulesWith(tensors, 'lora_A.weight')),
      },
      parameters: tensors,
    }),
  },
});

/** W + scale · B·A for W [out, in], B [out, r], A [r, in]. */
function addProduct(base: Tensor, up: Tensor, down: Tensor, scale: number): Tensor {
  const [rows, columns] = base.shape as [number, number];
  const rank = down.shape[0] as number;
  if (up.shape[0] !== rows || down.shape[1] !== columns)
    throw new EngineError(
      'bad-input',
      `A LoRA of shape [${up.shape[0]}, ${down.shape[1]}] does not fit a weight of shape [${rows}, ${columns}].`,
    );
  const data = Float32Array.from(base.data);
  for (let i = 0; i < rows; i++) {
    for (let r = 0; r < rank; r++) {
      const factor = scale * (up.data[i * rank + r] as number);
      for (let j = 0; j < columns; j++)
        data[i * columns + j] = (data[i * columns + j] as number) + factor * (down.data[r * columns + j] as number);
    }
  }
  return { shape: base.shape, data };
}
