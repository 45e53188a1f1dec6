/** What a run of a composition starts from: the trained parameters of finished runs and exported adapters, made into one. */
import { StudioError } from '../contract/errors.js';
import { verbalizerIn } from '../contract/learned.js';
import { hasHead } from '../contract/objectives.js';
import {
  composeAdapters,
  keptMethod,
  type BaseModelInfo,
  type NamedTensors,
  type WeightedAdapter,
} from '../engine/index.js';
import { isHead, loadAdapter, splitHead } from '../interchange/index.js';
import { trainedParameters } from './predictors.js';
import type { TaskComposition, TrainTask } from './protocol.js';

async function readPart(
  { name, folder, method, weight }: TaskComposition['parts'][number],
  model: BaseModelInfo,
): Promise<WeightedAdapter> {
  if (method !== null) return { name, weight, method: keptMethod(method), parameters: await trainedParameters(folder) };
  const loaded = await loadAdapter(folder, model);
  return { name, weight, method: loaded.method, parameters: loaded.parameters };
}

/**
 * The values that a composition's parameters start from; what it has to train (attention of a fusion, a new head) is left out.
 * @throws StudioError `not-found` for a run whose parameters are gone; EngineError `bad-input` where the parts do not fit
 */
export async function composedParameters(
  task: Pick<TrainTask, 'method' | 'objective'>,
  composition: TaskComposition,
  model: BaseModelInfo,
): Promise<NamedTensors> {
  const parts: WeightedAdapter[] = [];
  // What answers by label words, or writes, has no use for the heads of its parts.
  const byHead = hasHead(task.objective.type) && verbalizerIn(task.objective) === null;
  for (const part of composition.parts) {
    const { parameters, ...read } = await readPart(part, model);
    parts.push({ ...read, parameters: byHead ? parameters : splitHead(model, parameters).adapter });
  }
  const { kind, how, head } = composition;
  const spec = { kind, how, options: task.method, ...(head === null ? {} : { head }) };
  const composed = composeAdapters(spec, parts, (name) => isHead(model, name));
  if (composed.method.type !== task.method.type)
    throw new StudioError(
      'conflict',
      `The parts make "${composed.method.type}", the plan says "${task.method.type}".`,
      'Make the composition anew: one of its parts is not what it was.',
    );
  return composed.parameters;
}
