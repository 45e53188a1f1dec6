/**
 * What a foreign tokenizer.json may hold. The native library ends the whole process, not the call, for parts that contradict
 * themselves (a template without its token, a prefix longer than its word), for patterns that take too long and for normalizers
 * that make a text endless. So its parts are looked through before; vocabularies are checked by the library, which refuses them in words.
 */
import { z } from 'zod';
import { firstIssue } from '../contract/problem-of.js';
import { whyWild } from './tame-pattern.js';

const short = z.string().max(64);
/** Normalizers may make a text so many times longer at most. */
const mostGrowth = 64;
const parts = <T extends z.ZodType>(part: T) => z.array(part).max(32);

const pattern = z.union([
  z.strictObject({ String: z.string().max(200) }),
  z.strictObject({
    Regex: z.string().superRefine((text, context) => {
      const why = whyWild(text);
      if (why !== null) context.addIssue({ code: 'custom', message: `the pattern is not let in: ${why}` });
    }),
  }),
]);

const plain = <T extends string>(...types: readonly [T, ...T[]]) => z.looseObject({ type: z.enum(types) });
const sequenceOf = (key: string, part: z.ZodType) => z.looseObject({ type: z.literal('Sequence'), [key]: parts(part) });

const normalizer: z.ZodType = z.lazy(() =>
  z.discriminatedUnion('type', [
    plain('BertNormalizer', 'NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Strip', 'Nmt', 'ByteLevel'),
    z.looseObject({ type: z.literal('Prepend'), prepend: short }),
    z.looseObject({ type: z.literal('Replace'), pattern, content: short }),
    sequenceOf('normalizers', normalizer),
  ]),
);

const preTokenizer: z.ZodType = z.lazy(() =>
  z.discriminatedUnion('type', [
    plain('BertPreTokenizer', 'ByteLevel', 'Whitespace', 'WhitespaceSplit', 'Punctuation', 'Metaspace', 'Digits'),
    plain('CharDelimiterSplit', 'UnicodeScripts'),
    z.looseObject({ type: z.literal('Split'), pattern }),
    sequenceOf('pretokenizers', preTokenizer),
  ]),
);

const piece = z.strictObject({
  Sequence: z.looseObject({ id: z.enum(['A', 'B']) }).optional(),
  SpecialToken: z.looseObject({ id: z.string() }).optional(),
});
const template = z
  .looseObject({
    type: z.literal('TemplateProcessing'),
    single: parts(piece),
    pair: parts(piece),
    special_tokens: z.record(z.string(), z.looseObject({ ids: parts(z.number()) })),
  })
  .superRefine(({ single, pair, special_tokens: tokens }, context) => {
    const wrong = (message: string) => context.addIssue({ code: 'custom', message });
    if (single.some(({ Sequence: text }) => text?.id === 'B'))
      wrong('the template of a single text asks for a second one');
    if ([...single, ...pair].some(({ SpecialToken: token }) => token && !Object.hasOwn(tokens, token.id)))
      wrong('the template names a token that is not among its special_tokens');
  });
const postProcessor: z.ZodType = z.lazy(() =>
  z.discriminatedUnion('type', [
    plain('BertProcessing', 'RobertaProcessing', 'ByteLevel'),
    template,
    sequenceOf('processors', postProcessor),
  ]),
);

const decoder: z.ZodType = z.lazy(() =>
  z.discriminatedUnion('type', [
    plain('WordPiece', 'ByteLevel', 'BPEDecoder', 'Metaspace', 'ByteFallback', 'Fuse'),
    z.looseObject({ type: z.literal('Replace'), pattern, content: short }),
    z.looseObject({ type: z.literal('Strip'), stop: z.literal(0) }),
    sequenceOf('decoders', decoder),
  ]),
);

/** Old files do not name the model's type, so its keys are looked at. */
const model = z
  .looseObject({
    max_input_chars_per_word: z.int().min(1).max(1000).optional(),
    continuing_subword_prefix: short.nullish(),
    merges: z.array(z.unknown()).optional(),
  })
  .refine(({ merges, continuing_subword_prefix: prefix }) => merges === undefined || !prefix, {
    path: ['continuing_subword_prefix'],
    message: 'merges with a prefix are not supported',
  });

const tokenizerSchema = z
  .looseObject({
    normalizer: normalizer.nullish(),
    pre_tokenizer: preTokenizer.nullish(),
    post_processor: postProcessor.nullish(),
    decoder: decoder.nullish(),
    model,
  })
  .refine(({ normalizer: own }) => growthOf(own) <= mostGrowth, {
    path: ['normalizer'],
    message: `it makes a text more than ${mostGrowth} times longer`,
  });

/** How many times longer a text may become. */
function growthOf(part: unknown): number {
  const known = z
    .looseObject({ content: z.string().default(''), normalizers: z.array(z.unknown()).default([]) })
    .safeParse(part ?? {});
  if (!known.success) return 1;
  const { content, normalizers } = known.data;
  return normalizers.reduce<number>((product, inner) => product * growthOf(inner), Math.max(1, content.length));
}

/** What of a tokenizer.json is not let in, with its place; null where all is. */
export function whyUnsafe(tokenizer: unknown): string | null {
  const checked = tokenizerSchema.safeParse(tokenizer);
  return checked.success ? null : firstIssue(checked.error);
}
