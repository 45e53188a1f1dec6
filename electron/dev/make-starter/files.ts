/** Where the scripts of this folder read and write; they run in the checkout's root. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

export const packageFolder = (name: string) => join('node_modules', name);
export const samplesFolder = join('native-assets', 'samples');
export const starterFolder = join('native-assets', 'starter-model');
/** Corpus, tokens and checkpoints: large, made again at any time, not part of the repository. */
export const workFolder = join('.cache', 'make-starter');

/** A number in [0, 1) that depends on the texts only: chooses and orders without a generator's state. */
export function share(...key: readonly (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(key)).digest().readUInt32BE(0) / 2 ** 32;
}

export const say = (text: string) => process.stderr.write(`${text}\n`);
