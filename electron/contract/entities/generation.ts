/** Data to write text from: plain text, prompts with completions, conversations. */
import { z } from 'zod';
import { count } from './common.js';

const column = z.string().min(1);

export const messageRoles = ['system', 'user', 'assistant'] as const;
export const messageSchema = z.object({ role: z.enum(messageRoles), content: z.string() });
export type Message = z.infer<typeof messageSchema>;

export const textForms = ['text', 'instruction', 'chat'] as const;
export const textFormSchema = z.enum(textForms);
export type TextForm = z.infer<typeof textFormSchema>;

/** What a row is made from: which column plays which part. */
export const generationColumnsSchema = z.discriminatedUnion('form', [
  /** A text a row. */
  z.strictObject({ form: z.literal('text'), text: column }),
  /** A prompt and what is to follow it; `input` is put behind the prompt, as Alpaca has it. */
  z.strictObject({
    form: z.literal('instruction'),
    prompt: column,
    input: column.nullable().default(null),
    completion: column,
    system: column.nullable().default(null),
  }),
  /** A list of messages, OpenAI's (role, content) or ShareGPT's (from, value). */
  z.strictObject({ form: z.literal('chat'), messages: column, system: column.nullable().default(null) }),
]);
export type GenerationColumns = z.infer<typeof generationColumnsSchema>;

/** A row as it will be trained on. */
export const tokenizedExampleSchema = z.object({
  /** The row's line in its file. */
  line: count,
  /** Why the row cannot be used; null where it can. */
  problem: z.string().nullable(),
  /** The text in order, a piece a token; without a base model a piece a message or frame. */
  pieces: z.array(z.object({ text: z.string(), trained: z.boolean() })),
  tokens: count,
  trainedTokens: count,
  /** Tokens beyond the maximum length, which are not trained on. */
  cutTokens: count,
});
export type TokenizedExample = z.infer<typeof tokenizedExampleSchema>;

/** Which template makes text of messages: the model's own, by its file, or the studio's plain one. */
export const templateSourceSchema = z.enum(['tokenizer_config.json', 'chat_template.jinja', 'plain']);
export type TemplateSource = z.infer<typeof templateSourceSchema>;
