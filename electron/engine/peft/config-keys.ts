/** Keys of adapter_config.json that several of peft's methods share, at the values that the engine computes. */
import { z } from 'zod';

export const emptyPattern = z
  .record(z.string(), z.number())
  .refine(
    (pattern) => Object.keys(pattern).length === 0,
    'different ranks or alphas for some layers are not supported',
  );

export const noBias = z.literal('none', 'trained biases are not supported; only "none" is').optional();
