/** What the frozen base computes for one text, for methods that start from it. */
import { EngineError } from '../errors.js';
import { frozenBuilder } from '../models/builder.js';
import type { OpenedModel } from '../models/folder.js';
import type { WeightSource } from '../onnx/writer.js';
import type { Tensor } from '../types.js';
import { floatsOf, GraphSession, runtime } from './session.js';

/** A model and where its weights lie. */
export interface FrozenBase {
  readonly folder: string;
  readonly model: OpenedModel;
  readonly weights: (name: string) => WeightSource;
}

/** Outputs of every linear layer of the base for a sequence of token ids, by module path: each [ids, out]. Throws EngineError. */
async function activationsOf(
  { folder, model, weights }: FrozenBase,
  ids: readonly number[],
): Promise<Map<string, Tensor>> {
  const widths = new Map<string, number>();
  const b = frozenBuilder({
    linear(builder, site, _x, y) {
      builder.g.output(site.module, y);
      widths.set(site.module, site.outFeatures);
      return y;
    },
  });
  model.architecture.encode(b, model.config, 'all');
  const session = await GraphSession.create(b.g, { device: 'cpu', folder, weights });
  try {
    const ort = await runtime();
    const row = (values: readonly number[]) =>
      new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
    const feeds = { input_ids: row(ids), attention_mask: row(ids.map(() => 1)), token_type_ids: row(ids.map(() => 0)) };
    const outputs = Object.fromEntries([...widths.keys()].map((module) => [module, null]));
    const computed = await session.run(feeds, outputs, 'cpu');
    return new Map(
      [...widths].map(([module, width]) => [
        module,
        { shape: [ids.length, width], data: Float32Array.from(floatsOf(computed[module])) },
      ]),
    );
  } finally {
    await session.dispose();
  }
}

/** The same layer by layer, computed once a text. */
export function activationSource(base: FrozenBase): (ids: readonly number[], module: string) => Promise<Tensor> {
  const known = new Map<string, Promise<Map<string, Tensor>>>();
  return async (ids, module) => {
    const key = ids.join();
    const computed = known.get(key) ?? activationsOf(base, ids);
    known.set(key, computed);
    const found = (await computed).get(module);
    if (!found) throw new EngineError('bad-graph', `The base has no linear layer ${module}.`);
    return found;
  };
}
