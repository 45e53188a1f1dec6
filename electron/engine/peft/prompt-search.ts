/**
 * Prompt wording: the words of a real prompt are searched for by gradient, as AutoPrompt does (Shin et al. 2020, arXiv:2010.15980;
 * HotFlip, Ebrahimi et al. 2018, arXiv:1712.06751). The model stays frozen whole and a verbalizer answers, so nothing trains:
 * the result is a text. The steps are runtime/search.ts.
 */
import { z } from 'zod';
import { registerMethod } from './method.js';
import { mostTokens } from './virtual.js';

const options = z.strictObject({
  type: z.literal('prompt-search'),
  numVirtualTokens: z
    .int()
    .min(1)
    .max(mostTokens)
    .nullable()
    .default(null)
    .describe("Tokens of the wording; null: as many as initText has, or 6 with initialization 'vocabulary'"),
  initialization: z
    .enum(['text', 'vocabulary'])
    .default('text')
    .describe('text: the search starts from initText; vocabulary: from words drawn with the seed'),
  initText: z
    .string()
    .trim()
    .min(1)
    .max(4000)
    .default('Classify the following text:')
    .describe(
      "Wording that the search starts from, cut or repeated to numVirtualTokens; read with initialization 'text'",
    ),
  candidates: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe('Tokens tried at each position of a step: those whose exchange the gradient promises most of'),
  positionsPerStep: z
    .int()
    .min(1)
    .max(mostTokens)
    .default(2)
    .describe('Positions of the wording that a step looks at, in turn'),
});

registerMethod({
  type: 'prompt-search',
  title: 'Prompt wording',
  family: 'prompt',
  marker: 'bubble',
  colour: 'cat-14',
  learningRate: 1e-3,
  exports: [],
  summary: 'Searches the words of a real prompt; the model stays as it is and the result is a text to copy.',
  help: `**What trains.** Nothing. The model is frozen whole and has no head: it answers by label words in a prompt (a verbalizer). What is looked for is the *wording* of that prompt, m real tokens, and the result is a text that you can read, edit, copy and put before a text in any other program, where it gives the same tokens and the same scores.

**How it searches.** At each step the gradient of the loss with respect to the embeddings of the wording's tokens says which other tokens promise a lower loss (the largest −gradient · embedding). The best candidates at some positions are tried on the step's rows, and the best exchange is kept if it lowers the loss there. Candidates count only if the changed text, typed in, gives exactly these tokens. The validation rows judge the wording every 10 steps, unless the plan says otherwise; the best one is kept and tested once.

**When to use it.** When the model cannot be changed, when its answers should be steered by a text that people can read, or to see what a prompt can do before an adapter is trained. It needs a base with its language-model head. The words found are often odd: they are what the model reacts to, not what a person would write. LoRA with few rows is usually better.

**Options.** Start from a text of yours or from words drawn from the vocabulary. More candidates and positions make a step slower and the search broader; larger batches judge candidates better. The learning rate, schedule and optimizer play no part. The template may hold \`{prompt}\` where the wording belongs; else it stands first.

Shin et al. 2020, *AutoPrompt: Eliciting Knowledge from Language Models with Automatically Generated Prompts*.`,
  options,
  describe: (o) =>
    `${o.initialization === 'text' ? `from "${o.initText}"` : 'from drawn words'}, ${o.candidates} candidates`,
  trains: () => false,
  hooks: () => ({}),
  search: (o) => ({
    tokens: o.numVirtualTokens,
    text: o.initialization === 'text' ? o.initText : null,
    candidates: o.candidates,
    positions: o.positionsPerStep,
  }),
});
