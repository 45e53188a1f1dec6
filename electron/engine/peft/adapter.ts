/**
 * The adapter that bottleneck, Compacter and the hybrids share: s·up(act(down(x))) with dropout on it, and where it sits.
 * Placements, names and order as in AdapterHub. s: the block's output, x: its residual input, f: the adapter.
 */
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import { activate } from '../models/parts.js';
import type { AdapterPlacement, BlockSite, Hooks } from '../models/types.js';
import { addedDense } from './dense.js';

export type Placement = AdapterPlacement;
export const placements = ['houlsby', 'pfeiffer', 'parallel'] as const satisfies readonly Placement[];

/** By the names of AdapterHub; linear: none. */
export const activations = { relu: 'relu', gelu: 'gelu', swish: 'silu', linear: null } as const;
export const activationNames = Object.keys(activations) as [AdapterActivation, ...AdapterActivation[]];
export type AdapterActivation = keyof typeof activations;

export interface AdapterOptions {
  readonly placement: Placement;
  readonly activation: AdapterActivation;
  /** On the adapter's output. */
  readonly dropout: number;
  /** A constant factor of the adapter's output, or one that is learned and starts at 1. */
  readonly scaling: number | 'learned';
}

/** Widths of one projection, and which one it is. */
export interface ProjectionShape {
  readonly part: 'down' | 'up';
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** One projection of an adapter: x [n, in] to [n, out]; `module` is its name. */
export type Projection = (b: Builder, module: string, x: Value, shape: ProjectionShape) => Value;

/** Linear layers as AdapterHub names them; up starts at zero, so that the model starts unchanged. */
export const denseProjection =
  (placement: Placement): Projection =>
  (b, module, x, { part, inFeatures, outFeatures }) => {
    // AdapterHub's "mam_adapter" start is Kaiming's for parallel adapters; the others start as BERT's layers do.
    const down = placement === 'parallel' ? { uniform: 1 / Math.sqrt(inFeatures) } : { normal: 0.02 };
    const weight = part === 'up' ? 'zeros' : down;
    return addedDense(b, module, x, inFeatures, outFeatures, { weight, bias: 'zeros' });
  };

/** Units of an adapter's bottleneck. */
export const bottleneckWidth = (site: BlockSite, { reductionFactor }: { readonly reductionFactor: number }): number =>
  Math.max(1, Math.floor(site.width / reductionFactor));

/** The module of a task's adapter at a site. */
export const adapterModule = (site: BlockSite): string => `${site.adapterModule}.task`;

/** s·up(act(down(x))): x [n, width] to [n, width], through `width` bottleneck units. */
export function adapterUp(
  b: Builder,
  site: BlockSite,
  x: Value,
  width: number,
  o: Pick<AdapterOptions, 'activation' | 'scaling'>,
  project: Projection,
): Value {
  const module = adapterModule(site);
  const down = project(b, `${module}.adapter_down.0`, x, {
    part: 'down',
    inFeatures: site.width,
    outFeatures: width,
  });
  const activation = activations[o.activation];
  const inner = activation === null ? down : activate(b, down, activation);
  const up = project(b, `${module}.adapter_up`, inner, { part: 'up', inFeatures: width, outFeatures: site.width });
  return o.scaling === 'learned' ? b.g.mul(up, b.added(`${module}.scaling`, [1], 'ones')) : b.g.scale(up, o.scaling);
}

/** Does a placement put an adapter at a block? */
export const sitsAt = (placement: Placement, site: BlockSite): boolean =>
  placement === 'houlsby' || site.block === 'ffn';

/** What an adapter sees at a block. */
export function adapterInput(
  b: Builder,
  placement: Placement,
  output: Value,
  residual: Value,
  normalize: (x: Value) => Value,
): Value {
  switch (placement) {
    case 'houlsby':
      return output;
    case 'pfeiffer':
      return normalize(b.g.add(output, residual));
    case 'parallel':
      return residual;
  }
}

/**
 * Puts an adapter into a layer's blocks.
 * Houlsby: LayerNorm(s + f(s) + x) in both; Pfeiffer: LayerNorm(s + f(LayerNorm(s + x)) + x) and parallel:
 * LayerNorm(s + f(x) + x) in the feed-forward block only.
 */
export const placeAdapter =
  (placement: Placement, adapter: (b: Builder, site: BlockSite, x: Value) => Value): NonNullable<Hooks['block']> =>
  (b, site, output, residual, normalize) =>
    sitsAt(placement, site)
      ? b.g.add(output, adapter(b, site, adapterInput(b, placement, output, residual, normalize)))
      : output;

/** An adapter alone at its place, with dropout on what it adds; it may be fused with others. */
export function adapterHooks(
  { placement, dropout }: Pick<AdapterOptions, 'placement' | 'dropout'>,
  up: (b: Builder, site: BlockSite, x: Value) => Value,
): Pick<Hooks, 'block' | 'adapter'> {
  return {
    block: placeAdapter(placement, (b, site, x) => b.dropout(up(b, site, x), dropout)),
    adapter: { placement, up },
  };
}
