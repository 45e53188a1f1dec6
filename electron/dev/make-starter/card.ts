/** The starter's model card: what it is and how it was made, from the run's own numbers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { earlierInWords, howItLearned, lossInWords, sequencesInWords } from '../../trainer/pretrain/card.js';
import type { Recipe, Stage, State } from '../../trainer/pretrain/loop.js';
import { config } from './architecture.js';
import { starterFolder } from './files.js';
import type { TokenizedCorpus } from './tokens.js';

export interface CardFacts {
  readonly state: State;
  readonly corpus: TokenizedCorpus['tokens'];
  readonly recipe: Recipe;
  readonly stages: readonly Stage[];
  /** Over every held-out document, once. */
  readonly heldOutLoss: number;
  readonly parameters: number;
}

const thousands = (value: number) => value.toLocaleString('en-US');

export function cardText({ state, corpus, recipe, stages, heldOutLoss, parameters }: CardFacts, date: string): string {
  const passes = state.tokens / corpus.reduce((sum, source) => sum + source.train * source.repeat, 0);
  return `---
license: apache-2.0
language: en
pipeline_tag: fill-mask
---
# PEFT Studio starter encoder

A small English encoder for first steps in PEFT Studio. It trains in minutes on any computer; for real work take a larger model.

- Architecture: BERT, ${config.num_hidden_layers} layers, width ${config.hidden_size}, ${config.num_attention_heads} heads, intermediate ${config.intermediate_size}, up to ${config.max_position_embeddings} tokens; ${thousands(parameters)} parameters, stored as float16.
- Vocabulary: ${thousands(config.vocab_size)} WordPiece tokens, lower-cased, trained on the same text.
- ${howItLearned} The word embeddings start from the text's own co-occurrence (positive mutual information, factorized); everything else starts random. No other model took part.

## Data
| source | licence | training tokens | held-out tokens | weight |
| --- | --- | --- | --- | --- |
${corpus.map((source) => `| ${source.name} | ${source.license} | ${thousands(source.train)} | ${thousands(source.heldOut)} | ${source.repeat} |`).join('\n')}

The validation and test rows of the bundled sample (WordNet definitions by domain) are not in the text: neither definition nor examples. WordNet 3.0 is Copyright 2006 by Princeton University; its licence lies beside the sample data.

## Training
${thousands(state.step)} steps of ${thousands(recipe.tokensPerStep)} tokens, ${thousands(state.tokens)} tokens in all (${passes.toFixed(2)} passes over the weighted text), ${Math.round(state.seconds / 60)} minutes on CPU. AdamW, learning rate ${recipe.learningRate} with ${100 * recipe.warmup} % warm-up and linear decay, weight decay ${recipe.weightDecay}, gradient norm at most ${recipe.gradientClip}, no dropout, seed ${state.seed}. ${sequencesInWords(stages)}

Masked-LM loss on held-out documents: ${lossInWords(heldOutLoss)}.

On a part of them, on the way: ${earlierInWords(state)}.

The pooler is the identity followed by tanh: masked language modelling does not train it.

## Limits
About 25 MB of text, much of it dictionary definitions, 19th-century prose and speeches of presidents, with the views of their times. Knows English only. Not meant for decisions about people.

Made on ${date} by \`npm run make-starter\`.
`;
}

export async function writeCard(facts: CardFacts): Promise<void> {
  await writeFile(join(starterFolder, 'README.md'), cardText(facts, new Date().toISOString().slice(0, 10)));
}
