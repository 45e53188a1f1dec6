/** What a finished run keeps of a method that computes its parameters by a network while training (PeftMethod.kept). */
import { EngineError } from '../errors.js';
import { BucketValues } from '../optim/buckets.js';
import { chooseMethod } from '../peft/index.js';
import type { NamedTensors } from '../types.js';
import { floatsOf, GraphSession, runtime } from './session.js';
import { build, prepare, resolver, weightsOf, type ParameterStore, type Setup, type SetupOptions } from './setup.js';

/** The parameters that `readerOf` finds a reader for, from those that train. */
export async function keptParameters(
  setup: Setup,
  options: SetupOptions,
  { trained, fixed }: { readonly trained: ParameterStore; readonly fixed: ParameterStore },
): Promise<NamedTensors> {
  const all: NamedTensors = new Map([...trained.read(), ...fixed.read()]);
  const { method, options: own } = chooseMethod(options.method);
  const kept = method.kept?.(own) ?? null;
  if (kept === null) return all;
  const { b } = build(setup, {
    training: false,
    packed: true,
    modelDropout: null,
    resolve: resolver(new BucketValues(trained.buckets), new BucketValues(fixed.buckets)),
  });
  for (const [name, value] of b.kept) b.g.output(name, value);
  const where = { device: 'cpu', folder: setup.info.folder, weights: weightsOf(setup) } as const;
  const session = await GraphSession.create(b.g, where);
  try {
    const ort = await runtime();
    const outputs = Object.fromEntries([...b.kept.keys()].map((name) => [name, null]));
    const computed = await session.run({ ...trained.feeds(ort), ...fixed.feeds(ort) }, outputs, 'cpu');
    const result: NamedTensors = new Map();
    for (const { name, shape, trainable, added } of prepare({ ...options, method: kept }).parameters) {
      const found = b.kept.has(name) ? { shape, data: Float32Array.from(floatsOf(computed[name])) } : all.get(name);
      if (found) result.set(name, found);
      else if (trainable || added) throw new EngineError('bad-graph', `${method.title} does not keep ${name}.`);
    }
    return result;
  } finally {
    await session.dispose();
  }
}
