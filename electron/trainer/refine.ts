/** What a further round begins with, of the run that it goes on from. */
import { join } from 'node:path';
import { stackedParameters, type BaseModelInfo, type NamedTensors, type ParameterPlan } from '../engine/index.js';
import { isHead } from '../interchange/index.js';
import { readHashed } from './checkpoint.js';
import { trainedFileName, type TaskRefinement } from './protocol.js';

export interface FormerValues {
  readonly parameters: NamedTensors;
  /** What its head was trained for; null where it has none that this run could have. */
  readonly objective: string | null;
  /** JSON of the labels that the head tells apart; null where there are none. */
  readonly labels: string | null;
}

/**
 * Values by the new run's names. Of a run that was merged only the head is left: the rest is part of the base that it stands on.
 * @param plan the new run's parameters
 * @throws EngineError `bad-file` for parameters that are gone or damaged
 */
export async function formerValues(
  { folder, how, method }: TaskRefinement,
  plan: readonly ParameterPlan[],
  model: BaseModelInfo,
): Promise<FormerValues> {
  const { tensors, metadata } = await readHashed(join(folder, trainedFileName));
  const known = new Set(plan.map(({ name }) => name));
  const ofHead = new Set(plan.flatMap(({ name, part }) => (part === 'head' ? [name] : [])));
  const head: NamedTensors = new Map([...tensors].filter(([name]) => ofHead.has(name)));
  const parameters = (): NamedTensors => {
    switch (how) {
      case 'merge':
        return head;
      case 'continue':
        // A language-model head that the run made has no place in a classifier.
        return new Map([...tensors].filter(([name]) => known.has(name)));
      case 'stack':
        return new Map([
          ...stackedParameters(method, tensors, (name) => ofHead.has(name) || isHead(model, name)),
          ...head,
        ]);
    }
  };
  return {
    parameters: parameters(),
    objective: head.size > 0 ? (metadata.objective ?? 'classification') : null,
    labels: metadata.labels ?? null,
  };
}
