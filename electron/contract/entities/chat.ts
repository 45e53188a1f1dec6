/** Texts that models write: what they are asked, how they choose, and what came of it. */
import { z } from 'zod';
import { problemSchema } from '../errors.js';
import { messageSchema } from './generation.js';
import { count, id, nullable } from './common.js';

export const samplingSchema = z.strictObject({
  maxNewTokens: z.int().min(1).max(8192).default(256).describe('Tokens that an answer may have'),
  temperature: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe('0 takes the likeliest token each time; above, tokens are drawn, the likely ones rarer the higher it is'),
  topK: nullable(z.int().min(1)).default(null).describe('Draws among this many likeliest tokens; null for all'),
  topP: nullable(z.number().positive().max(1))
    .default(null)
    .describe('Draws among the likeliest tokens whose probabilities first reach this sum; null for all'),
  repetitionPenalty: z
    .number()
    .positive()
    .max(100)
    .default(1)
    .describe('Above 1, tokens that stand in the conversation already become less likely'),
  stop: z
    .array(z.string().min(1).max(200))
    .max(16)
    .default([])
    .describe('Texts that end an answer; they are no part of it'),
  seed: z.int().min(0).max(4_294_967_295).default(1).describe('Of the draws: the same seed gives the same text'),
});
export type Sampling = z.infer<typeof samplingSchema>;

/** What a model goes on from: a conversation, by its chat template, or a text as it stands. */
export const askedSchema = z.union([
  z.strictObject({ messages: z.array(messageSchema).min(1).max(1000) }),
  z.strictObject({ text: z.string().min(1).max(1_000_000) }),
]);
export type Asked = z.infer<typeof askedSchema>;

/** Who answers: a run, or with `trained` false its base as it was. */
export const speakerSchema = z.strictObject({ runId: id, trained: z.boolean().default(true), asked: askedSchema });
export type Speaker = z.infer<typeof speakerSchema>;

/** How an answer stands: `ended` is null while it is written. Times are this model's own, without those of others that write beside it. */
export const writingSchema = z.object({
  tokens: count,
  promptTokens: count,
  /** What was read from the disk before the first token: base and trained parameters, the latter alone, or nothing. */
  loaded: z.enum(['base', 'parameters', 'nothing']),
  secondsToLoad: count,
  secondsToFirst: nullable(count),
  /** Of those after the first. */
  tokensPerSecond: nullable(count),
  /** By itself or at a stop word, at its longest, told to stop, or by a problem. */
  ended: nullable(z.enum(['stop', 'length', 'stopped', 'problem'])),
  problem: nullable(problemSchema),
});
export type Writing = z.infer<typeof writingSchema>;
export const answerTextSchema = z.object({ ...writingSchema.shape, text: z.string() });
export type AnswerText = z.infer<typeof answerTextSchema>;
/** What has been written since the last time, by the speaker's place in the request. */
export const pieceSchema = z.object({ speaker: count, text: z.string(), writing: writingSchema });
export type Piece = z.infer<typeof pieceSchema>;
