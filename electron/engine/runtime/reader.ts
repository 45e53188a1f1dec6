/** Which method reads what: a finished run keeps less than was trained, where a network computed it (PeftMethod.kept). */
import { EngineError } from '../errors.js';
import { chooseMethod } from '../peft/index.js';
import type { MethodSpec, NamedTensors } from '../types.js';
import { prepare, type SetupOptions } from './setup.js';

/** The method that reads `parameters`: the one they were trained with, or where a finished run kept them, the one that it keeps. */
export function readerOf(options: SetupOptions, parameters: NamedTensors): MethodSpec {
  const { method, options: own } = chooseMethod(options.method);
  const kept = method.kept?.(own) ?? null;
  if (kept === null) return options.method;
  const added = prepare({ ...options, method: kept }).parameters.filter((parameter) => parameter.added);
  return added.every(({ name }) => parameters.has(name)) ? kept : options.method;
}

/** Throws EngineError 'bad-input' where start values are what a finished run kept, since training needs what it dropped. */
export function requireWhole(options: SetupOptions, given: NamedTensors): void {
  const reader = readerOf(options, given);
  if (reader === options.method) return;
  throw new EngineError(
    'bad-input',
    `The start values are what a finished run keeps of ${chooseMethod(options.method).method.title}: the network that computed them is gone.`,
    `Train ${JSON.stringify(reader)} from them, or start anew.`,
    { path: 'method.type' },
  );
}
