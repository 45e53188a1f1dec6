/** Every method: importing this registers them. */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { BaseModelInfo, MethodDescription, MethodSpec, StagePlan } from '../types.js';
import type { AdapterHubFormat } from './adapterhub.js';
import { findMethod, registeredMethods, type PeftFormat, type PeftMethod } from './method.js';
import './full.js';
import './progressive.js';
import './lora.js';
import './loha.js';
import './lokr.js';
import './vera.js';
import './adalora.js';
import './ia3.js';
import './bottleneck.js';
import './compacter.js';
import './mixer.js';
import './mam.js';
import './unipelt.js';
import './prefix.js';
import './prompt.js';
import './p-tuning.js';
import './bitfit.js';
import './head.js';

export type { AdapterHubFormat, HubContext } from './adapterhub.js';
export type { PeftContext, PeftFormat } from './method.js';

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

/** The spec with every default filled in. Throws EngineError 'bad-input'. */
export function validateMethod(spec: MethodSpec): MethodSpec {
  return chooseMethod(spec).options as MethodSpec;
}

export function listMethods(): readonly MethodDescription[] {
  return registeredMethods().map((method) => ({
    ...method,
    exports: [...method.exports, 'studio'],
    describe: (options) => method.describe(method.options.parse(options)),
  }));
}

/** The stages of a method on a model; null where it trains in one. Throws EngineError 'bad-input'. */
export function stagesOf(spec: MethodSpec, { layers }: Pick<BaseModelInfo, 'layers'>): StagePlan | null {
  const { method, options } = chooseMethod(spec);
  return method.stages?.(options, layers) ?? null;
}

/** Positions of a model that a method's virtual tokens take from the text. Throws EngineError 'bad-input'. */
export function positionsOf(spec: MethodSpec): number {
  const { method, options } = chooseMethod(spec);
  return method.positions?.(options) ?? 0;
}

/** Name and setting as tables show them: "LoRA, r 8, query value". */
export function describeMethod(spec: MethodSpec): string {
  const { method, options } = chooseMethod(spec);
  return `${method.title}, ${method.describe(options)}`;
}

/** Every method that stands in AdapterHub's folders, by its type and title. */
export function adapterHubFormats(): {
  readonly type: string;
  readonly title: string;
  readonly format: AdapterHubFormat;
}[] {
  return registeredMethods().flatMap(({ type, title, adapterhub }) =>
    adapterhub ? [{ type, title, format: adapterhub }] : [],
  );
}

/** Every method that stands in Hugging Face peft's folders, by its type and title. */
export function peftFormats(): { readonly type: string; readonly title: string; readonly format: PeftFormat }[] {
  return registeredMethods().flatMap(({ type, title, peft }) => (peft ? [{ type, title, format: peft }] : []));
}
