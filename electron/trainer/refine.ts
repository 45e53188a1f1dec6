/** What a further round begins with, of the run that it goes on from. */
import { join } from 'node:path';
import { stackedParameters, type BaseModelInfo, type NamedTensors, type ParameterPlan } from '../engine/index.js';
import { isHead } from '../interchange/index.js';
import { readHashed } from './checkpoint.js';
import { trainedFileName, type TaskRefinement } from './protocol.js';

export interface FormerValues {
  readonly parameters: NamedTensors;
  /** JSON of the labels that its head tells apart; null where it has none. */
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
        return new Map([...stackedParameters(method, tensors, (name) => isHead(model, name)), ...head]);
    }
  };
  const hasHead = [...tensors.keys()].some((name) => isHead(model, name));
  return { parameters: parameters(), labels: hasHead ? (metadata.labels ?? null) : null };
}
