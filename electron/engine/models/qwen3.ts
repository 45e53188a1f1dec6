/** Qwen3 (Qwen Team 2025): Qwen2 without biases, and with an RMSNorm over each query and key head. */
import { llamaLike, readLlamaConfig } from './llama.js';
import { readWindows } from './qwen2.js';
import { registerArchitecture } from './registry.js';

registerArchitecture(
  llamaLike({
    type: 'qwen3',
    classifierClass: 'Qwen3ForSequenceClassification',
    languageModelClass: 'Qwen3ForCausalLM',
    readConfig: (config) => ({
      ...readLlamaConfig({ max_position_embeddings: 32_768, head_dim: 128, ...config, mlp_bias: false }),
      headNorm: true,
      windows: readWindows(config),
    }),
  }),
);
