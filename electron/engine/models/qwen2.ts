/** Qwen2 and Qwen2.5 (Qwen Team 2024): Llama with biases on query, key and value, and layers that may see a window only. */
import { z } from 'zod';
import { fields, parseConfig } from './parts.js';
import { llamaLike, readLlamaConfig } from './llama.js';
import { registerArchitecture } from './registry.js';
import type { DecoderConfig } from './types.js';

const windowSchema = z.object({
  num_hidden_layers: fields.layers,
  use_sliding_window: z.boolean().default(false),
  sliding_window: fields.positions.nullish(),
  max_window_layers: z.int().min(0).default(28),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
});

/** How many tokens each layer's tokens see; null for all before. Throws EngineError 'bad-model' naming the key. */
export function readWindows(config: Readonly<Record<string, unknown>>): DecoderConfig['windows'] {
  const c = parseConfig(
    windowSchema.refine((v) => !v.layer_types || v.layer_types.length === v.num_hidden_layers, {
      path: ['layer_types'],
      message: 'must name each layer',
    }),
    config,
  );
  const window = c.use_sliding_window ? (c.sliding_window ?? 4096) : null;
  const slides = (layer: number) =>
    c.layer_types ? c.layer_types[layer] === 'sliding_attention' : layer >= c.max_window_layers;
  return Array.from({ length: c.num_hidden_layers }, (_, layer) => (slides(layer) ? window : null));
}

registerArchitecture(
  llamaLike({
    type: 'qwen2',
    classifierClass: 'Qwen2ForSequenceClassification',
    languageModelClass: 'Qwen2ForCausalLM',
    readConfig: (config) => ({
      ...readLlamaConfig({ max_position_embeddings: 32_768, ...config, attention_bias: false, mlp_bias: false }),
      projectionBias: true,
      windows: readWindows(config),
    }),
  }),
);
