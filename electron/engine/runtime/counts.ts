/** Parameters a method trains on a model, by part of the model, before anything is built. */
import { stagesOf } from '../peft/index.js';
import { planParameters } from './export.js';
import { groupOf } from './map.js';
import type { SetupOptions } from './setup.js';

export interface ParameterCounts {
  readonly trainable: number;
  readonly total: number;
  readonly head: number;
  /** embeddings, layer 0 and on, other, head */
  readonly groups: { name: string; frozen: number; trainable: number }[];
  /** What each stage trains, in words and in number; empty for a method that trains in one. `trainable` above is of all. */
  readonly stages: { trains: string; trainable: number }[];
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);

/** Counts without reading a weight. Throws EngineError as `planParameters` does. */
export function countParameters(options: SetupOptions): ParameterCounts {
  const groups = new Map<string, { name: string; frozen: number; trainable: number }>();
  let head = 0;
  for (const parameter of planParameters(options)) {
    const size = sizeOf(parameter.shape);
    const name = groupOf(parameter);
    const group = groups.get(name) ?? { name, frozen: 0, trainable: 0 };
    group[parameter.trainable ? 'trainable' : 'frozen'] += size;
    groups.set(name, group);
    if (parameter.part === 'head') head += size;
  }
  const sum = (of: 'frozen' | 'trainable') => [...groups.values()].reduce((total, group) => total + group[of], 0);
  const stages = (stagesOf(options.method, options.model)?.stages ?? []).map(({ trains }, stage) => ({
    trains,
    trainable: planParameters({ ...options, stage })
      .filter((parameter) => parameter.trainable)
      .reduce((total, { shape }) => total + sizeOf(shape), 0),
  }));
  return {
    trainable: sum('trainable'),
    total: sum('trainable') + sum('frozen'),
    head,
    groups: [...groups.values()],
    stages,
  };
}
