/** A method by its name, with its options checked. */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { MethodSpec } from '../types.js';
import { findMethod, registeredMethods, type PeftMethod } from './method.js';

export interface ChosenMethod {
  readonly method: PeftMethod;
  readonly options: unknown;
}

/** A method with validated options. Throws EngineError 'bad-input' naming the key's path and what is allowed. */
export function chooseMethod(spec: MethodSpec): ChosenMethod {
  const method = findMethod(spec.type);
  if (!method) {
    const known = registeredMethods()
      .map(({ type }) => type)
      .join(', ');
    throw new EngineError('bad-input', `method.type "${spec.type}" is not known.`, `Use one of: ${known}.`, {
      path: 'method.type',
    });
  }
  const result = method.options.safeParse(spec);
  if (result.success) return { method, options: result.data };
  const issue = result.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const path = ['method', ...issue.path, ...issue.keys.slice(0, 1)].join('.');
    const allowed = method.options instanceof z.ZodObject ? Object.keys(method.options.shape).join(', ') : 'none other';
    throw new EngineError('bad-input', `${path}: not an option of ${method.title}.`, `Allowed: ${allowed}.`, { path });
  }
  const path = ['method', ...(issue?.path ?? [])].join('.');
  throw new EngineError(
    'bad-input',
    `${path}: ${issue?.message ?? 'is not valid'}.`,
    `See the options of ${method.title} in the help.`,
    { path },
  );
}
