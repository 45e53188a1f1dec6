/** Parameters a method trains on a model, before anything is built. */
import { openModel, planParameters, type ParameterPlan } from '../engine/index.js';
import type { JobOf, ResultOf } from './protocol.js';

/** Counts by part of the model; no weight is read. Groups: embeddings, layer 0 and on, head, other. */
export async function countJob(job: JobOf<'count'>): Promise<ResultOf<'count'>> {
  const model = await openModel(job.modelFolder);
  const labels = Array.from({ length: job.labels }, (_, index) => String(index));
  return { type: 'count', ...countParameters(planParameters({ model, method: job.method, objective: { type: 'classification', labels } })) };
}

export function countParameters(plan: readonly ParameterPlan[]): Omit<ResultOf<'count'>, 'type'> {
  const groups = new Map<string, { name: string; frozen: number; trainable: number }>();
  let head = 0;
  for (const parameter of plan) {
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

function groupOf({ name, part }: ParameterPlan): string {
  if (part === 'head') return 'head';
  const layer = /\blayer\.(\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return `layer ${layer}`;
  return /\bembeddings\b/.test(name) ? 'embeddings' : 'other';
}
