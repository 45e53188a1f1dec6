/** What all entities are made of. */
import { z } from 'zod';

export const id = z.int().positive();
export const count = z.number().min(0);
export const interval = z.object({ low: z.number(), high: z.number() });
export const nullable = <T extends z.ZodType>(type: T) => type.nullable();
export const splitNames = ['train', 'validation', 'test'] as const;
export const splitNameSchema = z.enum(splitNames);
export type SplitName = z.infer<typeof splitNameSchema>;
