/** Target modules: which linear layers a method takes, as in Hugging Face peft. */
import { z } from 'zod';
import type { LinearSite } from '../models/types.js';
import type { NamedTensors } from '../types.js';

const pattern = z
  .string()
  .min(1)
  .refine((text) => {
    try {
      return Boolean(new RegExp(text));
    } catch {
      return false;
    }
  }, 'is not a regular expression');

/** An option that chooses modules: names (at least `least`), or one regular expression; `fallback` is what it takes when left out. */
export const moduleNames = (what: string, fallback: string, least = 1) =>
  z
    .union([z.array(z.string().min(1)).min(least), pattern])
    .optional()
    .describe(`${what} by name, or one regular expression over the whole path; left out: ${fallback}`);

export const targetModules = () => moduleNames('Linear layers', "the architecture's query and value");

export type Targets = readonly string[] | string;

/** Targets as tables show them, for a list of words; none where they were left out. */
export const targetWords = (targets: Targets | undefined): string[] =>
  targets === undefined ? [] : [typeof targets === 'string' ? targets : targets.join(' ')];

/** Does a list of module names (suffixes) or a pattern (a regular expression over the whole path) choose a module? As in peft. */
export function isTarget(site: Pick<LinearSite, 'module'>, targets: Targets): boolean {
  if (typeof targets === 'string') return new RegExp(`^(?:${targets})$`).test(site.module);
  return targets.some((target) => site.module === target || site.module.endsWith(`.${target}`));
}

/** The modules that tensors belong to: names less `.part`, for every name that ends with one of the parts. */
export function modulesWith(tensors: NamedTensors, ...parts: readonly string[]): Set<string> {
  const modules = [...tensors.keys()].flatMap((name) => {
    const part = parts.find((end) => name.endsWith(`.${end}`));
    return part === undefined ? [] : [name.slice(0, -part.length - 1)];
  });
  return new Set(modules);
}
