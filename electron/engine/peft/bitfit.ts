/** BitFit (Ben Zaken et al. 2021, arXiv:2106.10199): the biases train, LayerNorm's among them. */
import { z } from 'zod';
import { registerMethod } from './method.js';

registerMethod({
  type: 'bitfit',
  title: 'BitFit',
  family: 'base',
  marker: 'plus',
  colour: 'cat-5',
  learningRate: 1e-3,
  exports: ['merged', 'onnx'],
  summary: 'Only the biases train.',
  help: `**What trains.** Every bias of the base model (LayerNorm's too) and the task's head. Nothing is added.

**When to use it.** When the smallest change is wanted that still reaches into every layer: about a thousandth of the weights. It often stays behind LoRA when there is much data.

Ben Zaken et al. 2021, *BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models*.`,
  options: z.strictObject({ type: z.literal('bitfit') }),
  describe: () => 'all biases',
  trains: (name) => name.endsWith('.bias'),
  needs: 'biases',
  hooks: () => ({}),
});
