/**
 * LoRA (Hu et al. 2021, arXiv:2106.09685): Wx + s·B·A·dropout(x), A Kaiming-uniform, B zero, s = alpha / r. Names as in Hugging
 * Face peft. Options of it: rsLoRA (Kalajdzievski 2023, arXiv:2312.03732): s = alpha / √r. DoRA (Liu et al. 2024,
 * arXiv:2402.09353): each row of W + s·B·A gets a trained length. LoRA+ (Hayou et al. 2024, arXiv:2402.12354): a higher learning
 * rate for B. PiSSA (Meng et al. 2024, arXiv:2404.02948): A and B start from W's largest singular values.
 */
import { z } from 'zod';
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import type { LinearSite } from '../models/types.js';
import type { MethodSpec, NamedTensors, Tensor } from '../types.js';
import { addProduct, below, beside, mapped, readWeight, rowLengths } from './arithmetic.js';
import { emptyPattern, noBias } from './config-keys.js';
import { registerMethod } from './method.js';
import { principalParts, type PrincipalParts } from './singular-values.js';
import { isTarget, modulesWith, targetModules, targetWords } from './targets.js';

const options = z.strictObject({
  type: z.literal('lora'),
  rank: z.int().min(1).max(1024).default(8).describe('Width of the added bottleneck'),
  alpha: z.number().positive().max(10_000).default(16).describe('The update is scaled by alpha / rank'),
  dropout: z.number().min(0).max(0.9).default(0).describe('Dropout on the input of A'),
  useRslora: z
    .boolean()
    .default(false)
    .meta({ title: 'rsLoRA', description: 'Scales by alpha / √rank, so that high ranks keep learning' }),
  useDora: z
    .boolean()
    .default(false)
    .meta({ title: 'DoRA', description: 'Trains the length of each row of the weight apart from its direction' }),
  loraPlusRatio: z
    .number()
    .min(1)
    .max(1000)
    .default(1)
    .meta({ title: 'LoRA+ ratio', description: 'The learning rate of B divided by that of A; 1 is plain LoRA' }),
  initialization: z
    .enum(['default', 'pissa'])
    .default('default')
    .describe("default: A random, B zero; pissa: both from the weight's largest singular values"),
  targetModules: targetModules(),
});
type Options = z.output<typeof options>;

const parts = {
  down: 'lora_A.weight',
  up: 'lora_B.weight',
  magnitude: 'lora_magnitude_vector',
  firstDown: 'pissa_A.weight',
  firstUp: 'pissa_B.weight',
} as const;

const scaleOf = ({ alpha, rank, useRslora }: Pick<Options, 'alpha' | 'rank' | 'useRslora'>) =>
  alpha / (useRslora ? Math.sqrt(rank) : rank);

/** A [r, in], Kaiming-uniform, and B [out, r], zero. */
export const plainFactors = (b: Builder, site: LinearSite, rank: number): { down: Value; up: Value } => ({
  down: b.added(`${site.module}.${parts.down}`, [rank, site.inFeatures], { uniform: 1 / Math.sqrt(site.inFeatures) }),
  up: b.added(`${site.module}.${parts.up}`, [site.outFeatures, rank], 'zeros'),
});

/** A [k, in] and B [out, k] whose product is the update: k is r, or 2r where PiSSA's start is taken off again. */
function factors(b: Builder, site: LinearSite, o: Options, start: PrincipalParts): { down: Value; up: Value } {
  const { g } = b;
  if (o.initialization === 'default') return plainFactors(b, site, o.rank);
  const [downShape, upShape] = [
    [o.rank, site.inFeatures],
    [site.outFeatures, o.rank],
  ] as const;
  // PiSSA trains B·A against the rest of W. The base file stays as it is: W + s(B·A - B₀·A₀) is the same weight.
  const [down, up] = start(site);
  const fixed = { fixed: true };
  return {
    down: g.concat(
      [
        b.added(`${site.module}.${parts.down}`, downShape, down),
        b.added(`${site.module}.${parts.firstDown}`, downShape, down, fixed),
      ],
      0,
    ),
    up: g.concat(
      [
        b.added(`${site.module}.${parts.up}`, upShape, up),
        g.neg(b.added(`${site.module}.${parts.firstUp}`, upShape, up, fixed)),
      ],
      1,
    ),
  };
}

interface Update {
  /** What the layer sees [n, in], and the same with dropout. */
  readonly x: Value;
  readonly dropped: Value;
  readonly down: Value;
  readonly up: Value;
  readonly scale: number;
  /** s·B·A·dropout(x): [n, out]. */
  readonly update: Value;
}

