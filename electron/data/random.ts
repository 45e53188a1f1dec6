/** Seeded randomness of the data layer. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A seed for one of many streams of a seed, mixed so that neighbours share nothing (murmur3's finalizer). */
export function streamSeed(seed: number, stream: number): number {
  let mixed = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** The numbers 0 to `size` - 1 in an order that seed and stream alone decide (Fisher-Yates). */
export function shuffledOrder(size: number, seed: number, stream: number): Int32Array {
  const generator = xoroshiro128plus(streamSeed(seed, stream));
  const order = Int32Array.from({ length: size }, (_, index) => index);
  for (let last = size - 1; last > 0; last -= 1) {
    const other = uniformInt(generator, 0, last);
    const held = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = held;
  }
  return order;
}
