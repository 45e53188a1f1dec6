/** Seeded, counter-based randomness: every number is a function of (seed, counters), so a resumed run draws the same ones. */
import type { DrawnStart } from '../models/builder.js';

/** A well-mixed 32-bit value of its input (the finalizer of MurmurHash3, public domain, Appleby). */
export function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One key of several counters. */
export function keyOf(...counters: readonly number[]): number {
  return counters.reduce((key, counter) => mix((key ^ mix(counter + 0x9e3779b9)) + 0x7f4a7c15), 0x2545f491);
}

function hashText(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = mix(Math.imul(hash, 31) + text.charCodeAt(i));
  return hash;
}

/** The i-th uniform number in (0, 1) of a tensor. */
export function uniformOf(name: string, seed: number): (i: number) => number {
  const key = keyOf(seed, hashText(name));
  return (i) => (mix(key ^ mix(i)) + 0.5) / 4_294_967_296;
}

/** Start values of a tensor; they depend on the seed and its name only, not on what else the model has. */
export function initialize(name: string, size: number, initializer: DrawnStart, seed: number): Float32Array {
  const data = new Float32Array(size);
  if (initializer === 'zeros') return data;
  if (initializer === 'ones') return data.fill(1);
  if (initializer === 'identity') {
    const side = Math.sqrt(size);
    for (let i = 0; i < side; i++) data[i * (side + 1)] = 1;
    return data;
  }
  if ('constant' in initializer) return data.fill(initializer.constant);
  const uniform = uniformOf(name, seed);
  if ('uniform' in initializer) {
    for (let i = 0; i < size; i++) data[i] = (2 * uniform(i) - 1) * initializer.uniform;
    return data;
  }
  for (let i = 0; i < size; i++)
    data[i] =
      initializer.normal * Math.sqrt(-2 * Math.log(uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1));
  return data;
}

/** For a rate in 256ths: two random bytes to two keep flags, so that one hash makes four flags. */
function flagTable(dropped: number): Uint16Array {
  const table = new Uint16Array(65_536);
  for (let i = 0; i < 65_536; i++) table[i] = ((i & 255) >= dropped ? 1 : 0) | (i >>> 8 >= dropped ? 256 : 0);
  return table;
}

const tables = new Map<number, Uint16Array>();

/** Fills `flags` (4-byte aligned, a multiple of 4 long) with 1 to keep and 0 to drop at `rate` (in 256ths). */
export function fillMask(flags: Uint8Array, rate: number, key: number): void {
  const dropped = Math.round(rate * 256);
  let table = tables.get(dropped);
  if (!table) tables.set(dropped, (table = flagTable(dropped)));
  const words = new Uint32Array(flags.buffer, flags.byteOffset, flags.length >>> 2);
  for (let i = 0; i < words.length; i++) {
    const h = mix(key + Math.imul(i, 0x9e3779b1));
    words[i] = (table[h & 65_535] as number) | ((table[h >>> 16] as number) << 16);
  }
}
