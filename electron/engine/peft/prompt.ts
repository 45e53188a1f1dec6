/**
 * Prompt tuning (Lester et al. 2021, arXiv:2104.08691): trained embeddings P [m, d] before the words' own, [P; E(x)].
 * Positions, token types and masks as in Hugging Face peft: the virtual tokens are the first m tokens of the text, of type 0, and
 * attended to by all; the classifier reads the first token, which is the first virtual one.
 */
import { z } from 'zod';
import type { Initializer } from '../models/builder.js';
import type { EmbeddingSite } from '../models/types.js';
import { registerMethod } from './method.js';
import { embeddingsOf, fileTensor, promptConfig, promptEmbeddings, promptKeys, softPrompt } from './prompt-files.js';
import { idsOfText, initText, numVirtualTokens, rowsOfTable } from './virtual.js';

const options = z.strictObject({
  type: z.literal('prompt'),
  numVirtualTokens: numVirtualTokens(),
  initialization: z
    .enum(['vocabulary', 'random', 'text'])
    .default('vocabulary')
    .describe('vocabulary: words drawn from it; random: normal numbers; text: the words of initText'),
  initText,
});

type Options = z.output<typeof options>;

const peftStarts = { random: 'RANDOM', vocabulary: 'SAMPLE_VOCAB', text: 'TEXT' } as const;

const peftConfig = promptKeys.extend({
  prompt_tuning_init: z.enum(['RANDOM', 'SAMPLE_VOCAB', 'TEXT']).default('RANDOM'),
  prompt_tuning_init_text: z.string().nullish(),
});

function start(o: Options, { table, vocabularySize }: EmbeddingSite): Initializer {
  switch (o.initialization) {
    case 'random':
      return { normal: 1 };
    case 'vocabulary':
      return {
        from: (source) => {
          const drawn = source.uniform(o.numVirtualTokens);
          return rowsOfTable(
            source,
            table,
            Array.from(drawn, (u) => Math.min(vocabularySize - 1, Math.floor(u * vocabularySize))),
          );
        },
      };
    case 'text':
      return {
        from: async (source) => rowsOfTable(source, table, await idsOfText(source, o.initText, o.numVirtualTokens)),
      };
  }
}

registerMethod({
  type: 'prompt',
  title: 'Prompt tuning',
  family: 'prompt',
  marker: 'hourglass',
  colour: 'cat-7',
  learningRate: 1e-2,
  exports: ['peft', 'onnx'],
  summary: 'Trains a few virtual words before every text; the model itself stays as it is.',
  help: `**What trains.** m virtual tokens: vectors of the width of a word embedding, put before the words of every text. Nothing inside the model changes, so this is the smallest of all methods beside the head alone: 20 tokens of width 384 are 7,680 numbers.

**When to use it.** When one base should serve many tasks and each should weigh next to nothing. It learns slowly and wants a high learning rate (0.01 to 0.3); small models often stay well behind LoRA.

**Options.** More virtual tokens say more and take as many tokens from the longest text. They start from words drawn from the vocabulary, from a text of yours (its words, with the tokenizer's own tokens around them, cut or repeated to fit), or from random numbers, which peft does by default. After training, the run shows the words of the vocabulary that lie nearest to each virtual token.

Lester et al. 2021, *The Power of Scale for Parameter-Efficient Prompt Tuning*.`,
  options,
  describe: (o) =>
    `${o.numVirtualTokens} tokens, ${o.initialization === 'text' ? `from "${o.initText}"` : o.initialization}`,
  trains: () => false,
  positions: (o) => o.numVirtualTokens,
  hooks: (o) => ({
    prompt: {
      tokens: o.numVirtualTokens,
      embeddings: (b, site) => b.added(promptEmbeddings, [o.numVirtualTokens, site.width], start(o, site)),
    },
  }),
  peft: {
    peftType: 'PROMPT_TUNING',
    modelTensors: [fileTensor],
    promptLearning: true,
    config: peftConfig,
    write: (o, trained, context) => ({
      config: {
        ...promptConfig(context, o.numVirtualTokens),
        prompt_tuning_init: peftStarts[o.initialization],
        prompt_tuning_init_text: o.initialization === 'text' ? o.initText : null,
        tokenizer_kwargs: null,
        // peft refuses a text without it.
        tokenizer_name_or_path: o.initialization === 'text' ? context.model.folder : null,
      },
      tensors: softPrompt(trained),
    }),
    read(config, tensors) {
      const found = Object.entries(peftStarts).find(([, name]) => name === config.prompt_tuning_init);
      const text = config.prompt_tuning_init_text?.trim();
      return {
        method: {
          type: 'prompt',
          numVirtualTokens: config.num_virtual_tokens,
          ...(found?.[0] !== 'text' || text ? { initialization: found?.[0] } : {}),
          ...(text ? { initText: text } : {}),
        },
        parameters: new Map([[promptEmbeddings, embeddingsOf(tensors)]]),
      };
    },
  },
});
