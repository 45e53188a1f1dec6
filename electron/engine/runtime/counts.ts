/** Parameters a method trains on a model, by part of the model, before anything is built. */
import { planParameters } from './export.js';
import { groupOf } from './map.js';
import type { SetupOptions } from './setup.js';

export interface ParameterCounts {
  readonly trainable: number;
  readonly total: number;
  readonly head: number;
  /** embeddings, layer 0 and on, other, head */
  readonly groups: { name: string; frozen: number; trainable: number }[];
}

/** Counts without reading a weight. Throws EngineError as `planParameters` does. */
export function countParameters(options: SetupOptions): ParameterCounts {
  const groups = new Map<string, { name: string; frozen: number; trainable: number }>();
  let head = 0;
  for (const parameter of planParameters(options)) {
    const size = parameter.shape.reduce((product, dim) => product * dim, 1);
    const name = groupOf(parameter);
    const group = groups.get(name) ?? { name, frozen: 0, trainable: 0 };
    group[parameter.trainable ? 'trainable' : 'frozen'] += size;
    groups.set(name, group);
    if (parameter.part === 'head') head += size;
  }
  const sum = (of: 'frozen' | 'trainable') => [...groups.values()].reduce((total, group) => total + group[of], 0);
  return { trainable: sum('trainable'), total: sum('trainable') + sum('frozen'), head, groups: [...groups.values()] };
}