/** m/‖W + s·B·A‖ · (W + s·B·A)x + b, the length of each row without gradient (section 4.3 of the paper): [n, out]. */
function withMagnitude(b: Builder, site: LinearSite, y: Value, { x, dropped, down, up, scale, update }: Update): Value {
  const { g } = b;
  const weight = b.weight(site);
  const magnitude = b.added(`${site.module}.${parts.magnitude}`, [site.outFeatures], {
    from: async ({ read }) => rowLengths(await readWeight(site, read)),
  });
  const moved = g.add(weight, g.matmul(g.detach(up), g.detach(down), { alpha: scale }));
  const factor = g.div(magnitude, g.sqrt(g.reduceSum(g.mul(moved, moved), [1])));
  if (dropped !== x) {
    const seen = g.matmul(dropped, weight, { transB: true });
    return g.add(y, g.add(g.mul(g.sub(factor, g.scalar(1)), seen), g.mul(factor, update)));
  }
  const bias = site.bias === false ? null : b.base(`${site.module}.bias`, [site.outFeatures]);
  const turned = g.mul(factor, g.add(bias ? g.sub(y, bias) : y, update));
  return bias ? g.add(turned, bias) : turned;
}

/** Is a tensor, by its name, one that LoRA added? */
export const isLoraPart = (name: string): boolean => Object.values(parts).some((part) => name.endsWith(`.${part}`));

/** A [r, in] and B [out, r] of an update. */
export interface LoraPair {
  readonly down: Tensor;
  readonly up: Tensor;
}

/** The update's factors of one module out of trained tensors, as one pair; null where it has none. */
function pairOf(trained: NamedTensors, module: string): LoraPair | null {
  const of = (part: string) => trained.get(`${module}.${part}`);
  const [down, up, firstDown, firstUp] = [of(parts.down), of(parts.up), of(parts.firstDown), of(parts.firstUp)];
  if (!down || !up) return null;
  if (!firstDown || !firstUp) return { down, up };
  return {
    down: below(down, firstDown),
    up: beside(
      up,
      mapped(firstUp, (value) => -value),
    ),
  };
}

/** The update of each module that a run of LoRA acts on. */
export function loraPairs(trained: NamedTensors): ReadonlyMap<string, LoraPair> {
  return new Map([...modulesWith(trained, parts.down)].map((module) => [module, pairOf(trained, module) as LoraPair]));
}

/** Factor of B·A. Throws ZodError for another method's options. */
export const loraScale = (method: MethodSpec): number => scaleOf(options.parse(method));

/** Starts that change the base's own weights, which no adapter's file tells. */
const changesBase = (value: unknown) => typeof value === 'string' && /^(pissa|olora|corda|loftq)/.test(value);

const peftConfig = z.looseObject({
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(1).default(0),
  use_dora: z.boolean().default(false),
  use_rslora: z.boolean().default(false),
  init_lora_weights: z
    .unknown()
    .refine(
      (value) => !changesBase(value),
      'starts that change the base are not supported; save it as a plain LoRA (path_initial_model_for_weight_conversion)',
    ),
  bias: noBias,
  lora_bias: z.literal(false, 'a bias on B is not supported').optional(),
  rank_pattern: emptyPattern.nullish(),
  alpha_pattern: emptyPattern.nullish(),
  layer_replication: z.null('replicated layers are not supported').optional(),
  alora_invocation_tokens: z.null('activated LoRA is not supported').optional(),
});

