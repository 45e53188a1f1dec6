/**
 * AdaLoRA (Zhang et al. 2023, arXiv:2303.10512): Wx + s·P·Λ·Q·dropout(x) with Λ diagonal, P and Q held near orthogonal by a
 * penalty, s = alpha / (r + 1e-5). Training starts at rank `initRank` everywhere and sets the least important entries of Λ to
 * zero until `targetRank` a layer is left on average (rank-allocator.ts). Names and numbers as in Hugging Face peft, which calls
 * Q lora_A [r, in], Λ lora_E [r, 1] and P lora_B [out, r].
 */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { NamedTensors, Tensor } from '../types.js';
import { addProduct, mapped } from './arithmetic.js';
import { noBias } from './config-keys.js';
import { registerMethod } from './method.js';
import { RankAllocator, svdParts } from './rank-allocator.js';
import { isTarget, modulesWith, targetModules, targetWords } from './targets.js';

const rate = z.number().gt(0).lt(1).default(0.85);
const stepCount = z.int().min(0).max(1_000_000_000);

const options = z
  .strictObject({
    type: z.literal('adalora'),
    initRank: z.int().min(1).max(1024).default(12).describe('Rank of every update at the start'),
    targetRank: z.int().min(1).max(1024).default(8).describe('Rank an update keeps in the end, on average'),
    alpha: z.number().positive().max(10_000).default(16).describe('The update is scaled by alpha / initial rank'),
    dropout: z.number().min(0).max(0.9).default(0).describe("Dropout on the update's input"),
    tinit: stepCount.optional().describe('Steps before ranks are cut; left out: a tenth of the run'),
    tfinal: stepCount
      .optional()
      .describe('Steps at the end in which the ranks stay; left out: three tenths of the run'),
    deltaT: z.int().min(1).max(1_000_000).default(1).describe('Steps from one cut to the next'),
    beta1: rate.describe('Smoothing of the importance over steps'),
    beta2: rate.describe('Smoothing of its fluctuation'),
    orthRegWeight: z
      .number()
      .min(0)
      .max(1000)
      .default(0.5)
      .describe('Weight of the penalty on vectors that are not orthogonal'),
    targetModules: targetModules(),
  })
  .refine((o) => o.targetRank <= o.initRank, { path: ['targetRank'], message: 'must not be above initRank' });

/** peft's guard against a rank of 0. */
const scaleOf = (o: { alpha: number; initRank: number }) => o.alpha / (o.initRank + 1e-5);
const { right, values, left } = svdParts;

/** Rows (or of P the columns) whose singular value is not zero; null where none is cut, or nothing is left to tell. */
function rankPattern(trained: NamedTensors): ReadonlyMap<string, readonly boolean[]> | null {
  const pattern = new Map(
    [...modulesWith(trained, values)].map((module) => [
      module,
      Array.from((trained.get(`${module}.${values}`) as Tensor).data, (value) => value !== 0),
    ]),
  );
  const flags = [...pattern.values()].flat();
  return flags.includes(true) && flags.includes(false) ? pattern : null;
}

/** Takes rows (`axis` 0) or columns (1) out of a matrix where `kept` is, or puts them back between zeros. */
function resized(x: Tensor, kept: readonly boolean[], axis: 0 | 1, direction: 'cut' | 'fill'): Tensor {
  const places = kept.flatMap((keep, i) => (keep ? [i] : []));
  const length = direction === 'cut' ? places.length : kept.length;
  const shape = axis === 0 ? [length, x.shape[1] as number] : [x.shape[0] as number, length];
  const data = new Float32Array((shape[0] as number) * (shape[1] as number));
  const at = (own: readonly number[], place: number, other: number) =>
    axis === 0 ? place * (own[1] as number) + other : other * (own[1] as number) + place;
  const others = x.shape[1 - axis] as number;
  places.forEach((place, i) => {
    const [from, to] = direction === 'cut' ? [place, i] : [i, place];
    for (let other = 0; other < others; other++)
      data[at(shape, to, other)] = x.data[at(x.shape, from, other)] as number;
  });
  return { shape, data };
}

