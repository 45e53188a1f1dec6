/** What calls are made of. */
import { z } from 'zod';

export const id = z.int().positive();
export const none = z.strictObject({});
export const done = z.object({ done: z.literal(true) });
export const call = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) => ({ input, output });
/** What a removal takes with it; `blocked` says why it cannot be done now. */
export const removal = z.object({
  title: z.string(),
  lines: z.array(z.string()),
  bytes: z.number(),
  blocked: z.string().optional(),
});
export const job = z.object({ jobId: z.string() });
