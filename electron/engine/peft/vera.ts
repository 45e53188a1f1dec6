/**
 * VeRA (Kopiczko et al. 2023, arXiv:2310.11454): Wx + λ_b ⊙ B(λ_d ⊙ A·dropout(x)) with A and B random, frozen and shared by all
 * layers; only the vectors train. Shapes, names and start as in Hugging Face peft: A and B are as large as the largest target
 * needs, and each layer takes their first columns and rows.
 */
import { z } from 'zod';
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import { linearSites } from '../models/sites.js';
import { initialize } from '../runtime/random.js';
import type { NamedTensors, Tensor } from '../types.js';
import { addProduct, mapped } from './arithmetic.js';
import { noBias } from './config-keys.js';
import { registerMethod } from './method.js';
import { isTarget, modulesWith, targetModules, targetWords } from './targets.js';

const options = z.strictObject({
  type: z.literal('vera'),
  rank: z.int().min(1).max(8192).default(256).describe('Width of the shared random matrices; they do not train'),
  dropout: z.number().min(0).max(0.9).default(0).describe('Dropout on the input of A'),
  dInitial: z.number().positive().max(10).default(0.1).describe('What the vector on the inner side starts with'),
  projectionPrngKey: z
    .int()
    .min(0)
    .max(2 ** 31)
    .default(0)
    .describe('Seed of the shared random matrices'),
  targetModules: targetModules(),
});

const parts = { inner: 'vera_lambda_d', outer: 'vera_lambda_b' } as const;
/** Names in the engine, and with peft's model before them in its files. */
const shared = { down: 'vera_A', up: 'vera_B' } as const;
const inFile = { down: 'base_model.vera_A', up: 'base_model.vera_B' } as const;

/** He's uniform start [rows, columns], a function of the key and the name: every run has the same. */
function projection(b: Builder, name: string, rows: number, columns: number, key: number): Value {
  const start = { uniform: Math.sqrt(6 / columns) };
  const from = () => Promise.resolve(initialize(name, rows * columns, start, key));
  return b.added(name, [rows, columns], { from }, { fixed: true });
}

const cut = (x: Tensor, rows: number, columns: number): Tensor => ({
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return x.data[row * (x.shape[1] as number) + column] as number;
  }),
});

registerMethod({
  type: 'vera',
  title: 'VeRA',
  family: 'lora',
  marker: 'hexagon',
  colour: 'cat-12',
  learningRate: 5e-3,
  exports: ['peft', 'merged', 'onnx'],
  summary: 'One pair of random matrices for all layers; only two vectors a layer train.',
  help: `**What trains.** Two vectors beside each chosen weight: one of r numbers and one as long as the layer's output. They scale the inside and the outcome of two random matrices A and B that never train and that all layers share.

**When to use it.** When many adapters must be kept and each has to be tiny: it trains about a tenth of what LoRA does at rank 8. It needs a higher learning rate, and a step takes a little longer than LoRA's, since the rank is much larger.

**Options.** Ranks of 256 to 1024 are usual; a higher rank costs time but hardly any trained numbers. Adapters of one seed share their random matrices. They are saved with each adapter, so that it reads the same everywhere.

Kopiczko et al. 2023, *VeRA: Vector-based Random Matrix Adaptation*.`,
  options,
  describe: (o) => [`r ${o.rank}`, ...targetWords(o.targetModules)].join(', '),
  trains: () => false,
  hooks(o, { architecture, config }) {
    const targets = o.targetModules ?? architecture.defaultTargets;
    const sites = linearSites(architecture, config).filter((site) => isTarget(site, targets));
    const widest = (of: 'inFeatures' | 'outFeatures') => Math.max(...sites.map((site) => site[of]));
    return {
      linear(b, site, x, y) {
        if (!isTarget(site, targets)) return y;
        const { g } = b;
        const down = projection(b, shared.down, o.rank, widest('inFeatures'), o.projectionPrngKey);
        const up = projection(b, shared.up, widest('outFeatures'), o.rank, o.projectionPrngKey);
        const inner = b.added(`${site.module}.${parts.inner}`, [o.rank], { constant: o.dInitial });
        const outer = b.added(`${site.module}.${parts.outer}`, [site.outFeatures], 'zeros');
        const seen = g.matmul(b.dropout(x, o.dropout), g.slice(down, 1, 0, site.inFeatures), { transB: true });
        const made = g.matmul(g.mul(seen, inner), g.slice(up, 0, 0, site.outFeatures), { transB: true });
        return g.add(y, g.mul(made, outer));
      },
    };
  },
  undo: () => 'update',
  merge(name, base, trained) {
    const module = name.replace(/\.weight$/, '');
    const [inner, outer] = [trained.get(`${module}.${parts.inner}`), trained.get(`${module}.${parts.outer}`)];
    const [down, up] = [trained.get(shared.down), trained.get(shared.up)];
    if (!inner || !outer || !down || !up) return null;
    const [rows, columns] = base.shape as [number, number];
    const rank = inner.data.length;
    return addProduct(
      base,
      mapped(cut(up, rows, rank), (value, row) => value * (outer.data[row] as number)),
      mapped(cut(down, rank, columns), (value, row) => value * (inner.data[row] as number)),
      1,
    );
  },
  peft: {
    peftType: 'VERA',
    moduleTensors: Object.values(parts),
    modelTensors: Object.values(inFile),
    config: z.looseObject({
      r: z.int().positive(),
      vera_dropout: z.number().min(0).max(1).default(0),
      d_initial: z.number().positive().default(0.1),
      projection_prng_key: z.int().min(0).default(0),
      save_projection: z
        .literal(true, 'the random matrices must be in the file: save with save_projection=True')
        .optional(),
      bias: noBias,
    }),
    write(o, trained, { targetNames }) {
      const tensors: NamedTensors = new Map(
        [...trained].map(([name, tensor]) => [
          name === shared.down ? inFile.down : name === shared.up ? inFile.up : name,
          tensor,
        ]),
      );
      return {
        config: {
          bias: 'none',
          d_initial: o.dInitial,
          fan_in_fan_out: false,
          init_weights: true,
          layers_pattern: null,
          layers_to_transform: null,
          projection_prng_key: o.projectionPrngKey,
          r: o.rank,
          save_projection: true,
          target_modules: targetNames(modulesWith(trained, parts.inner)),
          vera_dropout: o.dropout,
        },
        tensors,
      };
    },
    read: (config, tensors, { targetNames }) => ({
      method: {
        type: 'vera',
        rank: config.r,
        dropout: config.vera_dropout,
        dInitial: config.d_initial,
        projectionPrngKey: config.projection_prng_key,
        targetModules: targetNames(modulesWith(tensors, parts.inner)),
      },
      parameters: new Map(
        [...tensors].map(([name, tensor]) => [
          name === inFile.down ? shared.down : name === inFile.up ? shared.up : name,
          tensor,
        ]),
      ),
    }),
  },
});
