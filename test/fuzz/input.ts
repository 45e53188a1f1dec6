/** Inputs of a subject: a whole one with some of its files changed, or one from nothing. The same seed gives the same input. */
import fc, { type Arbitrary } from 'fast-check';
import { byteChange, place, type Change } from './bytes.js';
import type { FileSet, Subject } from './subject.js';
import { valueChange, type Json } from './values.js';

const asJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

/** Changes of a JSON file by structure; of a safetensors file in its header, with a length field that tells the truth. */
function changedValue(name: string, bytes: Buffer, changes: readonly Change<Json>[]): Buffer | null {
  const apply = (text: string) => {
    const value = asJson(text);
    if (value === undefined) return null;
    return Buffer.from(JSON.stringify(changes.reduce((changed, change) => change(changed), value)));
  };
  if (name.endsWith('.json')) return apply(bytes.toString());
  if (/\.(jsonl|conll|csv)$/.test(name)) {
    const lines = bytes.toString().split('\n');
    return Buffer.concat(lines.map((line) => Buffer.concat([apply(line) ?? Buffer.from(line), Buffer.from('\n')])));
  }
  if (!name.endsWith('.safetensors') || bytes.length < 8) return null;
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = apply(bytes.toString('utf8', 8, end));
  if (header === null) return null;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, bytes.subarray(end)]);
}

/** Mostly one: what is changed in many places is refused at the first. */
const few = <T>(change: Arbitrary<T>) =>
  fc.oneof(
    { arbitrary: fc.tuple(change), weight: 3 },
    { arbitrary: fc.array(change, { minLength: 2, maxLength: 4 }), weight: 1 },
  );

const changeOfFile = fc.record({
  file: place,
  structure: few(valueChange),
  bytes: few(byteChange),
  kind: fc.constantFrom('structure', 'structure', 'bytes', 'bytes', 'both', 'remove'),
});

/** Larger inputs show nothing that smaller ones do not. */
const largest = 4 << 20;

function applied(files: FileSet, change: typeof changeOfFile extends Arbitrary<infer T> ? T : never): FileSet {
  const { file, structure, bytes, kind } = change;
  const name = [...files.keys()][Math.floor(file * files.size)];
  const own = name === undefined ? undefined : files.get(name);
  if (name === undefined || own === undefined) return files;
  const all = new Map(files);
  if (kind === 'remove' && files.size > 1) {
    all.delete(name);
    return all;
  }
  const byStructure = kind === 'bytes' ? null : changedValue(name, own, structure);
  let made = byStructure ?? own;
  if (byStructure === null || kind === 'both')
    for (const step of bytes) if (made.length < largest) made = Buffer.from(step(made));
  return all.set(name, made.subarray(0, largest));
}

/** All inputs of a subject. */
export function inputsOf(subject: Subject, seeds: readonly FileSet[]): Arbitrary<FileSet> {
  const mutated = fc
    .record({
      seed: place,
      changes: fc.oneof(
        { arbitrary: fc.tuple(changeOfFile), weight: 4 },
        { arbitrary: fc.tuple(changeOfFile, changeOfFile), weight: 1 },
      ),
    })
    .map(({ seed, changes }) => changes.reduce(applied, seeds[Math.floor(seed * seeds.length)] as FileSet));
  if (subject.made && seeds.length === 0) return subject.made;
  return subject.made ? fc.oneof({ arbitrary: mutated, weight: 4 }, { arbitrary: subject.made, weight: 1 }) : mutated;
}

export const inputOf = (inputs: Arbitrary<FileSet>, seed: number): FileSet =>
  fc.sample(inputs, { seed, numRuns: 1 })[0] as FileSet;
