/** Masks of dropout, in memory that every step uses again. */
import { evaluateDim, sizeOf } from '../graph/dims.js';
import type { DropoutSite } from '../models/builder.js';
import { fillMask, keyOf } from './random.js';
import type { Feeds, Runtime } from './session.js';

export class DropoutMasks {
  #memory = new Uint8Array(0);

  constructor(
    private readonly ort: Runtime,
    private readonly seeds: readonly number[],
  ) {}

  /** Masks are a function of (seed, stage, step, micro-batch, site), so a resumed run drops the same. @param at step and micro-batch */
  feeds(sites: readonly DropoutSite[], sizes: Readonly<Record<string, number>>, at: readonly number[]): Feeds {
    const counts = sites.map((site) => evaluateDim(sizeOf(site.shape), sizes));
    const rounded = counts.map((count) => (count + 3) & ~3);
    const total = rounded.reduce((sum, count) => sum + count, 0);
    if (this.#memory.length < total) this.#memory = new Uint8Array(total);
    const feeds: Feeds = {};
    let offset = 0;
    sites.forEach((site, i) => {
      const room = this.#memory.subarray(offset, offset + (rounded[i] as number));
      fillMask(room, site.rate, keyOf(...this.seeds, ...at, i));
      feeds[site.input] = new this.ort.Tensor(
        'bool',
        room.subarray(0, counts[i]),
        site.shape.map((dim) => evaluateDim(dim, sizes)),
      );
      offset += rounded[i] as number;
    });
    return feeds;
  }
}
