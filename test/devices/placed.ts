/** Where the nodes of one method's training step ran. */
import { z } from 'zod';

export const placementSchema = z.object({
  type: z.string(),
  method: z.string(),
  /** Nodes of one step that ran on the device. */
  onDevice: z.number(),
  /** Nodes that compute with numbers and fell back to the CPU, by operation. */
  fallen: z.record(z.string(), z.number()),
  /** Nodes on the CPU that reckon with ids, masks and sizes, which come from there: some hundred integers a step. */
  indexes: z.number(),
  /** Copies between the device and the CPU in one step. */
  copies: z.number(),
});
export type Placement = z.infer<typeof placementSchema>;
