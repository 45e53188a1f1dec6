/**
 * AdapterFusion (Pfeiffer et al. 2021, arXiv:2005.00247): behind every block that holds adapters, attention over what several
 * finished adapters u₁ … uₙ add there: Σ softmaxᵢ((Qh + b)·(Kuᵢ + c)) V uᵢ, h what the adapters see. Q and K start normal, V as the
 * identity and a little beside it; the loss holds λ·Σ‖I - V‖². As AdapterHub's dynamic fusion, its names below "adapters.fusion".
 */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { Value } from '../graph/ir.js';
import type { Builder, Initializer } from '../models/builder.js';
import type { BlockSite } from '../models/types.js';
import { adapterInput, sitsAt } from './adapter.js';
import { addedDense } from './dense.js';
import { chooseMethod } from './choose.js';
import { registerMethod } from './method.js';
import { adaptersOption, partHooks, partOf } from './parts.js';

const options = z.strictObject({
  type: z.literal('fusion'),
  adapters: adaptersOption(2),
  regularization: z
    .number()
    .min(0)
    .max(100)
    .default(0.01)
    .describe('Weight of the penalty that keeps the value matrices near the identity'),
});

const valueName = '.fusion.value.weight';

/** Ones on the diagonal, 1e-6 elsewhere. */
const nearIdentity = (width: number): Initializer => ({
  from: () =>
    Promise.resolve(Float32Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 1e-6))),
});

/** Attention over what the adapters add: query and each [n, width] to [n, width]. */
function fused(b: Builder, site: BlockSite, seen: Value, ups: readonly Value[], dropout: number): Value {
  const { g } = b;
  const module = `${site.adapterModule}.fusion`;
  const { width } = site;
  const start = { weight: { normal: 0.02 }, bias: 'zeros' } as const;
  const query = addedDense(b, `${module}.query`, seen, width, width, start);
  const scores = ups.map((up) =>
    g.reduceSum(g.mul(query, addedDense(b, `${module}.key`, up, width, width, start)), [1], true),
  );
  const shares = g.softmax(b.modelDropout(g.concat(scores, 1), dropout));
  const mixed = ups.map((up, i) => g.mul(g.slice(shares, 1, i, i + 1), up)).reduce((sum, part) => g.add(sum, part));
  // V is linear and has no bias: it takes the mixture as it would take each part.
  return g.matmul(mixed, b.added(`${site.adapterModule}${valueName}`, [width, width], nearIdentity(width)), {
    transB: true,
  });
}

registerMethod({
  type: 'fusion',
  title: 'AdapterFusion',
  family: 'composition',
  marker: 'chevron',
  colour: 'cat-21',
  learningRate: 1e-3,
  exports: ['adapterhub', 'onnx'],
  summary: 'Attention over the adapters of several finished runs, learned for one task.',
  help: `**What trains.** The adapters of finished runs stay as they are. Behind every block that holds them, a query, a key and a value matrix learn which of them to listen to, token by token: the mixture is the sum of what they add, weighted by attention.

**When to use it.** When several tasks have adapters of one base already and another task with few examples may profit from them. It trains three square matrices a block, far more than an adapter does, so prefer averaging or stacking where the tasks are alike.

**What fits.** Bottleneck and Compacter adapters of one base at one placement, Houlsby's or Pfeiffer's; their labels and sizes may differ. The head is trained anew.

**Options.** The regularization keeps the value matrices near the identity; the loss that is shown while training holds it, validation and test losses do not.

Pfeiffer et al. 2021, *AdapterFusion: Non-Destructive Task Composition for Transfer Learning*.`,
  options,
  describe: (o) =>
    `of ${o.adapters.length} (${[...new Set(o.adapters.map((spec) => chooseMethod(spec).method.title))].join(' ')})`,
  trains: () => false,
  hubSetup: {
    block: 'Fuse',
    parts: (o, trained) => o.adapters.map((method, index) => ({ method, parameters: partOf(trained, index) })),
    attention: {
      module: '.fusion.',
      config: {
        dropout_prob: null,
        key: true,
        query: true,
        query_before_ln: false,
        regularization: true,
        residual_before: false,
        temperature: false,
        value: true,
        value_before_softmax: true,
        value_initialized: true,
      },
    },
  },
  hooks(o, context) {
    const parts = o.adapters.map((spec, index) => {
      const { adapter } = partHooks(spec, index, context);
      const path = `method.adapters.${index}`;
      if (!adapter)
        throw new EngineError(
          'bad-input',
          `${path}: ${chooseMethod(spec).method.title} is no adapter behind a block, so there is nothing to attend to.`,
          'Fuse bottleneck or Compacter adapters; add or average others.',
          { path },
        );
      if (adapter.placement === 'parallel')
        throw new EngineError(
          'bad-input',
          `${path}: parallel adapters cannot be fused.`,
          'Fuse adapters at Houlsby’s or Pfeiffer’s place.',
          { path },
        );
      return adapter;
    });
    const [first] = parts;
    const other = parts.findIndex(({ placement }) => placement !== first?.placement);
    if (!first || other > 0)
      throw new EngineError(
        'bad-input',
        `method.adapters.${other}: it sits at ${parts[other]?.placement}'s place, the first one at ${first?.placement}'s.`,
        'Fuse adapters of one placement.',
        { path: `method.adapters.${other}` },
      );
    return {
      block(b, site, output, residual, normalize) {
        if (!sitsAt(first.placement, site)) return output;
        const seen = adapterInput(b, first.placement, output, residual, normalize);
        const ups = parts.map(({ up }) => up(b, site, seen));
        return b.g.add(output, fused(b, site, seen, ups, context.config.attentionDropout));
      },
      penalty(b) {
        if (o.regularization === 0) return null;
        const { g } = b;
        const terms = [...b.parameters.values()].flatMap(({ name, shape, initializer }) => {
          if (!name.endsWith(valueName)) return [];
          const width = shape[0] as number;
          const off = g.sub(b.added(name, shape, initializer), identity(b, width));
          return [g.total(g.mul(off, off))];
        });
        return g.scale(
          terms.reduce((sum, term) => g.add(sum, term)),
          o.regularization,
        );
      },
    };
  },
});

const identity = (b: Builder, width: number): Value =>
  b.g.constant(
    Float32Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0)),
    [width, width],
  );
