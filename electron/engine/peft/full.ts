/** Full fine-tuning: the baseline that every method is held against. */
import { z } from 'zod';
import { registerMethod } from './method.js';

registerMethod({
  type: 'full',
  title: 'Full fine-tuning',
  family: 'base',
  marker: 'diamond',
  colour: 'cat-ref',
  learningRate: 1e-4,
  exports: ['merged', 'onnx'],
  summary: 'Every weight trains: the baseline of the comparison.',
  help: `**What trains.** Everything: embeddings, all layers, the head.

**When to use it.** As the baseline, and wherever the comparison says that nothing smaller reaches it. It needs the most memory (two moments a weight) and each task costs a whole copy of the model on disk.`,
  options: z.strictObject({ type: z.literal('full') }),
  describe: () => 'all weights',
  trains: () => true,
  hooks: () => ({}),
});
