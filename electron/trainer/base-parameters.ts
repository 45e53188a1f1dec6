/** What a run made of its base, without the head that its own task gave it. */
import {
  keptMethod,
  planParameters,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
  type ObjectiveSpec,
} from '../engine/index.js';
import { isHead } from '../interchange/index.js';

/** Of trained parameters those that have a part in another objective: a full fine-tuning's pooler, say, has none in a language model. */
export function withoutOwnHead(
  parameters: NamedTensors,
  model: BaseModelInfo,
  method: MethodSpec,
  objective: ObjectiveSpec,
): NamedTensors {
  // A finished run keeps what a network computed while it trained, not the network: its names are another method's.
  const known = new Set(
    [method, keptMethod(method)].flatMap((read) =>
      planParameters({ model, method: read, objective }).map(({ name }) => name),
    ),
  );
  return new Map([...parameters].filter(([name]) => known.has(name) && !isHead(model, name)));
}
