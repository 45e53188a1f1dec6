/** What several of peft's methods share: keys of adapter_config.json at the values that the engine computes, and limits. */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import { internals } from '../models/folder.js';
import { linearSites } from '../models/sites.js';
import type { PeftContext } from './method.js';

export const emptyPattern = z
  .record(z.string(), z.number())
  .refine(
    (pattern) => Object.keys(pattern).length === 0,
    'different ranks or alphas for some layers are not supported',
  );

export const noBias = z.literal('none', 'trained biases are not supported; only "none" is').optional();

/** Keys of what peft took from LyCORIS (LoHa, LoKr). */
export const lycorisShape = {
  r: z.int().positive(),
  alpha: z.number().positive(),
  rank_dropout: z.literal(0, 'dropout of ranks is not supported').optional(),
  module_dropout: z.literal(0, 'dropout of modules is not supported').optional(),
  rank_pattern: emptyPattern.nullish(),
  alpha_pattern: emptyPattern.nullish(),
} as const;

/** The same as peft writes them. */
export const lycorisConfig = ({ rank, alpha }: { readonly rank: number; readonly alpha: number }) => ({
  alpha,
  alpha_pattern: {},
  exclude_modules: null,
  init_weights: true,
  layers_pattern: null,
  layers_to_transform: null,
  module_dropout: 0,
  r: rank,
  rank_dropout: 0,
  rank_pattern: {},
  use_effective_conv2d: false,
});

/** Throws EngineError 'bad-input' where one of the modules stores its weight as [in, out]: peft has some methods for linear layers only. */
export function requireLinear(title: string, modules: ReadonlySet<string>, { model, architecture }: PeftContext): void {
  const other = linearSites(architecture, internals(model).config).find(
    (site) => site.transposed && modules.has(site.module),
  );
  if (other)
    throw new EngineError(
      'bad-input',
      `peft has no ${title} for layers that store their weights as ${model.architecture} does.`,
      'Export a merged model instead.',
      { module: other.module },
    );
}
