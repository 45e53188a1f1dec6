/** What Hugging Face peft's folders of prompt learning have in common: the keys of adapter_config.json, one tensor of embeddings. */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import { frozenBuilder } from '../models/builder.js';
import type { AttentionSite } from '../models/types.js';
import type { NamedTensors, Tensor } from '../types.js';
import type { PeftContext } from './method.js';

/** The one tensor of such a folder. */
export const fileTensor = 'prompt_embeddings';
/** The engine's name of a soft prompt [tokens, width]. */
export const promptEmbeddings = 'prompt.embeddings';

/** Why peft cannot train a prefix. */
export const noPrefixes =
  'peft 0.21 hands a prefix to the model by an argument that transformers 5 no longer has, so it trains none there';

export const promptKeys = z.looseObject({
  num_virtual_tokens: z.int().positive(),
  num_transformer_submodules: z.literal(1, 'prompts of encoder-decoder models are not supported').nullish(),
});

/** Keys that every such folder has. */
export function promptConfig(context: PeftContext, tokens: number): Readonly<Record<string, unknown>> {
  const sites = attentionSites(context);
  return {
    num_attention_heads: sites[0]?.heads ?? null,
    num_layers: sites.length,
    num_transformer_submodules: 1,
    num_virtual_tokens: tokens,
    token_dim: context.model.hiddenSize,
  };
}

/** The folder's tensor. Throws EngineError 'bad-file' where it is missing. */
export function embeddingsOf(tensors: NamedTensors): Tensor {
  const found = tensors.get(fileTensor);
  if (found) return found;
  throw new EngineError('bad-file', `There is no tensor ${fileTensor}.`, 'Save the adapter again.');
}

/** A soft prompt as the folder's tensor. Throws EngineError 'bad-input' where the run holds none. */
export function softPrompt(trained: NamedTensors): NamedTensors {
  const found = trained.get(promptEmbeddings);
  if (found) return new Map([[fileTensor, found]]);
  throw new EngineError('bad-input', 'The run holds no soft prompt.', 'Resume it to its end, then export it.');
}

/** The attention of each layer, in their order; nothing is computed. */
export function attentionSites({ architecture, model }: Pick<PeftContext, 'architecture' | 'model'>): AttentionSite[] {
  const sites: AttentionSite[] = [];
  const b = frozenBuilder({
    prefix: {
      tokens: 1,
      keysValues(builder, site) {
        sites.push(site);
        const zeros = builder.g.constant(new Float32Array(site.width), [1, 1, site.width]);
        return { keys: zeros, values: zeros };
      },
    },
  });
  architecture.encode(b, architecture.readConfig(model.config), 'all');
  return sites;
}
