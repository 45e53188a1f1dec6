/** A new encoder from text: its size and its training. */
import { z } from 'zod';

export const pretrainingSchema = z.strictObject({
  layers: z.int().min(1).max(48).default(4),
  hiddenSize: z.int().min(16).max(2048).default(256).describe('Width of the hidden states'),
  heads: z.int().min(1).max(64).default(4).describe('Attention heads; they share the width equally'),
  intermediateSize: z
    .int()
    .min(16)
    .max(16_384)
    .nullable()
    .default(null)
    .meta({ description: 'Width of the feed-forward layers; null: four times the hidden size', empty: '4 × hidden' }),
  vocabularySize: z
    .int()
    .min(100)
    .max(30_000)
    .default(8000)
    .describe('WordPiece tokens at most, learned from the text'),
  maxLength: z.int().min(16).max(512).default(128).describe('Longest sequence in tokens'),
  lowercase: z.boolean().default(true).describe('Lower-cases the text and strips accents'),
  epochs: z.number().positive().max(1000).default(10).describe('Passes over the text'),
  maxSteps: z
    .int()
    .min(1)
    .max(10_000_000)
    .nullable()
    .default(null)
    .meta({ description: 'Steps; overrides epochs when set', empty: 'by epochs' }),
  tokensPerStep: z.int().min(64).max(1_048_576).default(1024).describe('Tokens of a step'),
  learningRate: z.number().positive().max(1).default(0.001),
  seed: z.int().min(0).max(4_294_967_295).default(1),
});
export type Pretraining = z.infer<typeof pretrainingSchema>;

/** What a new encoder came to. */
export const pretrainedSchema = z.object({
  steps: z.number().min(0),
  tokens: z.number().min(0),
  seconds: z.number().min(0),
  parameters: z.number().min(0),
  vocabularySize: z.number().min(0),
  /** Loss a masked token of text that training never saw, in nats. */
  heldOutLoss: z.number(),
});
export type Pretrained = z.infer<typeof pretrainedSchema>;
