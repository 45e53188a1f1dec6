/** A further round on a finished run whose method does not merge: the same method goes on, or it stays frozen under another. */
import { EngineError } from '../errors.js';
import type { MethodSpec, NamedTensors } from '../types.js';
import { chooseMethod } from './choose.js';
import { sameSetting } from './compose.js';
import { partMark } from './parts.js';

const isStack = (spec: MethodSpec): spec is MethodSpec & { adapters: readonly MethodSpec[]; top: MethodSpec | null } =>
  spec.type === 'stack';

/** What lies in a stack on which another adapter is to train, the lowest first. */
const layersOf = (former: MethodSpec): readonly MethodSpec[] =>
  isStack(former) ? [...former.adapters, ...(former.top ? [former.top] : [])] : [former];

/**
 * The method of a run that trains `top` on a finished one, which stays as it is; of "head" nothing but a new head trains.
 * Throws EngineError 'bad-input' with the reason where the two do not stack; whether they fit a model shows when it is planned.
 */
export function stackedOn(former: MethodSpec, top: MethodSpec): MethodSpec {
  // Its parts are marked already: marks within marks would not tell them apart.
  if (former.type === 'fusion')
    throw new EngineError('bad-input', 'AdapterFusion holds several adapters, and does not lie under another one.');
  return chooseMethod({ type: 'stack', adapters: layersOf(former), top: top.type === 'head' ? null : top })
    .options as MethodSpec;
}

/** The values that such a run begins with; the head's are left out. */
export function stackedParameters(
  former: MethodSpec,
  trained: NamedTensors,
  isHead: (name: string) => boolean,
): NamedTensors {
  const own = layersOf(former).length - (isStack(former) && !former.top ? 0 : 1);
  const marked = (name: string) => (/@\d+$/.test(name) ? name : name + partMark(own));
  return new Map([...trained].filter(([name]) => !isHead(name)).map(([name, tensor]) => [marked(name), tensor]));
}

/** Why a method cannot go on from the values of a finished run of another; null: it can. `former`: the method that reads what the run kept. */
export function whyNotContinued(former: MethodSpec, spec: MethodSpec): string | null {
  const { method } = chooseMethod(spec);
  if (former.type !== spec.type)
    return `${method.title} has no use for the values of ${chooseMethod(former).method.title}`;
  return sameSetting(former, spec) ? null : `its options were ${describe(former)}, these are ${describe(spec)}`;
}

function describe(spec: MethodSpec): string {
  const { method, options } = chooseMethod(spec);
  return `"${method.describe(options)}"`;
}

/** Throws EngineError 'bad-input' where nothing trains but a wording. */
export function requireTrained(former: MethodSpec, run: string): void {
  const { method } = chooseMethod(former);
  if (method.search)
    throw new EngineError(
      'bad-input',
      `${run} searched for a wording and trained nothing.`,
      'Start a run of its own with this wording as "initText".',
      { path: 'refines' },
    );
}
