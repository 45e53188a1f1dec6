/** The model card of an encoder made from text. */
import { basename } from 'node:path';
import type { Pretrained, Pretraining } from '../../contract/pretraining.js';
import { masking, recipe, type Stage, type State } from './loop.js';

const thousands = (value: number) => value.toLocaleString('en-US');
const percent = (share: number) => `${Math.round(100 * share)} %`;

/** A loss with its perplexity. */
export const lossInWords = (loss: number) => `${loss.toFixed(3)} (perplexity ${Math.exp(loss).toFixed(0)})`;

export const howItLearned = `Made from nothing by PEFT Studio's own engine with masked language modelling (${percent(masking.mlmProbability)} of tokens; ${percent(masking.maskReplaceProb)} masked, ${percent(masking.randomReplaceProb)} random, the rest kept; masks drawn anew for each sequence).`;

export const sequencesInWords = (stages: readonly Stage[]) =>
  `Sequences of ${stages.map(({ from, length }) => `${length} tokens from ${percent(from)}`).join(', ')} of the run on.`;

/** Losses on the way to the end. */
export const earlierInWords = ({ heldOut, step }: Pick<State, 'heldOut' | 'step'>) => {
  const earlier = heldOut.filter((entry) => entry.step !== step);
  return earlier.length === 0
    ? 'not measured'
    : earlier.map((entry) => `${entry.loss.toFixed(3)} after ${thousands(entry.step)} steps`).join(', ');
};

export interface CardFacts {
  readonly settings: Pretraining;
  readonly made: Pretrained;
  readonly state: State;
  readonly stages: readonly Stage[];
  readonly texts: readonly string[];
  readonly tokens: { readonly train: number; readonly heldOut: number };
}

export const pretrainedCard = ({ settings, made, state, stages, texts, tokens }: CardFacts) => `---
pipeline_tag: fill-mask
library_name: transformers
---
# Encoder made from text with PEFT Studio

- Architecture: BERT, ${settings.layers} layers, width ${settings.hiddenSize}, ${settings.heads} heads, up to ${settings.maxLength} tokens; ${thousands(made.parameters)} parameters, float32.
- Vocabulary: ${thousands(made.vocabularySize)} WordPiece tokens, ${settings.lowercase ? 'lower-cased' : 'cased'}, learned from the same text.
- ${howItLearned} No other model took part.

## Data
${texts.map((file) => `- ${basename(file)}`).join('\n')}

${thousands(tokens.train)} training tokens, ${thousands(tokens.heldOut)} held out. What licence the text has, and so the model, is known to whoever made it.

## Training
${thousands(made.steps)} steps of about ${thousands(settings.tokensPerStep)} tokens, ${thousands(made.tokens)} tokens in all (${(made.tokens / tokens.train).toFixed(2)} passes), ${Math.ceil(made.seconds / 60)} minutes. AdamW, learning rate ${settings.learningRate} with ${percent(recipe.warmup)} warm-up and linear decay, weight decay ${recipe.weightDecay}, gradient norm at most ${recipe.gradientClip}, no dropout, seed ${settings.seed}. ${sequencesInWords(stages)}

Masked-LM loss on held-out text: ${lossInWords(made.heldOutLoss)}. On a part of it, on the way: ${earlierInWords(state)}.

The pooler is the identity followed by tanh: masked language modelling does not train it.

\`\`\`python
from transformers import pipeline
fill = pipeline("fill-mask", "THIS FOLDER")
\`\`\`
`;
