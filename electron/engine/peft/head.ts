/** Head only: a probe on the frozen base; the lower baseline. */
import { z } from 'zod';
import { registerMethod } from './method.js';

registerMethod({
  type: 'head',
  title: 'Head only',
  family: 'base',
  marker: 'star',
  colour: 'cat-8',
  learningRate: 1e-3,
  exports: ['merged', 'onnx'],
  summary: 'The base stays frozen; only the classifier on top trains.',
  help: `**What trains.** The task's head alone. The base model gives the features it learned in pretraining.

**When to use it.** As the lower baseline: whatever a method scores above it is what changing the base brought. It is also the fastest to train: without the base's own dropout (\`modelDropout\` 0) each text goes through the base once in the whole run.`,
  options: z.strictObject({ type: z.literal('head') }),
  describe: () => 'linear probe',
  trains: () => false,
  hooks: () => ({}),
});