registerMethod({
  type: 'lora',
  title: 'LoRA',
  family: 'lora',
  marker: 'circle',
  colour: 'cat-1',
  learningRate: 1e-3,
  exports: ['peft', 'merged', 'onnx'],
  summary: 'Adds a low-rank update to chosen linear layers; merges into them afterwards.',
  help: `**What trains.** Beside each chosen weight W [out, in], two small matrices A [r, in] and B [out, r]. The layer computes Wx + (alpha / r) · B A x. B starts at zero, so training starts at the base model.

**When to use it.** A sound first choice: few parameters, no cost at inference once merged, and the format most tools read. Raise the rank or add target modules (key, output, feed-forward layers) if it stays behind full fine-tuning.

**Options.** Rank 4 to 16 is usual; alpha is often twice the rank. Learning rates run about ten times higher than for full fine-tuning.

- *rsLoRA* scales by alpha / √r instead: with ranks above 32 the plain scale slows learning down.
- *DoRA* also trains the length of each row of the weight. It often gains a little at low ranks and costs a few percent of time, since the lengths are measured in every step.
- *LoRA+* lets B learn faster than A. The paper's ratio is 16; lower the learning rate a little with it.
- *PiSSA* starts A and B from the weight's largest singular values rather than from noise, so they begin with the directions that matter most. It often converges faster. Finding them takes a second or so a weight before the first step, and the saved adapter holds the start too: twice the size.

Hu et al. 2021, *LoRA: Low-Rank Adaptation of Large Language Models*; Kalajdzievski 2023, *A Rank Stabilization Scaling Factor*; Liu et al. 2024, *DoRA: Weight-Decomposed Low-Rank Adaptation*; Hayou et al. 2024, *LoRA+*; Meng et al. 2024, *PiSSA*.`,
  options,
  describe: (o) =>
    [
      `r ${o.rank}`,
      ...(o.useDora ? ['DoRA'] : []),
      ...(o.useRslora ? ['rsLoRA'] : []),
      ...(o.initialization === 'pissa' ? ['PiSSA'] : []),
      ...(o.loraPlusRatio === 1 ? [] : [`LoRA+ ${o.loraPlusRatio}`]),
      ...targetWords(o.targetModules),
    ].join(', '),
  trains: () => false,
  // As peft's create_loraplus_optimizer groups them: B, and vectors.
  rate: (name, o) => (/\.(lora_B\.weight|lora_magnitude_vector|bias)$/.test(name) ? o.loraPlusRatio : 1),
  hooks(o, { architecture }) {
    const scale = scaleOf(o);
    const start = principalParts(o.rank, scale);
    return {
      linear(b, site, x, y) {
        if (!isTarget(site, o.targetModules ?? architecture.defaultTargets)) return y;
        const { down, up } = factors(b, site, o, start);
        const dropped = b.dropout(x, o.dropout);
        const inner = b.g.matmul(dropped, down, { transB: true });
        const update = b.g.matmul(inner, up, { transB: true, alpha: scale });
        return o.useDora ? withMagnitude(b, site, y, { x, dropped, down, up, scale, update }) : b.g.add(y, update);
      },
    };
  },
  undo: (o) =>
    o.useDora
      ? { reason: 'Merged, DoRA gives each row the length that it trained, and the length that the row had is lost.' }
      : 'update',
  merge(name, base, trained, o) {
    const module = name.replace(/\.weight$/, '');
    const pair = pairOf(trained, module);
    if (!pair) return null;
    const moved = addProduct(base, pair.up, pair.down, scaleOf(o));
    const magnitude = trained.get(`${module}.${parts.magnitude}`);
    if (!magnitude) return moved;
    const lengths = rowLengths(moved);
    return mapped(moved, (value, row) => (value * (magnitude.data[row] as number)) / (lengths[row] as number));
  },
  peft: {
    peftType: 'LORA',
    start: ({ initialization }) =>
      initialization === 'pissa'
        ? { reason: "peft starts PiSSA by changing the base's own weights, so what it saves is no PiSSA run here" }
        : { config: {} },
    moduleTensors: [parts.down, parts.up, parts.magnitude],
    config: peftConfig,
    write(o, trained, { targetNames }) {
      const modules = modulesWith(trained, parts.down);
      const tensors: NamedTensors = new Map();
      for (const module of modules) {
        const pair = pairOf(trained, module);
        if (!pair) continue;
        tensors.set(`${module}.${parts.down}`, pair.down).set(`${module}.${parts.up}`, pair.up);
        const magnitude = trained.get(`${module}.${parts.magnitude}`);
        if (magnitude) tensors.set(`${module}.${parts.magnitude}`, magnitude);
      }
      // As peft converts PiSSA: a plain LoRA of twice the rank, at the same scale.
      const times = o.initialization === 'pissa' ? 2 : 1;
      return {
        config: {
          alpha_pattern: {},
          bias: 'none',
          exclude_modules: null,
          fan_in_fan_out: false,
          init_lora_weights: true,
          layer_replication: null,
          layers_pattern: null,
          layers_to_transform: null,
          lora_alpha: o.alpha * (o.useRslora ? Math.sqrt(times) : times),
          lora_bias: false,
          lora_dropout: o.dropout,
          r: o.rank * times,
          rank_pattern: {},
          target_modules: targetNames(modules),
          use_dora: o.useDora,
          use_rslora: o.useRslora,
        },
        tensors,
      };
    },
    read: (config, tensors, { targetNames }) => ({
      method: {
        type: 'lora',
        rank: config.r,
        alpha: config.lora_alpha,
        dropout: config.lora_dropout,
        useRslora: config.use_rslora,
        useDora: config.use_dora,
        // peft's short names may choose other modules here if the base is another one: what the file holds decides.
        targetModules: targetNames(modulesWith(tensors, parts.down)),
      },
      parameters: tensors,
    }),
  },
});
