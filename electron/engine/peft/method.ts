/** What a PEFT method is: one file of this shape, registered by itself. */
import type { z } from 'zod';
import type { Hooks, LinearSite } from '../models/types.js';
import type { Architecture } from '../models/types.js';
import type { MethodDescription, NamedTensors, Tensor } from '../types.js';

export interface MethodContext {
  readonly architecture: Architecture;
}

export interface PeftMethod<O = unknown> extends Omit<MethodDescription, 'options' | 'describe'> {
  /** Options with defaults; unknown keys are refused. */
  readonly options: z.ZodType<O>;
  /** Setting as tables show it: "r 8, query value". */
  describe(options: O): string;
  /** Does a parameter of the base train? The task's head always does. */
  trains(name: string, options: O): boolean;
  /** Factor of the plan's learning rate for a trainable parameter; left out: 1. */
  rate?(name: string, options: O): number;
  /** Where it hooks into the forward pass. */
  hooks(options: O, context: MethodContext): Hooks;
  /** The merged value of a base tensor, or null where the method leaves it (methods that merge only). */
  merge?(name: string, base: Tensor, trained: NamedTensors, options: O, context: MethodContext): Tensor | null;
}

const methods = new Map<string, PeftMethod>();

export function registerMethod<O>(method: PeftMethod<O>): void {
  if (methods.has(method.type)) throw new Error(`Method ${method.type} is registered twice.`);
  methods.set(method.type, method as PeftMethod);
}

export function registeredMethods(): readonly PeftMethod[] {
  return [...methods.values()];
}

export function findMethod(type: string): PeftMethod | undefined {
  return methods.get(type);
}

/** Does a list of module names (suffixes) or a pattern (a regular expression over the whole path) choose a module? As in peft. */
export function isTarget(site: Pick<LinearSite, 'module'>, targets: readonly string[] | string): boolean {
  if (typeof targets === 'string') return new RegExp(`^(?:${targets})$`).test(site.module);
  return targets.some((target) => site.module === target || site.module.endsWith(`.${target}`));
}
