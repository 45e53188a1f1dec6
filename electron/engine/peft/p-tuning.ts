/**
 * P-tuning. Version 1 (Liu et al. 2021, arXiv:2103.10385): virtual tokens before the text as the output of an encoder over m
 * trained embeddings, an LSTM with an MLP behind it or an MLP alone, in the formulas and names of Hugging Face peft's
 * PromptEncoder; anchor tokens, real words that stay fixed, may follow them. Version 2 (Liu et al. 2022, arXiv:2110.07602): deep
 * prompts, which are keys and values of their own in every layer.
 */
import { z } from 'zod';
import type { Value } from '../graph/ir.js';
import type { Builder, StartSource } from '../models/builder.js';
import { addedDense } from './dense.js';
import { bidirectionalLstm } from './lstm.js';
import { registerMethod } from './method.js';
import { prefixFiles, prefixOf } from './prefix.js';
import {
  embeddingsOf,
  fileTensor,
  noPrefixes,
  promptConfig,
  promptEmbeddings,
  promptKeys,
  softPrompt,
} from './prompt-files.js';
import { encoderHiddenSize, idsOfText, mostTokens, numVirtualTokens, rowsOfTable } from './virtual.js';

const mostAnchors = 64;

const options = z.strictObject({
  type: z.literal('p-tuning'),
  version: z
    .int()
    .min(1)
    .max(2)
    .default(1)
    .describe('1: virtual tokens before the text, computed by an encoder; 2: keys and values in every layer'),
  numVirtualTokens: numVirtualTokens(mostTokens - mostAnchors),
  encoderReparameterizationType: z
    .enum(['MLP', 'LSTM'])
    .default('MLP')
    .describe('Version 1: the encoder that computes the virtual tokens'),
  encoderHiddenSize,
  encoderNumLayers: z
    .int()
    .min(1)
    .max(4)
    .default(2)
    .describe("Version 1: layers of the LSTM; the MLP has peft's three"),
  encoderDropout: z.number().min(0).max(0.9).default(0).describe('Version 1: dropout between the layers of the LSTM'),
  anchorTokens: z
    .int()
    .min(0)
    .max(mostAnchors)
    .default(0)
    .describe('Version 1: fixed tokens of real words behind the virtual ones'),
  anchorText: z
    .string()
    .trim()
    .min(1)
    .max(1000)
    .default('?')
    .describe('Version 1: the words of the anchor tokens, cut or repeated to their number'),
});

type Options = z.output<typeof options>;

const encoder = 'prompt_encoder';

/** The virtual tokens' embeddings [m, width] by the encoder. */
function encoded(b: Builder, o: Options, width: number): Value {
  const hidden = o.encoderHiddenSize ?? width;
  const embedded = b.added(`${encoder}.embedding.weight`, [o.numVirtualTokens, width], { normal: 1 });
  const head = (layer: number, x: Value, inFeatures: number, outFeatures: number) =>
    addedDense(b, `${encoder}.mlp_head.${layer}`, x, inFeatures, outFeatures);
  if (o.encoderReparameterizationType === 'LSTM') {
    const states = bidirectionalLstm(b, `${encoder}.lstm_head`, embedded, {
      hidden,
      layers: o.encoderNumLayers,
      dropout: o.encoderDropout,
    });
    return head(2, b.g.relu(head(0, states, 2 * hidden, 2 * hidden)), 2 * hidden, width);
  }
  const first = b.g.relu(head(0, embedded, width, hidden));
  return head(4, b.g.relu(head(2, first, hidden, hidden)), hidden, width);
}

registerMethod({
  type: 'p-tuning',
  title: 'P-tuning',
  family: 'prompt',
  marker: 'cross',
  colour: 'cat-9',
  learningRate: 1e-3,
  exports: ['peft', 'onnx'],
  summary: 'Trains virtual words through a small network, or, as version 2, keys and values in every layer.',
  help: `**What trains.** Version 1: m embeddings and an encoder, an MLP or a bidirectional LSTM, that turns them into virtual tokens before the text. The encoder ties the tokens together, so they learn faster than those of prompt tuning; it is dropped at the end, and what is kept is a soft prompt. Version 2: keys and values in every layer, without an encoder.

**When to use it.** Version 1 where prompt tuning learns too slowly. Version 2 where the task needs more than the input can say, on small models above all.

**Options.** The LSTM runs over the virtual tokens one after the other, which takes time in each step. Anchor tokens are fixed words of your choice behind the virtual tokens, such as the paper's question mark. Like every virtual token they take a position from the longest text. After training version 1, the run shows the words nearest to each token.

Liu et al. 2021, *GPT Understands, Too*; Liu et al. 2022, *P-Tuning v2: Prompt Tuning Can Be Comparable to Fine-tuning Universally Across Scales and Tasks*.`,
  options,
  describe: (o) => {
    const tokens = `${o.numVirtualTokens} tokens`;
    if (o.version === 2) return `version 2, ${tokens}`;
    const anchors = o.anchorTokens > 0 ? [`${o.anchorTokens} anchors`] : [];
    return [`version 1, ${o.encoderReparameterizationType}`, tokens, ...anchors].join(', ');
  },
  trains: () => false,
  positions: (o) => o.numVirtualTokens + (o.version === 1 ? o.anchorTokens : 0),
  kept: (o) => (o.version === 1 ? { type: 'prompt', numVirtualTokens: o.numVirtualTokens + o.anchorTokens } : null),
  hooks(o) {
    if (o.version === 2) return { prefix: prefixOf(o.numVirtualTokens, () => ({ normal: 1 })) };
    return {
      prompt: {
        tokens: o.numVirtualTokens + o.anchorTokens,
        embeddings(b, { table, width }) {
          const virtual = encoded(b, o, width);
          if (o.anchorTokens === 0) return b.keep(promptEmbeddings, virtual);
          const from = async (source: StartSource) =>
            rowsOfTable(
              source,
              table,
              await idsOfText(source, o.anchorText, o.anchorTokens, { option: 'anchorText', special: false }),
            );
          const anchors = b.added(`${encoder}.anchors`, [o.anchorTokens, width], { from }, { fixed: true });
          return b.keep(promptEmbeddings, b.g.concat([virtual, anchors], 0));
        },
      },
    };
  },
  peft: {
    peftType: 'P_TUNING',
    start: ({ version, anchorTokens }) =>
      version === 2
        ? { reason: noPrefixes }
        : anchorTokens > 0
          ? { reason: 'peft has no anchor tokens' }
          : { config: {} },
    modelTensors: [fileTensor],
    promptLearning: true,
    config: promptKeys,
    write(o, trained, context) {
      // peft has deep prompts as prefix tuning, whose keys and values they are.
      if (o.version === 2) return prefixFiles(trained, context, { tokens: o.numVirtualTokens });
      return {
        config: {
          ...promptConfig(context, o.numVirtualTokens + o.anchorTokens),
          encoder_dropout: o.encoderDropout,
          encoder_hidden_size: o.encoderHiddenSize ?? context.model.hiddenSize,
          encoder_num_layers: o.encoderNumLayers,
          encoder_reparameterization_type: o.encoderReparameterizationType,
        },
        tensors: softPrompt(trained),
      };
    },
    // The encoder is not in the folder: what is left is a soft prompt.
    read: (config, tensors) => ({
      method: { type: 'prompt', numVirtualTokens: config.num_virtual_tokens },
      parameters: new Map([[promptEmbeddings, embeddingsOf(tensors)]]),
    }),
  },
});
