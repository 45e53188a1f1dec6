/** What Hugging Face peft is told to train a method from its start, or that it cannot. */
import {
  EngineError,
  keptMethod,
  peftFormats,
  planParameters,
  stagesOf,
  validateMethod,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
  type ObjectiveSpec,
} from '../engine/index.js';
import { contextOf, savedModules } from './peft.js';

/** A method as plain PyTorch trains it: by a config of peft's, or some of the base's own weights by their names. */
export interface TrainedElsewhere {
  readonly peft: Readonly<Record<string, unknown>> | null;
  readonly weights: readonly string[] | null;
  /** The learning rate of B and of vectors divided by that of the rest. */
  readonly loraPlusRatio: number;
}

/**
 * @param objective with a head that reads whole texts
 * @returns the reason, as a part of a sentence, where peft cannot train the method
 */
export function peftStart(
  model: BaseModelInfo,
  spec: MethodSpec,
  objective: ObjectiveSpec,
): TrainedElsewhere | { readonly reason: string } {
  const method = validateMethod(spec);
  if (stagesOf(method, model) !== null) return { reason: 'it trains in stages, which peft does not have' };
  const planned = planParameters({ model, method, objective, steps: 0 });
  const trained = planned.filter(({ trainable }) => trainable);
  const loraPlusRatio = typeof method['loraPlusRatio'] === 'number' ? method['loraPlusRatio'] : 1;
  if (!planned.some(({ part }) => part === 'added'))
    return trained.length === 0
      ? { reason: 'nothing of it trains' }
      : { peft: null, weights: trained.map(({ name }) => name), loraPlusRatio };
  const found = peftFormats().find(({ type }) => type === method.type);
  if (!found) return { reason: 'peft does not have it' };
  const { format } = found;
  const start = format.start?.(method) ?? { config: {} };
  if ('reason' in start) return start;
  try {
    const kept = planParameters({ model, method: keptMethod(method), objective, steps: 0 });
    const added: NamedTensors = new Map(
      kept
        .filter(({ part }) => part === 'added')
        .map(({ name, shape }) => [name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }]),
    );
    const head = new Map(trained.filter(({ part }) => part !== 'added').map(({ name }) => [name, name]));
    return {
      peft: {
        peft_type: format.peftType,
        task_type: 'SEQ_CLS',
        modules_to_save: savedModules(head, null),
        ...format.write(method, added, contextOf(model)).config,
        ...start.config,
      },
      weights: null,
      loraPlusRatio,
    };
  } catch (error) {
    if (error instanceof EngineError) return { reason: error.message.replace(/\.$/, '') };
    throw error;
  }
}