registerMethod({
  type: 'adalora',
  title: 'AdaLoRA',
  family: 'lora',
  marker: 'trapezoid',
  colour: 'cat-13',
  learningRate: 2e-3,
  exports: ['peft', 'merged', 'onnx'],
  summary: 'Low-rank updates that share one budget of ranks: layers that need more keep more.',
  help: `**What trains.** Beside each chosen weight, an update in the form of a singular value decomposition: vectors P and Q and a value for each pair of them. Training starts with the same rank everywhere. Then the least important values are set to zero step by step, across all layers, until the target is reached.

**When to use it.** When it is not known which layers matter: the budget goes where the importance is. It wants a longer run than LoRA, since ranks are cut while it learns; on short runs LoRA is the safer choice.

**Options.** The initial rank is usually half as much again as the target. Ranks stay whole for the first *tinit* steps and are settled for the last *tfinal*. With an initial rank equal to the target nothing is cut. The loss that is shown while it trains holds the penalty on P and Q; validation and test losses do not.

Zhang et al. 2023, *AdaLoRA: Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning*.`,
  options,
  describe: (o) => [`r ${o.initRank} to ${o.targetRank}`, ...targetWords(o.targetModules)].join(', '),
  trains: () => false,
  hooks: (o, { architecture }) => ({
    linear(b, site, x, y) {
      if (!isTarget(site, o.targetModules ?? architecture.defaultTargets)) return y;
      const { g } = b;
      const q = b.added(`${site.module}.${right}`, [o.initRank, site.inFeatures], { normal: 0.02 });
      const lambda = b.added(`${site.module}.${values}`, [o.initRank, 1], 'zeros');
      const p = b.added(`${site.module}.${left}`, [site.outFeatures, o.initRank], { normal: 0.02 });
      const inner = g.matmul(b.dropout(x, o.dropout), g.mul(q, lambda), { transB: true });
      return g.add(y, g.matmul(inner, p, { transB: true, alpha: scaleOf(o) }));
    },
    // Mean over all P and Q of ‖PᵀP - I‖ and ‖QQᵀ - I‖
    penalty(b) {
      const { g } = b;
      if (o.orthRegWeight === 0) return null;
      const identity = g.constant(
        Float32Array.from({ length: o.initRank ** 2 }, (_, i) => (i % (o.initRank + 1) === 0 ? 1 : 0)),
        [o.initRank, o.initRank],
      );
      const terms = [...b.parameters.values()].flatMap(({ name, shape, initializer }) => {
        if (!name.endsWith(`.${right}`) && !name.endsWith(`.${left}`)) return [];
        const x = b.added(name, shape, initializer);
        const gram = name.endsWith(`.${left}`) ? g.matmul(x, x, { transA: true }) : g.matmul(x, x, { transB: true });
        const off = g.sub(gram, identity);
        return [g.sqrt(g.total(g.mul(off, off)))];
      });
      return g.scale(
        terms.reduce((sum, term) => g.add(sum, term)),
        o.orthRegWeight / terms.length,
      );
    },
  }),
  watch(o, trained, steps) {
    const [tinit, tfinal] = [o.tinit ?? Math.floor(steps / 10), o.tfinal ?? Math.floor((steps * 3) / 10)];
    if (steps > 0 && tinit + tfinal >= steps)
      throw new EngineError(
        'bad-input',
        `method.tinit: ${tinit} steps at the start and ${tfinal} at the end (tfinal) leave none of ${steps} to cut ranks in.`,
        'Make them smaller, or the run longer.',
        { path: 'method.tinit', steps },
      );
    return new RankAllocator(trained, { ...o, tinit, tfinal, steps });
  },
  undo: () => 'update',
  merge(name, base, trained, o) {
    const module = name.replace(/\.weight$/, '');
    const [q, lambda, p] = [right, values, left].map((part) => trained.get(`${module}.${part}`));
    if (!q || !lambda || !p) return null;
    return addProduct(
      base,
      p,
      mapped(q, (value, row) => value * (lambda.data[row] as number)),
      scaleOf(o),
    );
  },
  peft: {
    peftType: 'ADALORA',
    start: ({ tinit, tfinal }) => ({ config: { tinit: tinit ?? null, tfinal: tfinal ?? null, rank_pattern: null } }),
    moduleTensors: Object.values(svdParts),
    config: z.looseObject({
      init_r: z.int().positive(),
      target_r: z.int().positive(),
      lora_alpha: z.number().positive(),
      lora_dropout: z.number().min(0).max(1).default(0),
      tinit: z.int().min(0).default(0),
      tfinal: z.int().min(0).default(0),
      deltaT: z.int().positive().default(1),
      beta1: rate,
      beta2: rate,
      orth_reg_weight: z.number().min(0).default(0.5),
      rank_pattern: z.record(z.string(), z.array(z.boolean())).nullish(),
      bias: noBias,
    }),
    /** Cut ranks are left out of the file, as peft does it. */
    write(o, trained, { targetNames }) {
      const pattern = rankPattern(trained);
      const tensors: NamedTensors = new Map(trained);
      for (const [module, kept] of pattern ?? [])
        for (const part of Object.values(svdParts)) {
          const name = `${module}.${part}`;
          tensors.set(name, resized(trained.get(name) as Tensor, kept, part === left ? 1 : 0, 'cut'));
        }
      return {
        config: {
          beta1: o.beta1,
          beta2: o.beta2,
          bias: 'none',
          deltaT: o.deltaT,
          exclude_modules: null,
          fan_in_fan_out: false,
          init_lora_weights: true,
          init_r: o.initRank,
          layers_pattern: null,
          layers_to_transform: null,
          lora_alpha: o.alpha,
          lora_dropout: o.dropout,
          orth_reg_weight: o.orthRegWeight,
          rank_pattern:
            pattern && Object.fromEntries([...pattern].map(([module, kept]) => [`${module}.${values}`, kept])),
          target_modules: targetNames(modulesWith(trained, values)),
          target_r: o.targetRank,
          tfinal: o.tfinal ?? 0,
          tinit: o.tinit ?? 0,
          // peft refuses a config without one; it plays no part once trained.
          total_step: (o.tinit ?? 0) + (o.tfinal ?? 0) + 1,
        },
        tensors,
      };
    },
    read(config, tensors, { targetNames }) {
      const parameters: NamedTensors = new Map(tensors);
      const patterns = Object.entries(config.rank_pattern ?? {}).map(
        ([name, kept]) =>
          [name.replace(/^base_model\.model\./, '').replace(/\.lora_E(\.default)?$/, ''), kept] as const,
      );
      for (const module of modulesWith(tensors, values)) {
        const kept = patterns.find(([name]) => module === name || module.endsWith(`.${name}`))?.[1];
        if (!kept) continue;
        const rank = tensors.get(`${module}.${values}`)?.shape[0] ?? 0;
        if (kept.length !== config.init_r || kept.filter(Boolean).length !== rank)
          throw new EngineError(
            'bad-file',
            `rank_pattern: ${module} keeps ${kept.filter(Boolean).length} of ${kept.length} ranks, the file holds ${rank} of ${config.init_r}.`,
            'The settings and the weights are not of one adapter; save it again.',
            { field: 'rank_pattern', module },
          );
        for (const part of Object.values(svdParts)) {
          const name = `${module}.${part}`;
          const tensor = tensors.get(name);
          if (tensor) parameters.set(name, resized(tensor, kept, part === left ? 1 : 0, 'fill'));
        }
      }
      return {
        method: {
          type: 'adalora',
          initRank: config.init_r,
          targetRank: config.target_r,
          alpha: config.lora_alpha,
          dropout: config.lora_dropout,
          tinit: config.tinit,
          tfinal: config.tfinal,
          deltaT: config.deltaT,
          beta1: config.beta1,
          beta2: config.beta2,
          orthRegWeight: config.orth_reg_weight,
          targetModules: targetNames(modulesWith(tensors, values)),
        },
        parameters,
      };
    },
  },
});
