/** A second start of the app hands its words to the one that runs. */
import { z } from 'zod';

export const startSchema = z.object({ files: z.array(z.string().min(1)).max(16) });
